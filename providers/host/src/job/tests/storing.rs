//! What is stored is true, or is not there: full disks, connections that break off, locks that somebody holds.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::*;

/// How large files may become that this process writes: over it, writing fails as it does on a full disk.
fn limit_files(pid: &str, limit: &str) {
    let set = Command::new("prlimit")
        .args(["--pid", pid, &format!("--fsize={limit}:")])
        .status();
    assert!(set.unwrap().success());
}

#[tokio::test]
async fn a_status_that_cannot_be_stored_is_no_success() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    let spec = sh(
        "until [ -e \"$1\" ]; do sleep 0.05; done; exit 7",
        &[&lab.path("go")],
    );
    assert_eq!(jobs.start(&spec, 0).await, Ok(Start::Started));
    until("the command runs", || exists(&job(&lab, "child"))).await;
    let runner = first_word(&job(&lab, "started"), 1);
    let has_spare = exists(&job(&lab, "spare"));
    limit_files(&runner, "0");
    std::fs::write(lab.path("go"), "").unwrap();
    until("the runner has tried to store it", || {
        exists(&job(&lab, "exit")) || has_spare != exists(&job(&lab, "spare"))
    })
    .await;
    assert_eq!(jobs.settle().await.unwrap().0, State::Running);
    assert!(!exists(&job(&lab, "exit")));
    limit_files(&runner, "unlimited");
    assert_eq!(end(&jobs, &lab).await, State::Done { code: 7 });
}

#[tokio::test]
async fn a_status_that_is_no_number_is_none() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    assert_eq!(jobs.start(&traced(&lab), 0).await, Ok(Start::Started));
    assert_eq!(end(&jobs, &lab).await, State::Done { code: 3 });
    for text in ["", "?\n", "0x\n", "-1\n", "0 1\n", "\n7\n"] {
        std::fs::write(job(&lab, "exit"), text).unwrap();
        let (state, _) = jobs.settle().await.unwrap();
        assert!(matches!(state, State::Indeterminate(_)), "{text:?}: {state:?}");
    }
}

#[tokio::test]
async fn the_script_runs_under_either_shell() {
    for shell in ["dash", "bash"] {
        let lab = Lab::new();
        let host = lab.host();
        let jobs = Jobs::new(&host, attempt(1), 1);
        assert_eq!(jobs.settle().await.unwrap().0, State::None { generation: 1 });
        let script = "cat; printf '%s|' \"$@\" >&2; kill -HUP $$";
        let argv = format!("sh\n-c\n{script}\nsh\na\\0012b\n\n-n\n");
        for (name, text) in [("argv", argv.as_str()), ("stdin", "in"), ("epoch", "1\n")] {
            std::fs::write(job(&lab, name), text).unwrap();
        }
        call_with(shell, &lab, &["run", "1", "1", "16"], b"").await;
        let answer = call_with(shell, &lab, &["settle", "1"], b"").await;
        assert_eq!(answer, "done 129 2 8\nnote \n", "{shell}");
        let answer = call_with(shell, &lab, &["follow", "0", "0"], b"").await;
        assert_eq!(answer, "o 2\nine 8\na\nb||-n|s done 129 2 8\n", "{shell}");
        assert_eq!(call_with(shell, &lab, &["stop", "u"], b"").await, "ended\n");
        assert_eq!(call_with(shell, &lab, &["forget"], b"").await, "forgotten\n");
        assert_eq!(
            call_with(shell, &lab, &["status"], b"").await,
            "indeterminate forgotten\n"
        );
    }
}

#[tokio::test]
async fn what_has_started_can_be_asked_about_on_a_full_disk() {
    let mut lab = Lab::new();
    go(&lab, &traced(&lab), AtLimit::Stop).await.unwrap();
    // It cannot be written to: what a full disk does to a new controller.
    std::fs::create_dir(job(&lab, "epoch.new")).unwrap();
    lab.context.epoch = 2;
    let recovered = recover(&lab.host(), &lab.context, AtLimit::Stop).await;
    let Ok(JobRecovered::Ended(ended)) = recovered else {
        panic!("{recovered:?}");
    };
    assert_eq!((ended.code, ended.stdout.as_str()), (3, "the input\n"));
}

#[tokio::test]
async fn a_host_that_cannot_store_the_answer_is_asked_again() {
    let lab = Lab::new();
    let in_the_way = job(&lab, "generation.new");
    std::fs::create_dir_all(&in_the_way).unwrap();
    let host = lab.host();
    let recovering = recover(&host, &lab.context, AtLimit::Stop);
    let free = async {
        until("it is asked again", || lab.sink.notes().contains("asking again")).await;
        std::fs::remove_dir(&in_the_way).unwrap();
    };
    let (recovered, ()) = tokio::join!(recovering, free);
    assert_eq!(recovered, Ok(JobRecovered::NotStarted));
}

/// Somebody who holds the job's lock until its input is closed.
fn hold_lock(lab: &Lab) -> Child {
    std::fs::create_dir_all(job(lab, "")).unwrap();
    Command::new("flock")
        .args([&job(lab, "lock"), "sh", "-c", "echo held >\"$1\"; cat", "sh"])
        .arg(lab.path("held"))
        .stdin(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_job_that_somebody_is_at_work_on_is_tried_again() {
    let lab = Lab::new();
    let mut holder = hold_lock(&lab);
    until_line(&lab, "held").await;
    let spec = traced(&lab);
    let release = async {
        until("it is tried again", || lab.sink.notes().contains("asking again")).await;
        drop(holder.stdin.take());
        holder.wait().unwrap();
    };
    let (ended, ()) = tokio::join!(go(&lab, &spec, AtLimit::Stop), release);
    assert_eq!(ended.unwrap().code, 3);
    assert_eq!(lab.read("trace"), "once\n");
}

#[tokio::test]
async fn a_start_that_hangs_inside_its_input_keeps_nobody_from_asking() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    assert_eq!(jobs.settle().await.unwrap().0, State::None { generation: 1 });
    let whole = traced(&lab).encode().unwrap();
    let arguments = ["start", &attempt(1).to_string(), "1", "1", "d", "u", "16"].map(str::to_owned);
    let mut hangs = Command::new("sh")
        .args([&installed(&lab), &lab.path("jobs")])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = hangs.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, &whole[..whole.len() - 3]).unwrap();
    let arrives = || {
        let folder = std::fs::read_dir(job(&lab, "")).unwrap();
        let mut names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.any(|name| name.starts_with("in.") || name == "stdin.new")
    };
    until("the input arrives", arrives).await;
    let settled = tokio::time::timeout(Duration::from_secs(20), jobs.settle()).await;
    let (state, _) = settled.expect("the job is not locked").unwrap();
    assert_eq!(state, State::None { generation: 2 });
    assert!(!arrives(), "half of an input may hold secrets, too");
    // And what was on its way comes too late.
    std::io::Write::write_all(&mut input, &whole[whole.len() - 3..]).unwrap();
    drop(input);
    hangs.wait().unwrap();
    assert_eq!(jobs.settle().await.unwrap().0, State::None { generation: 3 });
    assert_eq!(lab.read("trace"), "");
}
