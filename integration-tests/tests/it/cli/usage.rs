//! Wrong command lines, help, and completions: nothing runs, so nothing needs a server.

use clawd_integration_tests::{ClawdOptions, ClawdProcess, Ran};

async fn ran(args: &[&str]) -> Ran {
    let clawd = ClawdProcess::prepare(ClawdOptions::default()).unwrap();
    clawd.cli(args).await.unwrap()
}

#[tokio::test]
async fn a_wrong_command_line_is_not_taken_for_pending_changes() {
    let wrong: [(&[&str], &str); 6] = [
        (&["plan"], "<RUNBOOK>"),
        (&["plan", "health", "--onn", "role=web"], "`--on`"),
        (
            &["run", "ls", "-o", "xml"],
            "possible values: table, json, ndjson, yaml",
        ),
        (&["run", "show", "no-run"], "`no-run`"),
        (&["server"], "a command is missing"),
        (&[], "a command is missing"),
    ];
    for (args, says) in wrong {
        let ran = ran(args).await.expect_code(1).unwrap();
        assert!(ran.stderr.starts_with("error: "), "{ran}");
        assert!(
            ran.stderr.contains("\nhint: ") && ran.stderr.contains(says),
            "{ran}"
        );
        assert_eq!(ran.stdout, "", "{ran}");
    }
}

#[tokio::test]
async fn help_and_version_are_data() {
    for args in [
        &["--help"][..],
        &["plan", "--help"],
        &["help", "plan"],
        &["--version"],
    ] {
        let ran = ran(args).await.ok().unwrap();
        assert!(!ran.stdout.is_empty() && ran.stderr.is_empty(), "{ran}");
    }
    assert!(ran(&["--help"]).await.stdout.contains("2 changes pending"));
}

#[tokio::test]
async fn completions_are_scripts_that_know_the_commands() {
    for shell in ["bash", "zsh", "fish"] {
        let ran = ran(&["completions", shell]).await.ok().unwrap();
        assert!(
            ran.stdout.contains("approve") && ran.stdout.contains("clawd"),
            "{shell}: {ran}"
        );
    }
}
