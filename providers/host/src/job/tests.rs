//! The protocol, against the real script and a real shell.

use std::os::unix::fs::PermissionsExt as _;

use clawd_model::{DurationMs, ErrorKind};
use clawd_provider::ProviderError;
use futures::future::join_all;

use super::answer::{Start, State};
use super::client::Jobs;
use super::collect::{Collected, STREAM_MAX};
use super::*;
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

/// Calls the installed script as it is called on a host.
async fn call(lab: &Lab, arguments: &[&str], stdin: &[u8]) -> String {
    let entries = std::fs::read_dir(lab.path("jobs")).unwrap();
    let mut files = entries.map(|entry| entry.unwrap().path());
    let script = files.find(|path| path.is_file()).unwrap();
    let (verb, rest) = arguments.split_first().unwrap();
    let (jobs, key) = (lab.path("jobs"), attempt(1).to_string());
    let argv = ["sh", script.to_str().unwrap(), &jobs, verb, &key]
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
    assert_eq!(mode(&job(&lab, "stdin")), 0o600);
    assert_eq!(jobs.settle().await, Ok((State::Running, "a note".to_owned())));
    std::fs::write(lab.path("go"), "").unwrap();
    assert_eq!(end(&jobs, &lab).await, State::Done { code: 0 });
    until("the input is gone", || {
        !exists(&job(&lab, "stdin")) && !exists(&job(&lab, "argv"))
    })
    .await;
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

#[tokio::test]
async fn output_over_the_limit_is_dropped_and_harms_nobody() {
    let lab = Lab::new();
    let spec = sh(
        "yes | head -c 9437184; echo done >\"$1\"; exit 0",
        &[&lab.path("trace")],
    );
    let ended = run(&lab.host(), &lab.context, &spec, AtLimit::Stop)
        .await
        .unwrap();
    assert_eq!(ended.code, 0);
    assert_eq!(ended.stdout.len(), 64 * 1024);
    assert_eq!(lab.sink.stdout().len() as u64, STREAM_MAX);
    assert_eq!(lab.read("trace"), "done\n");
}

#[tokio::test]
async fn exit_codes_signals_and_programs_that_are_not_there() {
    for (spec, code) in [
        (sh("exit 0", &[]), 0),
        (sh("exit 42", &[]), 42),
        (sh("kill -9 $$", &[]), 137),
        (
            JobSpec {
                argv: vec!["/no/such/program".to_owned()],
                ..JobSpec::default()
            },
            127,
        ),
    ] {
        let lab = Lab::new();
        let ended = run(&lab.host(), &lab.context, &spec, AtLimit::Stop)
            .await
            .unwrap();
        assert_eq!(ended.code, code);
    }
}

#[tokio::test]
async fn what_a_command_leaves_behind_does_not_hold_it_up() {
    let lab = Lab::new();
    let spec = sh("sleep 600 & echo $! >\"$1\"; echo done", &[&lab.path("pid")]);
    let ended = run(&lab.host(), &lab.context, &spec, AtLimit::Stop)
        .await
        .unwrap();
    assert_eq!((ended.code, ended.stdout.as_str()), (0, "done\n"));
    kill(lab.read("pid").trim());
}

#[tokio::test]
async fn lost_connections_cost_neither_output_nor_a_second_effect() {
    // Calls: 0 start (not installed), 1 install, 2 start, 3 follow, ...
    for cuts in [
        vec![(2, None)],
        vec![(2, Some(0)), (3, Some(2))],
        vec![(3, Some(300))],
        vec![(3, Some(0)), (4, Some(7)), (5, Some(1000)), (6, Some(1))],
    ] {
        let lab = Lab::new();
        *lab.transport.cuts.lock().unwrap() = cuts.clone();
        let spec = sh(
            "echo once >>\"$1\"; seq 1 500; sleep 0.5; seq 501 1000; exit 9",
            &[&lab.path("trace")],
        );
        let ended = run(&lab.host(), &lab.context, &spec, AtLimit::LetGo)
            .await
            .unwrap();
        assert_eq!(ended.code, 9, "{cuts:?}");
        let expected: String = (1..=1000).map(|n| format!("{n}\n")).collect();
        assert_eq!(lab.sink.stdout(), expected, "{cuts:?}");
        assert_eq!(lab.read("trace"), "once\n", "{cuts:?}");
    }
}

#[tokio::test]
async fn a_command_whose_time_is_up_is_ended_if_that_does_no_harm() {
    let mut lab = Lab::new();
    lab.context.timeout = DurationMs(1500);
    let spec = sh("echo $$ >\"$1\"; exec sleep 600", &[&lab.path("pid")]);
    let error = run(&lab.host(), &lab.context, &spec, AtLimit::Stop)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ProviderError::Failed(error) if error.kind == ErrorKind::Timeout),
        "{error:?}"
    );
    assert!(!exists(&format!("/proc/{}/cmdline", lab.read("pid").trim())));
}

#[tokio::test]
async fn a_command_that_must_not_be_ended_is_found_again() {
    let mut lab = Lab::new();
    lab.context.timeout = DurationMs(1500);
    let spec = sh(
        "until [ -e \"$1\" ]; do sleep 0.05; done; echo found; exit 5",
        &[&lab.path("go")],
    );
    let error = run(&lab.host(), &lab.context, &spec, AtLimit::LetGo)
        .await
        .unwrap_err();
    assert!(
        matches!(&error, ProviderError::OutcomeUnknown(error) if error.kind == ErrorKind::Timeout),
        "{error:?}"
    );
    lab.context.timeout = DurationMs::from_secs(60);
    lab.context.epoch = 2;
    let host = lab.host();
    let recovering = recover(&host, &lab.context);
    let let_go = async { std::fs::write(lab.path("go"), "").unwrap() };
    let (recovered, ()) = tokio::join!(recovering, let_go);
    let JobRecovered::Ended(ended) = recovered.unwrap() else {
        panic!("it ended");
    };
    assert_eq!(
        (ended.code, ended.note.as_str(), ended.stdout.as_str()),
        (5, "a note", "found\n")
    );
    assert!(lab.sink.notes().contains("found the job"));
    assert!(exists(&job(&lab, "collected")));
}

#[tokio::test]
async fn cancelling_ends_the_command() {
    let lab = Lab::new();
    let spec = sh("echo $$ >\"$1\"; exec sleep 600", &[&lab.path("pid")]);
    let host = lab.host();
    let cancel = async {
        until("it runs", || lab.read("pid").ends_with('\n')).await;
        lab.context.cancel.cancel();
    };
    let (result, ()) = tokio::join!(run(&host, &lab.context, &spec, AtLimit::Stop), cancel);
    assert!(matches!(result, Err(ProviderError::Failed(error)) if error.kind == ErrorKind::Cancelled));
}

#[tokio::test]
async fn recovering_what_never_started() {
    let lab = Lab::new();
    let host = lab.host();
    assert_eq!(recover(&host, &lab.context).await, Ok(JobRecovered::NotStarted));
    let ended = run(&host, &lab.context, &traced(&lab), AtLimit::Stop)
        .await
        .unwrap();
    assert_eq!((ended.code, ended.last_line.as_deref()), (3, Some("bad")));
    assert_eq!(
        lab.read("trace"),
        "once\n",
        "it starts under the same key all the same"
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_to_begins_nothing() {
    let lab = Lab::new();
    std::fs::write(lab.path("jobs"), "in the way").unwrap();
    let error = run(&lab.host(), &lab.context, &traced(&lab), AtLimit::Stop)
        .await
        .unwrap_err();
    let ProviderError::Failed(error) = error else {
        panic!("nothing began");
    };
    assert!(
        error
            .message
            .contains("web-1 (root@192.0.2.1:22): cannot write to"),
        "{error:?}"
    );
}
