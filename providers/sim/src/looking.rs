//! Every operation that only looks at a simulated server.

use async_trait::async_trait;
use clawd_model::{DurationMs, OperationSpec, StepError, Timestamp};
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError, Stream};
use serde_json::Value;

use crate::acting::pause;
use crate::faults::Faults;
use crate::follow::say;
use crate::look::Look;
use crate::settle::asked_to_fail;
use crate::simulation::{Simulation, server_of};

/// An operation that looks at a simulated server.
pub(crate) struct Looking {
    simulation: Simulation,
    look: &'static dyn Look,
    spec: OperationSpec,
}

struct Seen {
    answer: Result<Value, StepError>,
    busy_until: Option<Timestamp>,
}

impl Looking {
    pub(crate) fn new(simulation: Simulation, look: &'static dyn Look) -> Self {
        Self {
            simulation,
            look,
            spec: look.spec(),
        }
    }

    async fn see(&self, context: &Context, input: &Value, now: Timestamp) -> Result<Seen, StepError> {
        let faults = Faults::of(&server_of(context)?.labels)?;
        let (look, input, operation) = (self.look, input.clone(), self.spec.name.clone());
        let attempt = context.attempt;
        let visitor = move |world: &mut crate::World| {
            let faulty =
                attempt.is_some_and(|attempt| faults.bad_end(world, operation.action(), attempt).is_some());
            let answer = if faulty {
                Err(asked_to_fail(&operation))
            } else {
                look.see(world, &input, now)
            };
            Seen {
                answer,
                busy_until: world.busy_until(),
            }
        };
        self.simulation.visit(context, now, visitor).await
    }
}

#[async_trait]
impl Operation for Looking {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        self.look.understands(input)?;
        if !self.look.is_plannable() {
            return Ok(Checked::Unpredictable);
        }
        pause(self.simulation.delays().look).await;
        let seen = self.see(context, input, context.clock.now()).await?;
        Ok(Checked::Read(seen.answer?))
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        self.look.understands(input)?;
        pause(self.simulation.delays().look).await;
        let now = context.clock.now();
        let mut seen = self.see(context, input, now).await?;
        // What does not hold may hold once the jobs of the server have ended; nothing else changes it.
        if let (Err(_), Some(ends_at)) = (&seen.answer, seen.busy_until) {
            let patience = self.look.patience(input).min(context.timeout);
            let wait = ends_at.since(now);
            if DurationMs(0) < patience && wait <= patience {
                pause(wait).await;
                seen = self.see(context, input, context.clock.now().max(ends_at)).await?;
            }
        }
        let output = seen.answer?;
        for line in self.look.words(input, &output) {
            say(context, Stream::Stdout, &line);
        }
        Ok(Applied {
            output,
            changed: false,
        })
    }
}
