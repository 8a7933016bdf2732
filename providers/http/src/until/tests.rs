//! Asking again, in paused time.

use std::cell::Cell;
use std::sync::Arc;

use clawd_model::{FixedClock, Timestamp};
use clawd_provider::DiscardOutput;
use tokio_util::sync::CancellationToken;

use super::*;

const SECOND: DurationMs = DurationMs::from_secs(1);

fn context(timeout_s: u64) -> Context {
    Context {
        tenant: "demo".parse().unwrap(),
        server: None,
        attempt: None,
        epoch: 1,
        timeout: DurationMs::from_secs(timeout_s),
        clock: Arc::new(FixedClock::at(Timestamp(0))),
        redactor: clawd_provider::Redactor::default(),
        output: Arc::new(DiscardOutput),
        cancel: CancellationToken::new(),
    }
}

fn patience(within_s: u64, ok_for_s: u64) -> Patience {
    Patience {
        within: DurationMs::from_secs(within_s),
        ok_for: DurationMs::from_secs(ok_for_s),
        interval: SECOND,
    }
}

fn not_yet() -> Unmet {
    Unmet::Yet(StepError::new(ErrorKind::Connection, "not there"))
}

/// Looks that hold or not, one after the other; the last one repeats.
async fn script(context: &Context, patience: Patience, holds: &[bool]) -> (Result<usize, StepError>, u64) {
    let looks = Cell::new(0);
    let began = Instant::now();
    let result = until(context, patience, || {
        let look = looks.replace(looks.get() + 1);
        let holds = holds.get(look).or(holds.last()).copied().unwrap_or(false);
        async move { if holds { Ok(look) } else { Err(not_yet()) } }
    })
    .await;
    (result, began.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn one_look_is_enough_when_nothing_is_said() {
    assert_eq!(script(&context(60), patience(30, 0), &[true]).await, (Ok(0), 0));
    assert_eq!(
        script(&context(60), patience(30, 0), &[false, false, true]).await,
        (Ok(2), 2)
    );
}

#[tokio::test(start_paused = true)]
async fn it_must_begin_within_its_time() {
    let (result, seconds) = script(&context(60), patience(5, 0), &[false]).await;
    assert_eq!((result.unwrap_err().kind, seconds), (ErrorKind::Connection, 5));
}

#[tokio::test(start_paused = true)]
async fn it_must_hold_for_its_time_without_a_gap() {
    assert_eq!(script(&context(60), patience(5, 3), &[true]).await.1, 3);
    // Holds at 0 s and 1 s, fails at 2 s, holds from 3 s on.
    let holds = [true, true, false, true];
    assert_eq!(script(&context(60), patience(10, 3), &holds).await.1, 6);
    // The gap comes when it is too late to begin.
    let (result, seconds) = script(&context(60), patience(1, 3), &holds).await;
    assert_eq!((result.unwrap_err().kind, seconds), (ErrorKind::Connection, 2));
}

#[tokio::test(start_paused = true)]
async fn the_limit_of_the_call_comes_first_and_says_what_was_last_seen() {
    let (result, seconds) = script(&context(4), patience(30, 0), &[false]).await;
    let error = result.unwrap_err();
    assert_eq!((&error.kind, seconds), (&ErrorKind::Timeout, 4));
    assert!(error.message.ends_with("last: not there"), "{}", error.message);
    let (result, seconds) = script(&context(4), patience(30, 10), &[true]).await;
    assert_eq!((result.unwrap_err().kind, seconds), (ErrorKind::Timeout, 4));
}

#[tokio::test(start_paused = true)]
async fn what_can_never_hold_is_not_asked_again() {
    let looks = Cell::new(0);
    let result: Result<(), _> = until(&context(60), patience(30, 0), || {
        looks.set(looks.get() + 1);
        async { Err(Unmet::Ever(StepError::new(ErrorKind::InvalidInput, "no"))) }
    })
    .await;
    assert_eq!(
        (result.unwrap_err().kind, looks.get()),
        (ErrorKind::InvalidInput, 1)
    );
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_check_ends_at_once() {
    let context = context(60);
    let looks = Cell::new(0);
    let result: Result<(), _> = until(&context, patience(30, 0), || {
        looks.set(looks.get() + 1);
        if looks.get() == 3 {
            context.cancel.cancel();
        }
        async { Err(not_yet()) }
    })
    .await;
    assert_eq!((result.unwrap_err().kind, looks.get()), (ErrorKind::Cancelled, 3));
}
