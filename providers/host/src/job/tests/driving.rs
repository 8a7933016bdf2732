//! From the start of a job to its result, whatever happens to the connection.

use clawd_model::{DurationMs, ErrorKind};
use clawd_provider::ProviderError;

use super::super::client::Jobs;
use super::super::collect::STREAM_MAX;
use super::super::*;
use super::{first_word, go, job, kill, sh, traced};
use crate::host::deadline;
use crate::testing::{Lab, attempt, exists, until};

#[tokio::test]
async fn output_over_the_limit_is_dropped_and_harms_nobody() {
    let lab = Lab::new();
    let spec = sh(
        "yes | head -c 9437184; echo done >\"$1\"; exit 0",
        &[&lab.path("trace")],
    );
    let ended = go(&lab, &spec, AtLimit::Stop).await.unwrap();
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
        let ended = go(&lab, &spec, AtLimit::Stop).await.unwrap();
        assert_eq!(ended.code, code);
    }
}

#[tokio::test]
async fn what_a_command_leaves_behind_does_not_hold_it_up() {
    let lab = Lab::new();
    let spec = sh("sleep 600 & echo $! >\"$1\"; echo done", &[&lab.path("pid")]);
    let ended = go(&lab, &spec, AtLimit::Stop).await.unwrap();
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
        let ended = go(&lab, &spec, AtLimit::LetGo).await.unwrap();
        assert_eq!(ended.code, 9, "{cuts:?}");
        let expected: String = (1..=1000).map(|n| format!("{n}\n")).collect();
        assert_eq!(lab.sink.stdout(), expected, "{cuts:?}");
        assert_eq!(lab.read("trace"), "once\n", "{cuts:?}");
    }
}

#[tokio::test]
async fn a_command_that_must_not_be_ended_is_found_again() {
    let mut lab = Lab::new();
    lab.context.timeout = DurationMs(1500);
    let spec = sh(
        "until [ -e \"$1\" ]; do sleep 0.05; done; echo found; exit 5",
        &[&lab.path("go")],
    );
    let error = go(&lab, &spec, AtLimit::LetGo).await.unwrap_err();
    assert!(
        matches!(&error, ProviderError::OutcomeUnknown(error) if error.kind == ErrorKind::Timeout),
        "{error:?}"
    );
    lab.context.timeout = DurationMs::from_secs(60);
    lab.context.epoch = 2;
    let host = lab.host();
    let recovering = recover(&host, &lab.context, AtLimit::LetGo);
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
async fn recovering_what_never_started() {
    let lab = Lab::new();
    let host = lab.host();
    assert_eq!(
        recover(&host, &lab.context, AtLimit::LetGo).await,
        Ok(JobRecovered::NotStarted)
    );
    let ended = go(&lab, &traced(&lab), AtLimit::Stop).await.unwrap();
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
    let error = go(&lab, &traced(&lab), AtLimit::Stop).await.unwrap_err();
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

#[tokio::test]
async fn a_restart_of_the_host_that_swallows_the_answer_is_no_reason_to_start_again() {
    let lab = Lab::new();
    let host = lab.host();
    // Another job, so that the script is there.
    Jobs::new(&host, attempt(2), 1).settle().await.unwrap();
    let (started, exit) = (job(&lab, "started"), job(&lab, "exit"));
    let restart = move || {
        let text = std::fs::read_to_string(&started).unwrap();
        let (_, process) = text.split_once(' ').unwrap();
        std::fs::write(&started, format!("another-boot {process}")).unwrap();
        let _ = std::fs::remove_file(&exit);
    };
    *lab.transport.meanwhile.lock().unwrap() = Some(("start", Box::new(restart)));
    let spec = sh("echo once >>\"$1\"; exec sleep 600", &[&lab.path("trace")]);
    let deadline = deadline(&lab.context);
    assert_eq!(begin(&host, &lab.context, &spec, deadline).await, Ok(()));
    until("it ran", || {
        lab.read("trace") == "once\n" && exists(&job(&lab, "child"))
    })
    .await;
    // It did begin, and what became of it nobody knows.
    assert_eq!(
        begun(&host, &lab.context, deadline).await,
        Ok(Begun::Started {
            note: "a note".to_owned(),
            code: None
        })
    );
    kill(&first_word(&job(&lab, "child"), 0));
}
