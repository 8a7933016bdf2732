//! Attempts that are taken up again: how often, for how long, and what their answers prove.

use clawd_model::{Digest, DurationMs, ErrorKind, Outcome};
use clawd_provider::Recovered;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{ASK_MIN, ASKING, ASKS_MAX, take_up};
use crate::act::GRACE;
use crate::attempt::Recovers;
use crate::testing::{NOW, Scripted, TIMEOUT, done, failed, unknown};

/// An intent that became durable so long ago.
fn since(seconds: u64) -> Recovers {
    let ago = i64::try_from(seconds * 1000).unwrap();
    Recovers {
        input: Digest::of(b"input"),
        since: clawd_model::Timestamp(NOW.0 - ago),
    }
}

const DAY: u64 = 24 * 3600;

const fn is_unknown(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown { .. })
}

#[tokio::test(start_paused = true)]
async fn a_repeated_call_that_fails_says_nothing_about_the_first_one() {
    let script = Scripted::idempotent().applies([failed(ErrorKind::InvalidInput)]);
    let (call, operation) = script.called(&CancellationToken::new());
    assert!(is_unknown(&take_up(&call, since(1)).await));
    assert_eq!(operation.times("apply"), 1);
    let script = Scripted::idempotent().applies([failed(ErrorKind::Connection), unknown(), Some(Ok(done()))]);
    let (call, operation) = script.called(&CancellationToken::new());
    assert!(matches!(
        take_up(&call, since(1)).await,
        Outcome::Succeeded { .. }
    ));
    assert_eq!(operation.times("apply"), 3);
}

#[tokio::test(start_paused = true)]
async fn what_never_started_is_called_and_may_fail() {
    let script = Scripted::job().applies([failed(ErrorKind::DiskFull)]);
    let (call, operation) = script.called(&CancellationToken::new());
    let outcome = take_up(&call, since(DAY)).await;
    assert!(matches!(outcome, Outcome::Failed { error } if error.kind == ErrorKind::DiskFull));
    assert_eq!(operation.asked()[1].timeout, TIMEOUT, "it has all of its time");
}

#[tokio::test(start_paused = true)]
async fn an_attempt_has_the_time_that_it_has_left() {
    for (seconds, left) in [(10, DurationMs::from_secs(50)), (50, ASK_MIN), (DAY, ASK_MIN)] {
        let script = Scripted::job().recoveries([Some(Ok(Recovered::Done(Ok(done()))))]);
        let (call, operation) = script.called(&CancellationToken::new());
        let outcome = take_up(&call, since(seconds)).await;
        assert!(matches!(outcome, Outcome::Succeeded { .. }), "{outcome:?}");
        assert_eq!(operation.asked()[0].timeout, left);
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_cannot_be_asked_is_not_waited_for_for_ever() {
    for (seconds, left) in [(10, 50), (DAY, 0)] {
        let began = Instant::now();
        let script = Scripted::job().recoveries([failed(ErrorKind::Connection)]);
        let (call, operation) = script.called(&CancellationToken::new());
        assert!(is_unknown(&take_up(&call, since(seconds)).await));
        let limit = ASKING.to_std() + std::time::Duration::from_secs(left);
        assert!(began.elapsed() <= limit, "{:?}", began.elapsed());
        let asks = operation.times("recover");
        assert!(asks > 20 && asks <= ASKS_MAX as usize, "{asks}");
        assert_eq!(operation.times("apply"), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_time_is_up_and_that_still_runs_is_unknown() {
    for answer in [failed(ErrorKind::Timeout), None] {
        let began = Instant::now();
        let script = Scripted::job().recoveries([answer]);
        let (call, operation) = script.called(&CancellationToken::new());
        assert!(is_unknown(&take_up(&call, since(DAY)).await));
        assert_eq!(operation.times("recover"), 1);
        assert!(began.elapsed() <= ASK_MIN.to_std() + GRACE.to_std());
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_run_asks_once_and_waits_a_moment() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    for answer in [failed(ErrorKind::Connection), None] {
        let began = Instant::now();
        let (call, operation) = Scripted::job().recoveries([answer]).called(&cancel);
        assert!(is_unknown(&take_up(&call, since(0)).await));
        assert_eq!(operation.times("recover"), 1);
        assert!(began.elapsed() <= GRACE.to_std(), "{:?}", began.elapsed());
    }
}
