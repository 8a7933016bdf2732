//! The parts that need no systemd; the whole is tested on real hosts.

use super::*;

fn wish(state: State, enabled: Option<bool>) -> Input {
    Input {
        name: "nginx".to_owned(),
        state,
        enabled,
    }
}

#[test]
fn what_would_change() {
    let off = Unit {
        state: "inactive".to_owned(),
        file: "disabled".to_owned(),
    };
    let on = Unit {
        state: "active".to_owned(),
        file: "enabled".to_owned(),
    };
    for (state, enabled, now, diff) in [
        (State::Running, None, &off, "~ nginx inactive → active\n"),
        (State::Running, Some(true), &on, ""),
        (
            State::Stopped,
            Some(false),
            &on,
            "~ nginx active → inactive\n~ nginx enabled → disabled\n",
        ),
        (State::Restarted, None, &on, "~ nginx restarted\n"),
    ] {
        let change = change("nginx", &wish(state, enabled), now);
        assert_eq!(change.diff, diff);
        assert_eq!(change.needed, !diff.is_empty());
    }
}

#[test]
fn what_the_next_boot_forgets_is_not_enabled() {
    let unit = |file: &str| Unit {
        state: "active".to_owned(),
        file: file.to_owned(),
    };
    for (file, enabled) in [
        ("enabled", true),
        ("generated", true),
        ("enabled-runtime", false),
        ("disabled", false),
    ] {
        assert_eq!(unit(file).enabled(), enabled, "{file}");
    }
    let diff = change(
        "nginx",
        &wish(State::Running, Some(true)),
        &unit("enabled-runtime"),
    )
    .diff;
    assert_eq!(diff, "~ nginx enabled-runtime → enabled\n");
}

#[test]
fn names_of_units() {
    let name = |text: &str| read(&json!({"name": text, "state": "running"})).map(|(_, name)| name);
    assert_eq!(name("nginx"), Ok("nginx.service".to_owned()));
    assert_eq!(name("a@b.timer"), Ok("a@b.timer".to_owned()));
    for bad in ["", "-H", "a b", "../x", "a;b", "a\nb"] {
        assert_eq!(
            name(bad).map_err(|error| error.kind),
            Err(ErrorKind::InvalidInput),
            "{bad}"
        );
    }
}

/// systemd restarts the service, and then the host is away for as many looks as are given.
async fn restart_with_losses(losses: usize) -> Result<Applied, ProviderError> {
    let left = std::sync::atomic::AtomicUsize::new(losses);
    let hosts = crate::testing::scripted(move |_, call| {
        use std::sync::atomic::Ordering::SeqCst;
        let take = |left: usize| left.checked_sub(1);
        if call > 0 && left.fetch_update(SeqCst, SeqCst, take).is_ok() {
            return Err(crate::transport::TransportError::Unreachable("away".to_owned()));
        }
        Ok("LoadState=loaded\nActiveState=active\nUnitFileState=enabled\n".to_owned())
    });
    let mut lab = crate::testing::Lab::new();
    lab.context.timeout = clawd_model::DurationMs::from_secs(30);
    let input = json!({"name": "nginx", "state": "restarted"});
    ServiceState::new(hosts).apply(&lab.context, &input).await
}

#[tokio::test(start_paused = true)]
async fn a_restart_that_took_place_is_not_failed_by_a_lost_connection() {
    let applied = restart_with_losses(5).await.unwrap();
    assert!(applied.changed);
    assert_eq!(applied.output, json!({"active": true, "enabled": true}));
    let applied = restart_with_losses(usize::MAX).await;
    assert!(
        matches!(&applied, Err(ProviderError::OutcomeUnknown(error)) if error.kind == ErrorKind::Connection),
        "{applied:?}"
    );
}
