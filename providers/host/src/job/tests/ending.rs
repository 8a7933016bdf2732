//! Commands that are told to end, and those that somebody else wants to end.

use clawd_model::{DurationMs, ErrorKind};

use super::super::answer::Stop;
use super::*;

const LIMIT: DurationMs = DurationMs(2500);

/// Runs until it is ended, and says so in the file `pid`.
fn endless(lab: &Lab) -> JobSpec {
    sh("echo $$ >\"$1\"; exec sleep 600", &[&lab.path("pid")])
}

/// Whether a process is there that still does anything.
fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").map(|(_, rest)| rest.chars().next());
    state.flatten().is_some_and(|state| !"ZX".contains(state))
}

fn kind(result: Result<Ended, ProviderError>) -> (bool, ErrorKind) {
    match result {
        Err(ProviderError::Failed(error)) => (true, error.kind),
        Err(ProviderError::OutcomeUnknown(error)) => (false, error.kind),
        Ok(ended) => panic!("{ended:?}"),
    }
}

#[tokio::test]
async fn a_command_whose_time_is_up_is_ended_if_that_does_no_harm() {
    let mut lab = Lab::new();
    lab.context.timeout = LIMIT;
    let spec = endless(&lab);
    assert_eq!(
        kind(go(&lab, &spec, AtLimit::Stop).await),
        (true, ErrorKind::Timeout)
    );
    assert!(!lives(&until_line(&lab, "pid").await));
}

#[tokio::test]
async fn cancelling_ends_the_command() {
    let lab = Lab::new();
    let spec = endless(&lab);
    let cancel = async {
        until_line(&lab, "pid").await;
        lab.context.cancel.cancel();
    };
    let (result, ()) = tokio::join!(go(&lab, &spec, AtLimit::Stop), cancel);
    assert_eq!(kind(result), (true, ErrorKind::Cancelled));
    assert!(!lives(&until_line(&lab, "pid").await));
}

#[tokio::test]
async fn what_does_not_listen_is_ended_with_the_rest() {
    let lab = Lab::new();
    // Its first process ends when it is told to, its second one does not.
    let script = "sh -c 'trap \"\" TERM; echo $$ >\"$1\"; sleep 600; sleep 600' sh \"$1\" & wait";
    let spec = sh(script, &[&lab.path("pid")]);
    let cancel = async {
        until_line(&lab, "pid").await;
        lab.context.cancel.cancel();
    };
    let (result, ()) = tokio::join!(go(&lab, &spec, AtLimit::Stop), cancel);
    assert_eq!(kind(result), (true, ErrorKind::Cancelled));
    assert!(!lives(&until_line(&lab, "pid").await));
}

#[tokio::test]
async fn a_result_that_was_there_before_the_limit_counts() {
    for code in [0, 3] {
        let mut lab = Lab::new();
        lab.context.timeout = LIMIT;
        // Nobody can ask about it until its time is up.
        *lab.transport.lost_until.lock().unwrap() = Some(("follow", "stop"));
        let spec = sh(&format!("echo done; exit {code}"), &[]);
        let ended = go(&lab, &spec, AtLimit::Stop).await.unwrap();
        assert_eq!((ended.code, ended.stdout.as_str()), (code, "done\n"));
    }
}

#[tokio::test]
async fn a_command_that_ends_well_when_it_is_told_to_has_ended_well() {
    let lab = Lab::new();
    let script = "trap 'echo tidy; exit 0' TERM; echo $$ >\"$1\"; while :; do sleep 0.05; done";
    let spec = sh(script, &[&lab.path("pid")]);
    let cancel = async {
        until_line(&lab, "pid").await;
        lab.context.cancel.cancel();
    };
    let (ended, ()) = tokio::join!(go(&lab, &spec, AtLimit::Stop), cancel);
    assert_eq!(ended.unwrap().stdout, "tidy\n");
}

#[tokio::test]
async fn what_had_ended_by_itself_is_not_touched() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    jobs.settle().await.unwrap();
    assert_eq!(jobs.stop().await, Ok(Stop::Ended), "nothing began");
    let spec = sh("sleep 600 >/dev/null 2>&1 & echo $! >\"$1\"", &[&lab.path("pid")]);
    assert_eq!(go(&lab, &spec, AtLimit::Stop).await.unwrap().code, 0);
    assert_eq!(jobs.stop().await, Ok(Stop::Ended));
    let left_behind = until_line(&lab, "pid").await;
    assert!(lives(&left_behind));
    kill(&left_behind);
}

#[tokio::test]
async fn a_second_call_ends_what_a_first_one_left() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    let script = "sh -c 'trap \"\" TERM; echo $$ >\"$1\"; sleep 600; sleep 600' sh \"$1\" & wait";
    assert_eq!(
        jobs.start(&sh(script, &[&lab.path("pid")]), 0).await,
        Ok(Start::Started)
    );
    let pid = until_line(&lab, "pid").await;
    // The first call got as far as this.
    std::fs::write(job(&lab, "stopping"), "").unwrap();
    until("the command runs", || exists(&job(&lab, "child"))).await;
    let first = first_word(&job(&lab, "child"), 0);
    assert!(
        std::process::Command::new("kill")
            .arg(&first)
            .status()
            .unwrap()
            .success()
    );
    until("its first process is gone", || !lives(&first)).await;
    assert_eq!(jobs.stop().await, Ok(Stop::Stopped));
    assert!(!lives(&pid));
    assert_eq!(end(&jobs, &lab).await, State::Done { code: 143 });
}

#[tokio::test]
async fn a_runner_that_is_told_to_end_keeps_the_result() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    let script = "until [ -e \"$1\" ]; do sleep 0.05; done; exit 5";
    assert_eq!(
        jobs.start(&sh(script, &[&lab.path("go")]), 0).await,
        Ok(Start::Started)
    );
    until("the command runs", || exists(&job(&lab, "child"))).await;
    let runner = first_word(&job(&lab, "started"), 1);
    for signal in ["-TERM", "-HUP", "-INT"] {
        let sent = std::process::Command::new("kill")
            .args([signal, &runner])
            .status();
        assert!(sent.unwrap().success());
    }
    std::fs::write(lab.path("go"), "").unwrap();
    assert_eq!(end(&jobs, &lab).await, State::Done { code: 5 });
}

#[tokio::test]
async fn the_command_itself_listens_to_signals() {
    for (signal, code) in [("HUP", 129), ("TERM", 143), ("XFSZ", 153)] {
        let lab = Lab::new();
        let spec = sh(&format!("kill -{signal} $$; exit 0"), &[]);
        assert_eq!(
            go(&lab, &spec, AtLimit::Stop).await.unwrap().code,
            code,
            "{signal}"
        );
    }
}

/// A command that a controller started which is gone now.
async fn orphan(lab: &Lab) -> String {
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    assert_eq!(jobs.start(&endless(lab), 0).await, Ok(Start::Started));
    until_line(lab, "pid").await
}

#[tokio::test]
async fn what_is_found_again_has_limits_too() {
    let mut lab = Lab::new();
    lab.context.timeout = LIMIT;
    let pid = orphan(&lab).await;
    let recovered = recover(&lab.host(), &lab.context, AtLimit::LetGo).await;
    assert!(
        matches!(&recovered, Err(ProviderError::OutcomeUnknown(error)) if error.kind == ErrorKind::Timeout),
        "{recovered:?}"
    );
    assert!(lives(&pid));
    let recovered = recover(&lab.host(), &lab.context, AtLimit::Stop).await;
    assert!(
        matches!(&recovered, Ok(JobRecovered::Stopped(error)) if error.kind == ErrorKind::Timeout),
        "{recovered:?}"
    );
    assert!(!lives(&pid));
}

#[tokio::test]
async fn what_is_found_again_for_a_cancelled_run_is_ended() {
    let lab = Lab::new();
    let pid = orphan(&lab).await;
    lab.context.cancel.cancel();
    let recovered = recover(&lab.host(), &lab.context, AtLimit::Stop).await;
    assert!(
        matches!(&recovered, Ok(JobRecovered::Stopped(error)) if error.kind == ErrorKind::Cancelled),
        "{recovered:?}"
    );
    assert!(!lives(&pid));
}

#[tokio::test]
async fn a_result_is_collected_for_a_cancelled_run_too() {
    let lab = Lab::new();
    go(&lab, &traced(&lab), AtLimit::Stop).await.unwrap();
    lab.context.cancel.cancel();
    let recovered = recover(&lab.host(), &lab.context, AtLimit::Stop).await;
    assert!(
        matches!(&recovered, Ok(JobRecovered::Ended(ended)) if ended.code == 3),
        "{recovered:?}"
    );
}
