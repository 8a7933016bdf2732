//! Against real commands on this machine.

use super::*;
use crate::testing::Lab;

fn traced(lab: &Lab, more: Value) -> Value {
    let mut input =
        json!({"argv": ["sh", "-c", "cat; echo once >>\"$1\"; echo bad >&2", "sh", lab.path("trace")]});
    for (key, value) in more.as_object().unwrap() {
        input[key] = value.clone();
    }
    input
}

async fn check(lab: &Lab, input: &Value) -> Change {
    match Shell::new(lab.hosts()).check(&lab.context, input).await {
        Ok(Checked::Would(change)) => change,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_command_runs_and_its_output_comes_back() {
    let lab = Lab::new();
    let shell = Shell::new(lab.hosts());
    let input = traced(&lab, json!({"stdin": "to be read\n"}));
    let planned = check(&lab, &input).await;
    assert!(planned.needed);
    assert!(
        planned.diff.starts_with("+ sh -c 'cat; echo once"),
        "{}",
        planned.diff
    );
    assert!(planned.diff.ends_with("+ | to be read\n"), "{}", planned.diff);
    let applied = shell.apply(&lab.context, &input).await.unwrap();
    assert!(applied.changed);
    assert_eq!(
        applied.output,
        json!({"exit_code": 0, "stdout": "to be read\n", "stderr": "bad\n"})
    );
    shell.verify(&lab.context, &input, &applied).await.unwrap();
    assert_eq!(lab.read("trace"), "once\n");
}

#[tokio::test]
async fn creates_and_unless_say_that_there_is_nothing_to_do() {
    for more in [
        |lab: &Lab| json!({"creates": lab.path("trace")}),
        |lab: &Lab| json!({"unless": ["test", "-e", lab.path("trace")]}),
    ] {
        let lab = Lab::new();
        let shell = Shell::new(lab.hosts());
        let input = traced(&lab, more(&lab));
        let planned = check(&lab, &input).await;
        assert!(planned.needed);
        let applied = shell.apply(&lab.context, &input).await.unwrap();
        assert!(applied.changed);
        shell.verify(&lab.context, &input, &applied).await.unwrap();
        let again = check(&lab, &input).await;
        if input.get("creates").is_some() {
            assert!(!again.needed && again.diff.is_empty(), "{again:?}");
            assert_ne!(again.fingerprint(), planned.fingerprint());
        } else {
            assert_eq!(again, planned, "`unless` is not asked");
        }
        let mut context = lab.context.clone();
        context.attempt = Some(crate::testing::attempt(2));
        assert!(!shell.apply(&context, &input).await.unwrap().changed);
        assert!(
            lab.sink.notes().starts_with("nothing to run: `"),
            "{}",
            lab.sink.notes()
        );
        assert_eq!(lab.read("trace"), "once\n");
    }
}

#[tokio::test]
async fn a_check_runs_no_command_of_the_runbook() {
    let lab = Lab::new();
    let trap = lab.path("trap");
    let input = json!({"argv": ["touch", trap], "stdin": "touch", "unless": ["touch", trap]});
    let planned = check(&lab, &input).await;
    assert!(!crate::testing::exists(&trap), "a plan ran `unless`");
    assert!(planned.needed);
    let unpredictable = "; cannot be predicted: `unless` is asked when the step runs";
    assert!(planned.summary.ends_with(unpredictable), "{}", planned.summary);
    assert!(
        planned.diff.ends_with(&format!("? unless touch {trap}\n")),
        "{}",
        planned.diff
    );
    let other = json!({"argv": ["touch", trap], "stdin": "touch", "unless": ["false"]});
    assert_ne!(check(&lab, &other).await.fingerprint(), planned.fingerprint());
}

fn with_secrets(lab: &mut Lab, secrets: &[&str]) {
    let values = secrets.iter().map(|secret| (*secret).to_owned()).collect();
    lab.context.redactor = clawd_provider::Redactor::new(values);
}

/// What anybody could read of a secret: a piece of it that is long enough to be recognised.
fn pieces(secret: &str) -> Vec<String> {
    let all: Vec<char> = secret.chars().collect();
    all.windows(6).map(|piece| piece.iter().collect()).collect()
}

#[track_caller]
fn assert_tells_nothing(shown: &str, secret: &str) {
    for piece in pieces(secret) {
        assert!(!shown.contains(&piece), "`{piece}` of a secret in:\n{shown}");
    }
}

#[tokio::test]
async fn secrets_are_struck_out_before_text_is_cut_or_quoted() {
    let long: String = (0..60).map(|n| format!("{n:02}Tq")).collect();
    let quoted = "it's \"half\" a\\hidden one";
    let lines = "first-line-of-key\n\u{1b}second line";
    for secret in [long.as_str(), quoted, lines] {
        for padding in (0..100).step_by(7) {
            let mut lab = Lab::new();
            with_secrets(&mut lab, &[secret]);
            let word = format!("{}{secret}", "-".repeat(padding));
            let input = json!({"argv": ["echo", word, secret], "stdin": format!("{word}\n"), "unless": ["false", word]});
            let planned = check(&lab, &input).await;
            assert_tells_nothing(&format!("{}{}", planned.summary, planned.diff), secret);
            assert!(planned.diff.contains("[secret]"), "{}", planned.diff);
        }
        let mut lab = Lab::new();
        with_secrets(&mut lab, &[secret]);
        let fails = format!("printf '%s ' {0} \"$1\" >&2; exit 3", "x".repeat(250));
        let input = json!({"argv": ["sh", "-c", fails, "sh", secret]});
        let applied = Shell::new(lab.hosts()).apply(&lab.context, &input).await;
        let Err(ProviderError::Failed(error)) = applied else {
            panic!("{applied:?}");
        };
        assert_tells_nothing(&error.message, secret);
    }
}

#[tokio::test]
async fn a_secret_at_the_border_of_what_is_kept_is_not_kept_in_part() {
    let secret = "correct-horse-battery-staple";
    for before in [0, 1, 9, 27, 28] {
        let mut lab = Lab::new();
        with_secrets(&mut lab, &[secret]);
        let script =
            "head -c \"$2\" /dev/zero | tr '\\0' x; printf %s \"$1\"; head -c 5000 /dev/zero | tr '\\0' y";
        let padding = (64 * 1024 - before).to_string();
        let input = json!({"argv": ["sh", "-c", script, "sh", secret, padding]});
        let applied = Shell::new(lab.hosts()).apply(&lab.context, &input).await.unwrap();
        let stdout = applied.output["stdout"].as_str().unwrap();
        let (kept, rest) = stdout.split_at(64 * 1024 - before);
        assert!(kept.bytes().all(|byte| byte == b'x'));
        assert!(matches!(rest, "" | "[secret]"), "{before}: {rest}");
    }
}

#[tokio::test]
async fn a_command_that_does_not_do_what_it_says_is_not_verified() {
    let lab = Lab::new();
    let shell = Shell::new(lab.hosts());
    let input = json!({"argv": ["true"], "creates": lab.path("never")});
    let applied = shell.apply(&lab.context, &input).await.unwrap();
    let verified = shell.verify(&lab.context, &input, &applied).await;
    assert!(matches!(verified, Err(ProviderError::Failed(error)) if error.kind == ErrorKind::NotVerified));
}

#[tokio::test]
async fn a_command_that_fails_says_why() {
    for (argv, part) in [
        (
            json!(["sh", "-c", "echo first >&2; echo 'no such thing' >&2; exit 3"]),
            "`sh` ended with exit code 3: no such thing",
        ),
        (json!(["sh", "-c", "kill -9 $$"]), "`sh` was ended by signal 9"),
        (json!(["/no/such/program"]), "`/no/such/program` was not found"),
    ] {
        let lab = Lab::new();
        let applied = Shell::new(lab.hosts())
            .apply(&lab.context, &json!({ "argv": argv }))
            .await;
        let Err(ProviderError::Failed(error)) = applied else {
            panic!("{applied:?}");
        };
        assert_eq!(error.kind, ErrorKind::Failed);
        assert!(
            error.message.starts_with("web-1 (") && error.message.contains(part),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn much_output_is_cut() {
    let lab = Lab::new();
    let input = json!({"argv": ["sh", "-c", "yes | head -c 200000; yes n | head -c 200000 >&2"]});
    let applied = Shell::new(lab.hosts()).apply(&lab.context, &input).await.unwrap();
    for stream in ["stdout", "stderr"] {
        assert_eq!(
            applied.output[stream].as_str().map(str::len),
            Some(64 * 1024),
            "{stream}"
        );
    }
    assert_eq!(lab.sink.stdout().len(), 200_000, "all of it was streamed");
}

#[tokio::test]
async fn a_crashed_controller_collects_the_failure() {
    let lab = Lab::new();
    let shell = Shell::new(lab.hosts());
    let input = json!({"argv": ["sh", "-c", "echo why >&2; exit 4"]});
    assert_eq!(
        shell.recover(&lab.context, &input).await,
        Ok(Recovered::NotStarted)
    );
    let _ = shell.apply(&lab.context, &input).await;
    let recovered = shell.recover(&lab.context, &input).await.unwrap();
    assert!(
        matches!(&recovered, Recovered::Done(Err(error)) if error.message.ends_with("exit code 4: why")),
        "{recovered:?}"
    );
}

#[tokio::test]
async fn the_look_before_is_part_of_the_time() {
    let mut lab = Lab::new();
    lab.context.timeout = clawd_model::DurationMs::from_secs(5);
    let began = std::time::Instant::now();
    let input = json!({"argv": ["sleep", "600"], "unless": ["sh", "-c", "sleep 4; exit 1"]});
    let applied = Shell::new(lab.hosts()).apply(&lab.context, &input).await;
    assert!(
        matches!(&applied, Err(ProviderError::Failed(error)) if error.kind == ErrorKind::Timeout),
        "{applied:?}"
    );
    // Not another five seconds after the four.
    assert!(
        began.elapsed() < std::time::Duration::from_secs(9),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn inputs_that_cannot_be_run() {
    let lab = Lab::new();
    for input in [
        json!({"argv": []}),
        json!({"argv": [""]}),
        json!({"argv": ["a\u{0}b"]}),
        json!({"argv": ["true"], "creates": "relative"}),
        json!({"argv": ["true"], "unless": []}),
        json!({"argv": ["echo", "x".repeat(ARGV_MAX)]}),
        json!({"argv": "true"}),
        json!({"argv": ["true"], "cwd": "/"}),
    ] {
        let checked = Shell::new(lab.hosts()).check(&lab.context, &input).await;
        assert!(
            matches!(&checked, Err(ProviderError::Failed(error)) if error.kind == ErrorKind::InvalidInput),
            "{checked:?}"
        );
    }
    let input = json!({"argv": ["true"], "unless": ["/no/such/program"]});
    let applied = Shell::new(lab.hosts()).apply(&lab.context, &input).await;
    assert!(
        matches!(&applied, Err(ProviderError::Failed(error)) if error.message.contains("cannot be run")),
        "{applied:?}"
    );
}
