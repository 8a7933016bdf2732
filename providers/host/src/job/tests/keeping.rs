//! What a host keeps of a job, for how long, and what it never forgets.

use std::process::Command;

use super::*;

/// As if all that the host has of this attempt had been left alone for so many days.
fn age(lab: &Lab, days: u32) {
    let files = Command::new("find")
        .args([&job(lab, ""), "-mindepth", "1", "-exec", "touch", "-h", "-d"])
        .args([&format!("{days} days ago"), "{}", "+"])
        .status();
    assert!(files.unwrap().success());
}

fn length(lab: &Lab, name: &str) -> u64 {
    std::fs::metadata(job(lab, name)).unwrap().len()
}

async fn prune(lab: &Lab) {
    assert_eq!(call(lab, &["prune"], b"").await, "ok\n");
}

#[tokio::test]
async fn what_was_started_once_is_never_said_not_to_have_been() {
    for spec in [
        |lab: &Lab| traced(lab),
        |lab: &Lab| {
            // One that died without a result.
            sh(
                "echo once >>\"$1\"; kill -9 $PPID; exec kill -9 $$",
                &[&lab.path("trace")],
            )
        },
    ] {
        let lab = Lab::new();
        let host = lab.host();
        let jobs = Jobs::new(&host, attempt(1), 1);
        let spec = spec(&lab);
        assert_eq!(jobs.start(&spec, 0).await, Ok(Start::Started));
        end(&jobs, &lab).await;
        // A line that a full disk cut off.
        std::fs::write(lab.path("jobs/forgotten"), "att_ha").unwrap();
        age(&lab, 100);
        for _ in 0..2 {
            prune(&lab).await;
            assert!(!exists(&job(&lab, "")));
            let (state, _) = jobs.settle().await.unwrap();
            assert!(
                matches!(&state, State::Indeterminate(why) if why.contains("long ago")),
                "{state:?}"
            );
            assert_eq!(jobs.start(&spec, 0).await, Ok(Start::Started));
        }
        let recovered = recover(&host, &lab.context, AtLimit::Stop).await;
        assert!(
            matches!(recovered, Ok(JobRecovered::Indeterminate(_))),
            "{recovered:?}"
        );
        assert_eq!(lab.read("trace"), "once\n");
        let other = Jobs::new(&host, attempt(2), 1);
        assert_eq!(other.settle().await.unwrap().0, State::None { generation: 1 });
    }
}

#[tokio::test]
async fn a_result_is_kept_for_a_quarter() {
    let lab = Lab::new();
    let spec = sh("yes | head -c 200000; yes n | head -c 200000 >&2; exit 4", &[]);
    let first = go(&lab, &spec, AtLimit::Stop).await.unwrap();
    age(&lab, 5);
    prune(&lab).await;
    assert_eq!((length(&lab, "out"), length(&lab, "err")), (200_000, 200_000));
    age(&lab, 80);
    let collected = job(&lab, "collected");
    std::fs::remove_file(&collected).unwrap();
    prune(&lab).await;
    assert_eq!(length(&lab, "out"), 200_000, "nobody has seen it yet");
    std::fs::write(&collected, "").unwrap();
    prune(&lab).await;
    assert_eq!((length(&lab, "out"), length(&lab, "err")), (65_536, 65_536));
    // The controller may have crashed before it stored what it had collected.
    let recovered = recover(&lab.host(), &lab.context, AtLimit::Stop).await;
    let Ok(JobRecovered::Ended(again)) = recovered else {
        panic!("{recovered:?}");
    };
    assert_eq!(again.code, 4);
    assert_eq!((again.stdout, again.stderr), (first.stdout, first.stderr));
}

#[tokio::test]
async fn what_still_runs_stays_however_old_it_is() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    let spec = sh(
        "until [ -e \"$1\" ]; do sleep 0.05; done; exit 6",
        &[&lab.path("go")],
    );
    assert_eq!(jobs.start(&spec, 0).await, Ok(Start::Started));
    until("the command runs", || exists(&job(&lab, "child"))).await;
    age(&lab, 100);
    prune(&lab).await;
    assert_eq!(
        call(&lab, &["forget"], b"").await,
        "error the job still runs, or somebody is at work on it\n"
    );
    std::fs::write(lab.path("go"), "").unwrap();
    assert_eq!(end(&jobs, &lab).await, State::Done { code: 6 });
}

/// A specification that was stored, and whose runner never came.
fn store_input(lab: &Lab) {
    std::fs::create_dir_all(job(lab, "in.abc")).unwrap();
    for name in ["argv", "stdin", "in.abc/stdin", "lock"] {
        std::fs::write(job(lab, name), "secret\n").unwrap();
    }
}

fn has_input(lab: &Lab) -> [bool; 3] {
    ["argv", "stdin", "in.abc"].map(|name| exists(&job(lab, name)))
}

#[tokio::test]
async fn inputs_of_jobs_that_died_do_not_stay() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    // Never started, and somebody asks.
    store_input(&lab);
    assert_eq!(jobs.settle().await.unwrap().0, State::None { generation: 1 });
    assert_eq!(has_input(&lab), [false; 3]);
    // Nobody asks, but later there is another job.
    store_input(&lab);
    prune(&lab).await;
    assert_eq!(has_input(&lab), [true; 3], "it may be starting right now");
    age(&lab, 1);
    prune(&lab).await;
    assert_eq!(has_input(&lab), [false; 3]);
    // Killed by a power cut before it had read them.
    store_input(&lab);
    std::fs::write(job(&lab, "started"), "another-boot 1 1\n").unwrap();
    assert!(matches!(jobs.settle().await.unwrap().0, State::Indeterminate(_)));
    assert_eq!(has_input(&lab), [false; 3]);
}

#[tokio::test]
async fn starting_a_job_tidies_up_now_and_then() {
    let lab = Lab::new();
    go(&lab, &traced(&lab), AtLimit::Stop).await.unwrap();
    store_input(&lab);
    age(&lab, 1);
    let host = lab.host();
    let next = Jobs::new(&host, attempt(2), 1);
    assert_eq!(next.start(&traced(&lab), 0).await, Ok(Start::Started));
    assert_eq!(has_input(&lab), [true; 3], "that was done within the hour");
    let touched = Command::new("touch")
        .args(["-d", "2 hours ago", &lab.path("jobs/pruned")])
        .status();
    assert!(touched.unwrap().success());
    let last = Jobs::new(&host, attempt(3), 1);
    assert_eq!(last.start(&traced(&lab), 0).await, Ok(Start::Started));
    assert_eq!(has_input(&lab), [false; 3]);
}
