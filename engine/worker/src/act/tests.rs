//! What the answers of an operation come to: nothing that may have happened is said to have failed.

use clawd_model::{Effect, ErrorKind, OnAmbiguous, Outcome, Recovery};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{CALLING, CALLS_MAX, GRACE, LOOK, LOOKING, LOOKS_MAX, apply};
use crate::testing::{Scripted, TIMEOUT, done, failed, unknown};

fn succeeded() -> Outcome {
    Outcome::Succeeded {
        output: done().output,
        changed: true,
    }
}

fn failed_with(outcome: &Outcome, kind: &ErrorKind) -> bool {
    matches!(outcome, Outcome::Failed { error } if error.kind == *kind)
}

const fn is_unknown(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown { .. })
}

#[tokio::test(start_paused = true)]
async fn what_took_place_is_looked_at_in_a_cancelled_run_too() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let (call, operation) = Scripted::job().called(&cancel);
    assert_eq!(apply(&call).await, succeeded());
    let asked = operation.asked();
    assert!(asked[0].cancelled, "the operation itself is told");
    assert!(!asked[1].cancelled, "the look is not");
}

#[tokio::test(start_paused = true)]
async fn a_look_that_cannot_be_taken_is_taken_again() {
    for lost in [failed(ErrorKind::Connection), unknown(), None] {
        let script = Scripted::job().looks([lost, Some(Ok(()))]);
        let (call, operation) = script.called(&CancellationToken::new());
        assert_eq!(apply(&call).await, succeeded());
        assert_eq!((operation.times("apply"), operation.times("verify")), (1, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_nobody_can_look_at_is_unknown_and_never_a_failure() {
    for kind in [
        ErrorKind::Connection,
        ErrorKind::Cancelled,
        ErrorKind::Timeout,
        ErrorKind::Permission,
    ] {
        let (call, operation) = Scripted::job()
            .looks([failed(kind)])
            .called(&CancellationToken::new());
        let outcome = apply(&call).await;
        let Outcome::Unknown { error } = &outcome else {
            panic!("{outcome:?}");
        };
        assert!(error.message.contains("took place"), "{error:?}");
        let looks = operation.times("verify");
        assert!(looks > 5 && looks <= LOOKS_MAX as usize, "{looks}");
    }
    let began = Instant::now();
    let (call, _) = Scripted::job().looks([None]).called(&CancellationToken::new());
    assert!(is_unknown(&apply(&call).await));
    let limit = LOOKING.to_std() + LOOK.to_std() + GRACE.to_std();
    assert!(began.elapsed() <= limit, "{:?}", began.elapsed());
}

#[tokio::test(start_paused = true)]
async fn an_effect_that_is_not_there_is_a_failure() {
    let script = Scripted::job().looks([failed(ErrorKind::Connection), failed(ErrorKind::NotVerified)]);
    let (call, operation) = script.called(&CancellationToken::new());
    assert!(failed_with(&apply(&call).await, &ErrorKind::NotVerified));
    assert_eq!(operation.times("verify"), 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_idempotent_is_called_again_under_the_same_attempt_id() {
    for lost in [unknown(), None] {
        let script = Scripted::idempotent().applies([lost, failed(ErrorKind::Connection), Some(Ok(done()))]);
        let (call, operation) = script.called(&CancellationToken::new());
        assert_eq!(apply(&call).await, succeeded());
        let asked = operation.asked();
        assert_eq!(operation.times("apply"), 3);
        assert!(asked.iter().all(|asked| asked.attempt == call.context.attempt));
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_repeated_in_vain_is_unknown() {
    let began = Instant::now();
    let script = Scripted::idempotent().applies([unknown()]);
    let (call, operation) = script.called(&CancellationToken::new());
    assert!(is_unknown(&apply(&call).await));
    assert_eq!(operation.times("apply"), CALLS_MAX as usize);
    assert!(began.elapsed() <= CALLING.to_std());
    // That the second call is refused says nothing about the first one.
    let script = Scripted::idempotent().applies([unknown(), failed(ErrorKind::InvalidInput)]);
    let (call, operation) = script.called(&CancellationToken::new());
    assert!(is_unknown(&apply(&call).await));
    assert_eq!(operation.times("apply"), 2);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_called_again_in_a_cancelled_run() {
    let cancel = CancellationToken::new();
    cancel.cancel();
    let (call, operation) = Scripted::idempotent().applies([unknown()]).called(&cancel);
    assert!(is_unknown(&apply(&call).await));
    assert_eq!(operation.times("apply"), 1);
}

#[tokio::test(start_paused = true)]
async fn a_first_call_that_says_that_it_failed_has_failed() {
    for script in [Scripted::idempotent(), Scripted::job()] {
        let script = script.applies([failed(ErrorKind::Connection)]);
        let (call, operation) = script.called(&CancellationToken::new());
        assert!(failed_with(&apply(&call).await, &ErrorKind::Connection));
        assert_eq!(operation.times("apply"), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_gives_no_answer_is_given_up_on_and_its_outcome_is_unknown() {
    let began = Instant::now();
    let (call, operation) = Scripted::job().applies([None]).called(&CancellationToken::new());
    assert!(is_unknown(&apply(&call).await));
    assert_eq!(began.elapsed(), TIMEOUT.to_std() + GRACE.to_std());
    assert_eq!(operation.times("apply"), 1);
}

#[tokio::test(start_paused = true)]
async fn what_only_looks_has_failed_when_it_saw_nothing() {
    let script = Scripted::new(
        Effect::ReadOnly,
        Recovery::Idempotent,
        OnAmbiguous::RetryIfIdempotent,
    );
    let (call, _) = script.applies([unknown()]).called(&CancellationToken::new());
    assert!(failed_with(&apply(&call).await, &ErrorKind::Connection));
}

#[tokio::test(start_paused = true)]
async fn what_says_so_is_looked_at_when_nobody_knows() {
    let script =
        || Scripted::new(Effect::Mutating, Recovery::Reconcile, OnAmbiguous::Verify).applies([unknown()]);
    let (call, _) = script()
        .looks([failed(ErrorKind::Connection), Some(Ok(()))])
        .called(&CancellationToken::new());
    assert!(matches!(apply(&call).await, Outcome::Succeeded { .. }));
    // It may come yet.
    let (call, _) = script()
        .looks([failed(ErrorKind::NotVerified)])
        .called(&CancellationToken::new());
    assert!(is_unknown(&apply(&call).await));
}
