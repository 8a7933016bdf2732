//! Jobs over connections that are lost.

use std::sync::Arc;

use clawd_provider::{Operation as _, Recovered};
use clawd_provider_host::Shell;
use serde_json::json;

use super::sshd::{Sink, Sshd, until};

#[tokio::test]
async fn a_job_is_found_again_when_its_connection_is_lost() {
    let sshd = Sshd::start();
    let sink = Arc::new(Sink::default());
    let context = sshd.context(sink.clone());
    let shell = Shell::new(sshd.hosts());
    let (trace, go) = (sshd.path("trace"), sshd.path("go"));
    let script = "echo once >>\"$1\"; seq 1 3000; until [ -e \"$2\" ]; do sleep 0.05; done; seq 3001 6000";
    let input = json!({"argv": ["sh", "-c", script, "sh", trace, go]});
    let cut = async {
        until("half of the output is here", || sink.stdout().ends_with("3000\n")).await;
        assert!(sshd.cut() > 0);
        until("the loss is noticed", || sink.rest().contains("trying again")).await;
        std::fs::write(&go, "").unwrap();
    };
    let (applied, ()) = tokio::join!(shell.apply(&context, &input), cut);
    let applied = applied.unwrap();
    assert!(applied.changed);
    let expected: String = (1..=6000).map(|n| format!("{n}\n")).collect();
    assert_eq!(sink.stdout(), expected);
    assert_eq!(applied.output["stdout"], expected);
    assert_eq!(std::fs::read_to_string(&trace).unwrap(), "once\n");
}

#[tokio::test]
async fn a_controller_that_crashed_finds_its_job_again() {
    let sshd = Sshd::start();
    let (trace, go) = (sshd.path("trace"), sshd.path("go"));
    let script = "echo once >>\"$1\"; until [ -e \"$2\" ]; do sleep 0.05; done; echo done";
    let input = json!({"argv": ["sh", "-c", script, "sh", trace, go]});
    let before = sshd.context(Arc::new(Sink::default()));
    {
        let shell = Shell::new(sshd.hosts());
        let started = until("it runs", || std::fs::read_to_string(&trace).is_ok());
        // The first controller ends here: its future is dropped in the middle.
        tokio::select! {
            applied = shell.apply(&before, &input) => panic!("{applied:?}"),
            () = started => {}
        }
    }
    std::fs::write(&go, "").unwrap();
    let mut after = sshd.context(Arc::new(Sink::default()));
    after.epoch = 2;
    let recovered = Shell::new(sshd.hosts()).recover(&after, &input).await.unwrap();
    let Recovered::Done(Ok(applied)) = recovered else {
        panic!("{recovered:?}");
    };
    assert_eq!(applied.output["stdout"], "done\n");
    assert_eq!(std::fs::read_to_string(&trace).unwrap(), "once\n");
}
