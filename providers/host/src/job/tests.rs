//! The protocol, against the real script and a real shell.

mod driving;
mod ending;
mod keeping;
mod storing;

use std::os::unix::fs::PermissionsExt as _;

use clawd_provider::ProviderError;
use futures::future::join_all;

use super::answer::{Start, State};
use super::client::Jobs;
use super::collect::Collected;
use super::*;
use crate::host::deadline;
use crate::testing::{Lab, attempt, exists, until};
use crate::transport::{Captured, Request, Transport as _};

fn sh(script: &str, arguments: &[&str]) -> JobSpec {
    let argv = ["sh", "-c", script, "sh"]
        .into_iter()
        .chain(arguments.iter().copied());
    JobSpec {
        argv: argv.map(str::to_owned).collect(),
        stdin: b"the input\n".to_vec(),
        note: "a note".to_owned(),
    }
}

/// From its start to its end, within the limits of the context.
async fn go(lab: &Lab, spec: &JobSpec, at_limit: AtLimit) -> Result<Ended, ProviderError> {
    let host = lab.host();
    run(&host, &lab.context, spec, at_limit, deadline(&lab.context)).await
}

/// Leaves a trace of every execution.
fn traced(lab: &Lab) -> JobSpec {
    sh(
        "echo once >>\"$1\"; cat; echo bad >&2; exit 3",
        &[&lab.path("trace")],
    )
}

fn job(lab: &Lab, name: &str) -> String {
    lab.path(&format!("jobs/{}/{name}", attempt(1)))
}

fn kill(pid: &str) {
    let killed = std::process::Command::new("kill")
        .args(["-9", pid])
        .status()
        .unwrap();
    assert!(killed.success());
}

fn first_word(path: &str, index: usize) -> String {
    let text = std::fs::read_to_string(path).unwrap();
    text.split_ascii_whitespace().nth(index).unwrap().to_owned()
}

/// A script of the tests has come so far that it wrote this file's line.
async fn until_line(lab: &Lab, name: &str) -> String {
    until(name, || lab.read(name).ends_with('\n')).await;
    lab.read(name).trim().to_owned()
}

async fn end(jobs: &Jobs<'_>, lab: &Lab) -> State {
    let mut collected = Collected::new(lab.sink.clone());
    jobs.follow(&mut collected).await.unwrap()
}

#[tokio::test]
async fn ten_concurrent_starts_give_one_effect() {
    let lab = Lab::new();
    let host = lab.host();
    let spec = traced(&lab);
    let jobs: Vec<Jobs<'_>> = (0..10).map(|_| Jobs::new(&host, attempt(1), 1)).collect();
    let answers = join_all(jobs.iter().map(|jobs| jobs.start(&spec, 0))).await;
    assert!(
        answers.iter().all(|answer| *answer == Ok(Start::Started)),
        "{answers:?}"
    );
    assert_eq!(end(&jobs[0], &lab).await, State::Done { code: 3 });
    assert_eq!(lab.read("trace"), "once\n");
    assert_eq!(
        jobs[0].start(&spec, 0).await,
        Ok(Start::Started),
        "long after its end, too"
    );
    assert_eq!(lab.read("trace"), "once\n");
}

/// Where the script is installed.
fn installed(lab: &Lab) -> String {
    let entries = std::fs::read_dir(lab.path("jobs")).unwrap();
    let mut files = entries.map(|entry| entry.unwrap().path());
    let script = files.find(|path| path.extension().is_some_and(|ending| ending == "sh"));
    script.unwrap().to_str().unwrap().to_owned()
}

/// Calls the installed script as it is called on a host.
async fn call(lab: &Lab, arguments: &[&str], stdin: &[u8]) -> String {
    call_with("sh", lab, arguments, stdin).await
}

async fn call_with(shell: &str, lab: &Lab, arguments: &[&str], stdin: &[u8]) -> String {
    let script = installed(lab);
    let (verb, rest) = arguments.split_first().unwrap();
    let (jobs, key) = (lab.path("jobs"), attempt(1).to_string());
    let argv = [shell, &script, &jobs, verb, &key]
        .into_iter()
        .chain(rest.iter().copied());
    let request = Request {
        argv: argv.map(str::to_owned).collect(),
        stdin: stdin.to_vec(),
        root: true,
    };
    let mut captured = Captured::up_to(1000);
    lab.transport.exec(&request, &mut captured).await.unwrap();
    String::from_utf8(captured.stdout).unwrap()
}

#[tokio::test]
async fn ten_runners_give_one_effect() {
    let lab = Lab::new();
    let host = lab.host();
    let (state, _) = Jobs::new(&host, attempt(1), 1).settle().await.unwrap();
    assert_eq!(state, State::None { generation: 1 });
    // A job that is stored, and was launched ten times.
    let argv = format!("sh\n-c\necho once >>\"$1\"\nsh\n{}\n", lab.path("trace"));
    for (name, text) in [("argv", argv.as_str()), ("stdin", ""), ("epoch", "1\n")] {
        std::fs::write(job(&lab, name), text).unwrap();
    }
    join_all((0..10).map(|_| call(&lab, &["run", "1", "1", "16"], b""))).await;
    assert_eq!(lab.read("trace"), "once\n");
    assert!(exists(&job(&lab, "exit")));
}

#[tokio::test]
async fn a_job_keeps_its_result_and_hides_its_input() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    let mode = |path: &str| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let waiting = sh(
        "cat; until [ -e \"$1\" ]; do sleep 0.05; done",
        &[&lab.path("go")],
    );
    assert_eq!(jobs.start(&waiting, 0).await, Ok(Start::Started));
    assert_eq!(mode(&lab.path("jobs")), 0o700);
    assert_eq!(mode(&job(&lab, "out")), 0o600);
    until("the input is gone while the command runs", || {
        !exists(&job(&lab, "stdin")) && !exists(&job(&lab, "argv"))
    })
    .await;
    assert_eq!(jobs.settle().await, Ok((State::Running, "a note".to_owned())));
    std::fs::write(lab.path("go"), "").unwrap();
    assert_eq!(end(&jobs, &lab).await, State::Done { code: 0 });
    assert_eq!(
        end(&jobs, &lab).await,
        State::Done { code: 0 },
        "it can be collected again"
    );
    assert_eq!(lab.sink.stdout(), "the input\nthe input\n");
}

#[tokio::test]
async fn a_killed_runner_is_indeterminate() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    let spec = sh("echo once >>\"$1\"; exec sleep 600", &[&lab.path("trace")]);
    assert_eq!(jobs.start(&spec, 0).await, Ok(Start::Started));
    until("the command runs", || {
        lab.read("trace") == "once\n" && exists(&job(&lab, "child"))
    })
    .await;
    kill(&first_word(&job(&lab, "started"), 1));
    assert_eq!(
        jobs.settle().await.unwrap().0,
        State::Running,
        "the command itself still runs"
    );
    kill(&first_word(&job(&lab, "child"), 0));
    assert!(matches!(end(&jobs, &lab).await, State::Indeterminate(_)));
    assert_eq!(
        jobs.start(&spec, 0).await,
        Ok(Start::Started),
        "it was started, so it is not started again"
    );
    assert_eq!(lab.read("trace"), "once\n");
}

#[tokio::test]
async fn another_boot_is_indeterminate() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    assert_eq!(jobs.start(&traced(&lab), 0).await, Ok(Start::Started));
    assert_eq!(end(&jobs, &lab).await, State::Done { code: 3 });
    // As a power cut in the middle would have left it.
    std::fs::remove_file(job(&lab, "exit")).unwrap();
    let started = job(&lab, "started");
    let boot = first_word(&started, 0);
    let text = std::fs::read_to_string(&started).unwrap();
    std::fs::write(
        &started,
        text.replace(&boot, "00000000-0000-0000-0000-000000000000"),
    )
    .unwrap();
    let (state, _) = jobs.settle().await.unwrap();
    assert!(matches!(state, State::Indeterminate(why) if why.contains("restarted")));
}

#[tokio::test]
async fn a_lower_epoch_is_fenced() {
    let lab = Lab::new();
    let host = lab.host();
    let at = |epoch| Jobs::new(&host, attempt(1), epoch);
    assert_eq!(at(5).settle().await.unwrap().0, State::None { generation: 1 });
    assert_eq!(at(4).start(&traced(&lab), 1).await, Ok(Start::Fenced));
    assert_eq!(at(4).settle().await.unwrap().0, State::Fenced);
    assert_eq!(lab.read("trace"), "");
    assert_eq!(at(6).start(&traced(&lab), 1).await, Ok(Start::Started));
    assert_eq!(at(5).start(&traced(&lab), 1).await, Ok(Start::Fenced));
}

#[tokio::test]
async fn not_started_is_proof() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    let spec = traced(&lab);
    // A start whose runner has not yet come to anything, when somebody asks.
    assert_eq!(jobs.start(&spec, 7).await, Ok(Start::Superseded(0)));
    assert_eq!(jobs.settle().await.unwrap().0, State::None { generation: 1 });
    assert_eq!(
        jobs.start(&spec, 0).await,
        Ok(Start::Superseded(1)),
        "what was on its way comes too late"
    );
    call(&lab, &["run", "1", "0", "16"], b"").await;
    assert!(!exists(&job(&lab, "started")));
    assert_eq!(lab.read("trace"), "");
    assert_eq!(jobs.start(&spec, 1).await, Ok(Start::Started));
    assert_eq!(end(&jobs, &lab).await, State::Done { code: 3 });
    assert_eq!(lab.read("trace"), "once\n");
}

#[tokio::test]
async fn another_command_under_the_same_key_is_refused() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    assert_eq!(jobs.start(&traced(&lab), 0).await, Ok(Start::Started));
    assert_eq!(jobs.start(&sh("true", &[]), 0).await, Ok(Start::Conflict));
}

#[tokio::test]
async fn a_specification_that_was_cut_short_starts_nothing() {
    let lab = Lab::new();
    let host = lab.host();
    let jobs = Jobs::new(&host, attempt(1), 1);
    assert_eq!(jobs.settle().await.unwrap().0, State::None { generation: 1 });
    let whole = traced(&lab).encode().unwrap();
    for length in [0, 3, 20, whole.len() - 1] {
        let answer = call(&lab, &["start", "1", "1", "d", "u", "16"], &whole[..length]).await;
        assert_eq!(answer, "error the specification is cut short\n", "{length}");
    }
    assert_eq!(lab.read("trace"), "");
}
