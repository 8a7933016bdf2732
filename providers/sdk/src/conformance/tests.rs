//! The suite itself: it passes what keeps the rules, and sees each way of breaking one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clawd_model::{AttemptId, Change, DurationMs, FixedClock, OperationSpec, StepError, Timestamp};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::contract::service_state::{self, Input, Output};
use crate::{Applied, Checked, Context, DiscardOutput, Noop, Operation, ProviderError, Recovered, contract};

/// A service in memory, with at most one flaw.
struct Service {
    spec: OperationSpec,
    flaw: &'static str,
    active: Mutex<bool>,
    done: Mutex<HashMap<AttemptId, Applied>>,
    looks: AtomicUsize,
    effects: Arc<AtomicUsize>,
}

#[async_trait]
impl Operation for Service {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, _: &Context, input: &Value) -> Result<Checked, ProviderError> {
        if self.flaw != "lenient" {
            contract::read_input::<Input>(input)?;
        }
        let active = *self.active.lock().unwrap();
        let looks = self.looks.fetch_add(1, Ordering::SeqCst);
        let basis = if self.flaw == "restless" {
            json!(looks)
        } else {
            json!(active)
        };
        if self.flaw == "careless" {
            self.effects.fetch_add(1, Ordering::SeqCst);
        }
        Ok(Checked::Would(Change {
            needed: !active || self.flaw == "never-done",
            summary: "start the service".to_owned(),
            diff: String::new(),
            basis,
        }))
    }

    async fn apply(&self, context: &Context, _: &Value) -> Result<Applied, ProviderError> {
        let attempt = context.attempt.unwrap();
        if let Some(known) = self.done.lock().unwrap().get(&attempt) {
            if self.flaw == "twice" {
                self.effects.fetch_add(1, Ordering::SeqCst);
            }
            return Ok(known.clone());
        }
        let changed = !std::mem::replace(&mut *self.active.lock().unwrap(), true);
        self.effects.fetch_add(usize::from(changed), Ordering::SeqCst);
        let mut output = serde_json::to_value(Output {
            active: true,
            enabled: true,
        })
        .unwrap();
        if self.flaw == "misfit" {
            output["enabled"] = json!("yes");
        }
        let applied = Applied { output, changed };
        self.done.lock().unwrap().insert(attempt, applied.clone());
        Ok(applied)
    }

    async fn recover(&self, context: &Context, _: &Value) -> Result<Recovered, ProviderError> {
        let attempt = context.attempt.unwrap();
        let known = self.done.lock().unwrap().get(&attempt).cloned();
        match (known, self.flaw) {
            (Some(_), "forgetful") => Ok(Recovered::NotStarted),
            (Some(applied), _) => Ok(Recovered::Done(Ok(applied))),
            (None, "inventive") => {
                let error = StepError::new(clawd_model::ErrorKind::Failed, "made up");
                Ok(Recovered::Done(Err(error)))
            }
            (None, _) => Ok(Recovered::NotStarted),
        }
    }
}

fn context() -> Context {
    Context {
        tenant: "demo".parse().unwrap(),
        server: None,
        attempt: None,
        epoch: 1,
        timeout: DurationMs::from_secs(5),
        clock: Arc::new(FixedClock::at(Timestamp(1_772_357_400_000))),
        redactor: crate::Redactor::default(),
        output: Arc::new(DiscardOutput),
        cancel: CancellationToken::new(),
    }
}

fn case(flaw: &'static str) -> Case {
    let effects = Arc::new(AtomicUsize::new(0));
    let mut spec = service_state::spec();
    if flaw == "own-words" {
        spec.summary = "do as I please".to_owned();
    }
    let service = Service {
        spec,
        flaw,
        active: Mutex::new(false),
        done: Mutex::default(),
        looks: AtomicUsize::new(0),
        effects: Arc::clone(&effects),
    };
    Case::new(
        Arc::new(service),
        context(),
        json!({"name": "nginx", "state": "running"}),
    )
    .counting(move || effects.load(Ordering::SeqCst))
}

#[tokio::test]
async fn an_operation_that_keeps_the_rules_passes() {
    all(&case("none")).await.unwrap();
    let noop = Case::new(Arc::new(Noop::default()), context(), json!({"value": 7}));
    description_is_sane(&noop).unwrap();
    check_only_looks(&noop).await.unwrap();
    attempt_is_kept(&noop).await.unwrap();
    state_converges(&noop).await.unwrap();
}

#[tokio::test]
async fn each_flaw_is_seen_by_its_rule() {
    for (flaw, rule) in [
        ("own-words", "description-is-sane"),
        ("lenient", "input-is-guarded"),
        ("careless", "check-only-looks"),
        ("restless", "check-only-looks"),
        ("inventive", "never-started-is-not-found"),
        ("misfit", "attempt-is-kept"),
        ("twice", "attempt-is-kept"),
        ("forgetful", "attempt-is-kept"),
        ("never-done", "state-converges"),
    ] {
        let violation = all(&case(flaw)).await.expect_err(flaw);
        assert_eq!(violation.rule, rule, "{violation}");
    }
}
