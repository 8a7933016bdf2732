//! A world that counts what was done to it, and operations of every recovery mode that do it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clawd_model::{
    AttemptId, Change, DurationMs, Effect, ErrorKind, OnAmbiguous, OperationSpec, Recovery, Risk, Scope,
    StepError,
};
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError, Recovered, Registry, Serves};
use serde_json::{Value, json};
use tokio::sync::watch;

/// Where an operation stops, until it is let go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Hold {
    #[default]
    Nowhere,
    /// It was called, and has done nothing.
    BeforeTheEffect,
    /// It has done everything, and has not said so.
    AfterTheEffect,
}

/// What operations did.
#[derive(Default)]
pub(crate) struct World {
    effects: Mutex<HashMap<AttemptId, u32>>,
    calls: Mutex<Vec<String>>,
    basis: Mutex<Value>,
    hold: Mutex<Hold>,
    /// Counts the calls of [`World::hold`]: each lets go on what has stopped before.
    let_go: watch::Sender<u32>,
    stopped: watch::Sender<u32>,
    told: watch::Sender<u32>,
}

impl World {
    /// How often each attempt took effect.
    pub(crate) fn effects(&self) -> HashMap<AttemptId, u32> {
        self.effects.lock().unwrap().clone()
    }

    /// What operations were given when they were called, in order.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap().clone()
    }

    /// Lets operations stop there from now on, and those that have stopped go on.
    pub(crate) fn hold(&self, hold: Hold) {
        *self.hold.lock().unwrap() = hold;
        self.let_go.send_modify(|times| *times += 1);
    }

    /// Waits until so many operations have stopped since the beginning.
    pub(crate) async fn stopped(&self, count: u32) {
        let mut stopped = self.stopped.subscribe();
        stopped.wait_for(|stopped| *stopped >= count).await.unwrap();
    }

    /// Waits until so many of those were told that the run is cancelled.
    pub(crate) async fn told(&self, count: u32) {
        let mut told = self.told.subscribe();
        told.wait_for(|told| *told >= count).await.unwrap();
    }

    /// What checks see from now on.
    pub(crate) fn look_like(&self, basis: Value) {
        *self.basis.lock().unwrap() = basis;
    }

    async fn pass(&self, place: Hold, context: &Context) {
        let mut let_go = self.let_go.subscribe();
        let times = *let_go.borrow_and_update();
        if *self.hold.lock().unwrap() != place {
            return;
        }
        self.stopped.send_modify(|stopped| *stopped += 1);
        let gone_on = let_go.wait_for(|now| *now > times);
        let told = async {
            context.cancel.cancelled().await;
            self.told.send_modify(|told| *told += 1);
            std::future::pending::<()>().await;
        };
        tokio::select! { _ = gone_on => {} () = told => {} }
    }

    fn has(&self, attempt: AttemptId) -> bool {
        self.effects.lock().unwrap().contains_key(&attempt)
    }
}

/// Does one thing to the world for each attempt.
struct Act {
    spec: OperationSpec,
    world: Arc<World>,
}

fn spec(name: &str, effect: Effect, recovery: Recovery) -> OperationSpec {
    let repeats = name.starts_with("again");
    OperationSpec {
        name: name.parse().unwrap(),
        summary: "for tests".into(),
        effect,
        risk: Risk::Low,
        recovery,
        on_ambiguous: if repeats {
            OnAmbiguous::RetryIfIdempotent
        } else {
            OnAmbiguous::Human
        },
        scope: Scope::Any,
        input: json!({
            "type": "object", "properties": {"value": {"x-secrets": true}}, "required": [], "additionalProperties": false
        }),
        output: json!({
            "type": "object", "properties": {"value": {}}, "required": [], "additionalProperties": false
        }),
        timeout_ms: DurationMs::from_secs(3600),
    }
}

#[async_trait]
impl Operation for Act {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, _: &Context, input: &Value) -> Result<Checked, ProviderError> {
        let basis = self.world.basis.lock().unwrap().clone();
        match (self.spec.effect, input["value"].as_str()) {
            (_, Some("panic in check")) => panic!("as the test wants"),
            (_, Some(secret)) if secret.starts_with("hunter") => Err(ProviderError::Failed(StepError::new(
                ErrorKind::Failed,
                format!("the host does not like {secret}"),
            ))),
            (Effect::ReadOnly, _) => Ok(Checked::Read(json!({}))),
            _ => Ok(Checked::Would(Change {
                needed: true,
                summary: "a touch".into(),
                diff: String::new(),
                basis,
            })),
        }
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let attempt = context.attempt.expect("attempts have a key");
        self.world.calls.lock().unwrap().push(input["value"].to_string());
        self.world.pass(Hold::BeforeTheEffect, context).await;
        match input["value"].as_str() {
            Some("panic") => panic!("as the test wants"),
            Some("if cancelled") if context.cancel.is_cancelled() => {
                return Err(StepError::new(ErrorKind::Cancelled, "told to stop").into());
            }
            _ => {}
        }
        // What carries a client token has no second effect under the same one; the others have.
        if self.spec.recovery != Recovery::Idempotent || !self.world.has(attempt) {
            *self.world.effects.lock().unwrap().entry(attempt).or_default() += 1;
        }
        self.world.pass(Hold::AfterTheEffect, context).await;
        let value = match input["value"].as_str() {
            Some("much") => json!("x".repeat(2 << 20)),
            Some("lost once") if self.world.calls().len() == 1 => {
                let error = StepError::new(ErrorKind::Connection, "the answer was lost");
                return Err(ProviderError::OutcomeUnknown(error));
            }
            _ => input["value"].clone(),
        };
        Ok(Applied {
            output: json!({"value": value}),
            changed: true,
        })
    }

    async fn verify(&self, context: &Context, _: &Value, _: &Applied) -> Result<(), ProviderError> {
        if context.cancel.is_cancelled() {
            return Err(StepError::new(ErrorKind::Cancelled, "told to stop").into());
        }
        Ok(())
    }

    async fn recover(&self, context: &Context, input: &Value) -> Result<Recovered, ProviderError> {
        let attempt = context.attempt.expect("attempts have a key");
        if !self.world.has(attempt) {
            return Ok(Recovered::NotStarted);
        }
        Ok(Recovered::Done(Ok(Applied {
            output: json!({"value": input["value"]}),
            changed: true,
        })))
    }
}

/// Operations over one world, by recovery mode, and one that only looks.
pub(crate) fn registry(world: &Arc<World>) -> Registry {
    let mut registry = Registry::default();
    for (name, effect, recovery) in [
        ("look@v1", Effect::ReadOnly, Recovery::Idempotent),
        ("peek@v1", Effect::ReadOnly, Recovery::AtMostOnce),
        ("idempotent@v1", Effect::Mutating, Recovery::Idempotent),
        ("again@v1", Effect::Mutating, Recovery::Idempotent),
        ("reconcile@v1", Effect::Mutating, Recovery::Reconcile),
        ("reattach@v1", Effect::Mutating, Recovery::Reattach),
        ("once@v1", Effect::Mutating, Recovery::AtMostOnce),
    ] {
        let act = Act {
            spec: spec(name, effect, recovery),
            world: Arc::clone(world),
        };
        registry.register(Serves::Everywhere, Arc::new(act)).unwrap();
    }
    registry
}
