//! An operation that answers as a test wants, and a call of it. Time is the test's: start it paused.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use clawd_model::{
    AttemptId, DurationMs, Effect, ErrorKind, FixedClock, OnAmbiguous, OperationSpec, Recovery, Risk, RunId,
    Scope, SeededEntropy, StepError, StepRef, Timestamp,
};
use clawd_provider::{Applied, Checked, Context, DiscardOutput, Operation, ProviderError, Recovered};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::attempt::Call;
use crate::secrets::Redactor;

pub(crate) const NOW: Timestamp = Timestamp(1_772_357_400_000);
/// The limit of the scripted operation.
pub(crate) const TIMEOUT: DurationMs = DurationMs::from_secs(60);

/// Answers in order; the last one for ever. `None` is no answer at all.
type Answers<T> = Mutex<VecDeque<Option<Result<T, ProviderError>>>>;

/// What the operation was asked, with what of its context matters.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Asked {
    pub(crate) verb: &'static str,
    pub(crate) attempt: Option<AttemptId>,
    pub(crate) timeout: DurationMs,
    pub(crate) cancelled: bool,
}

/// An operation that answers as the test wants.
pub(crate) struct Scripted {
    spec: OperationSpec,
    applies: Answers<Applied>,
    looks: Answers<()>,
    recoveries: Answers<Recovered>,
    asked: Mutex<Vec<Asked>>,
}

impl Scripted {
    /// It takes place, is seen, and was never started before.
    pub(crate) fn new(effect: Effect, recovery: Recovery, on_ambiguous: OnAmbiguous) -> Self {
        let object = json!({"type": "object", "properties": {}, "additionalProperties": false});
        Self {
            spec: OperationSpec {
                name: "scripted@v1".parse().unwrap(),
                summary: "for tests".into(),
                effect,
                risk: Risk::Low,
                recovery,
                on_ambiguous,
                scope: Scope::Any,
                input: object.clone(),
                output: object,
                timeout_ms: TIMEOUT,
            },
            applies: Mutex::new([Some(Ok(done()))].into()),
            looks: Mutex::new([Some(Ok(()))].into()),
            recoveries: Mutex::new([Some(Ok(Recovered::NotStarted))].into()),
            asked: Mutex::default(),
        }
    }

    /// What the contracts say of operations that may be called again.
    pub(crate) fn idempotent() -> Self {
        Self::new(
            Effect::Mutating,
            Recovery::Idempotent,
            OnAmbiguous::RetryIfIdempotent,
        )
    }

    /// What the contracts say of jobs on hosts.
    pub(crate) fn job() -> Self {
        Self::new(Effect::Mutating, Recovery::Reattach, OnAmbiguous::Human)
    }

    pub(crate) fn applies(
        mut self,
        answers: impl IntoIterator<Item = Option<Result<Applied, ProviderError>>>,
    ) -> Self {
        self.applies = Mutex::new(answers.into_iter().collect());
        self
    }

    pub(crate) fn looks(
        mut self,
        answers: impl IntoIterator<Item = Option<Result<(), ProviderError>>>,
    ) -> Self {
        self.looks = Mutex::new(answers.into_iter().collect());
        self
    }

    pub(crate) fn recoveries(
        mut self,
        answers: impl IntoIterator<Item = Option<Result<Recovered, ProviderError>>>,
    ) -> Self {
        self.recoveries = Mutex::new(answers.into_iter().collect());
        self
    }

    pub(crate) fn called(self, cancel: &CancellationToken) -> (Call, Arc<Self>) {
        let operation = Arc::new(self);
        let run = RunId::new(NOW, &SeededEntropy::new(1));
        let tenant = "demo".parse().unwrap();
        let step = StepRef {
            job: 0,
            lane: 0,
            step: 0,
        };
        let context = Context {
            attempt: Some(AttemptId::derive(&tenant, run, step, 1)),
            tenant,
            server: None,
            epoch: 1,
            timeout: TIMEOUT,
            clock: Arc::new(FixedClock::at(NOW)),
            output: Arc::new(DiscardOutput),
            cancel: cancel.clone(),
            redactor: Redactor::new(Vec::new()),
        };
        let call = Call {
            operation: operation.clone(),
            context,
            input: json!({}),
            redactor: Redactor::new(Vec::new()),
        };
        (call, operation)
    }

    /// What it was asked so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// How often it was asked to do this.
    pub(crate) fn times(&self, verb: &str) -> usize {
        self.asked().iter().filter(|asked| asked.verb == verb).count()
    }

    async fn answer<T: Clone>(
        &self,
        verb: &'static str,
        context: &Context,
        answers: &Answers<T>,
    ) -> Result<T, ProviderError> {
        self.asked.lock().unwrap().push(Asked {
            verb,
            attempt: context.attempt,
            timeout: context.timeout,
            cancelled: context.cancel.is_cancelled(),
        });
        let answer = {
            let mut answers = answers.lock().unwrap();
            match answers.len() {
                1 => answers[0].clone(),
                _ => answers.pop_front().unwrap(),
            }
        };
        match answer {
            Some(answer) => answer,
            None => std::future::pending().await,
        }
    }
}

pub(crate) fn done() -> Applied {
    Applied {
        output: json!({"value": 1}),
        changed: true,
    }
}

pub(crate) fn error(kind: ErrorKind) -> StepError {
    StepError::new(kind, "as the test wants")
}

pub(crate) fn failed<T>(kind: ErrorKind) -> Option<Result<T, ProviderError>> {
    Some(Err(ProviderError::Failed(error(kind))))
}

pub(crate) fn unknown<T>() -> Option<Result<T, ProviderError>> {
    Some(Err(ProviderError::OutcomeUnknown(error(ErrorKind::Connection))))
}

#[async_trait]
impl Operation for Scripted {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, _: &Context, _: &Value) -> Result<Checked, ProviderError> {
        Ok(Checked::Unpredictable)
    }

    async fn apply(&self, context: &Context, _: &Value) -> Result<Applied, ProviderError> {
        self.answer("apply", context, &self.applies).await
    }

    async fn verify(&self, context: &Context, _: &Value, _: &Applied) -> Result<(), ProviderError> {
        self.answer("verify", context, &self.looks).await?;
        // As every operation that ships: what is told to stop stops.
        if context.cancel.is_cancelled() {
            return Err(error(ErrorKind::Cancelled).into());
        }
        Ok(())
    }

    async fn recover(&self, context: &Context, _: &Value) -> Result<Recovered, ProviderError> {
        self.answer("recover", context, &self.recoveries).await
    }
}
