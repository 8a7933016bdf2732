//! Every operation that changes a simulated server: a job, started at most once, watched, found again.

use async_trait::async_trait;
use clawd_model::{AttemptId, Change, DurationMs, ErrorKind, OperationSpec, StepError};
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError, Recovered};
use serde_json::Value;
use tokio::time::sleep;

use crate::act::Act;
use crate::faults::Faults;
use crate::follow::{Unwatched, follow};
use crate::job::{Job, JobState};
use crate::simulation::{Simulation, server_of};
use crate::start::{Order, start};

/// An operation that changes a simulated server.
pub(crate) struct Acting {
    simulation: Simulation,
    act: &'static dyn Act,
    spec: OperationSpec,
}

impl Acting {
    pub(crate) fn new(simulation: Simulation, act: &'static dyn Act) -> Self {
        Self {
            simulation,
            act,
            spec: act.spec(),
        }
    }

    fn order(&self, context: &Context, input: &Value) -> Result<Order, StepError> {
        Ok(Order {
            act: self.act,
            operation: self.spec.name.clone(),
            attempt: attempt_of(context)?,
            epoch: context.epoch,
            input: input.clone(),
            faults: Faults::of(&server_of(context)?.labels)?,
            delay: self.simulation.delays().of(self.spec.name.action()),
        })
    }

    /// The input, said to be sensitive where it holds secrets and the operation knows the word.
    fn guarded(&self, context: &Context, input: &Value) -> Value {
        const WORD: &str = "sensitive";
        let mut input = input.clone();
        let knows = self
            .spec
            .input
            .get("properties")
            .is_some_and(|shapes| shapes.get(WORD).is_some());
        if let (true, true, Value::Object(fields)) = (context.redactor.has_secrets(), knows, &mut input) {
            fields.insert(WORD.to_owned(), Value::Bool(true));
        }
        input
    }

    async fn find(&self, context: &Context, attempt: AttemptId) -> Result<Option<Job>, StepError> {
        let epoch = context.epoch;
        let visitor = move |world: &mut crate::World| {
            world.jobs.get_mut(&attempt).map(|job| {
                job.epoch = job.epoch.max(epoch);
                job.clone()
            })
        };
        self.simulation.visit(context, context.clock.now(), visitor).await
    }
}

#[async_trait]
impl Operation for Acting {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        pause(self.simulation.delays().look).await;
        let (act, input) = (self.act, self.guarded(context, input));
        let foreseen = self
            .simulation
            .visit(context, context.clock.now(), move |world| {
                act.foresee(world, &input)
            })
            .await??;
        let strike = |text: &str| context.redactor.text(text);
        Ok(Checked::Would(Change {
            summary: strike(&foreseen.summary),
            diff: strike(&foreseen.diff),
            ..foreseen
        }))
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let order = self.order(context, input)?;
        let attempt = order.attempt;
        let now = context.clock.now();
        let job = self
            .simulation
            .visit(context, now, move |world| start(world, order, now))
            .await??;
        match follow(&self.simulation, context, attempt, job).await {
            Ok(JobState::Done { output, changed }) => Ok(Applied { output, changed }),
            Ok(JobState::Failed { error }) => Err(ProviderError::Failed(error)),
            Ok(JobState::Running { .. } | JobState::Lost) => Err(ProviderError::OutcomeUnknown(lost())),
            // It goes on without us: another attempt now could do it twice.
            Err(Unwatched::TimeUp(error)) => Err(ProviderError::OutcomeUnknown(error)),
            Err(Unwatched::Broken(error)) => Err(ProviderError::OutcomeUnknown(error)),
        }
    }

    async fn verify(&self, context: &Context, input: &Value, applied: &Applied) -> Result<(), ProviderError> {
        pause(self.simulation.delays().look).await;
        let (act, input, output) = (self.act, input.clone(), applied.output.clone());
        let seen = self
            .simulation
            .visit(context, context.clock.now(), move |world| {
                act.verify(world, &input, &output)
            })
            .await??;
        Ok(seen)
    }

    async fn recover(&self, context: &Context, _input: &Value) -> Result<Recovered, ProviderError> {
        let attempt = attempt_of(context)?;
        let Some(job) = self.find(context, attempt).await? else {
            return Ok(Recovered::NotStarted);
        };
        match follow(&self.simulation, context, attempt, job).await {
            Ok(JobState::Done { output, changed }) => Ok(Recovered::Done(Ok(Applied { output, changed }))),
            Ok(JobState::Failed { error }) => Ok(Recovered::Done(Err(error))),
            Ok(JobState::Running { .. } | JobState::Lost) => Ok(Recovered::Indeterminate(lost())),
            Err(Unwatched::TimeUp(error) | Unwatched::Broken(error)) => Err(ProviderError::Failed(error)),
        }
    }
}

/// The attempt under which something is changed.
fn attempt_of(context: &Context) -> Result<AttemptId, StepError> {
    context.attempt.ok_or_else(|| {
        StepError::new(
            ErrorKind::Internal,
            "an operation was applied without an attempt id",
        )
    })
}

fn lost() -> StepError {
    StepError::new(
        ErrorKind::Indeterminate,
        "[simulated] the server lost its power while the job ran: its boot id is another one",
    )
    .with_hint(
        "look at the server, then say what became of the step; the label `sim.indeterminate` asks for this",
    )
}

pub(crate) async fn pause(delay: DurationMs) {
    if delay.0 > 0 {
        sleep(delay.to_std()).await;
    }
}
