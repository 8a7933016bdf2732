//! Performs effects, after the turn that they belong to is durable.

use std::sync::Arc;

use clawd_model::{Clock, Digest, ErrorKind, Server, StepError, StepRef, Timestamp};
use clawd_scheduler::{Effect, Input, Timer};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::attempt::{self, Attempt};
use crate::drive::{Driver, Mail};
use crate::gate::Passed;
use crate::{check, records, recover};

impl Driver {
    pub(crate) fn perform(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::AskGate { .. } => {}
                Effect::Check { step, input } => self.check(step, input),
                Effect::StartAttempt {
                    step,
                    attempt,
                    id,
                    input,
                } => match self.passed.remove(&step) {
                    Some(passed) => self.start(passed, attempt, id, input, None),
                    None => tracing::error!(?step, "an attempt without the gate's allow was not started"),
                },
                Effect::RecoverAttempt {
                    step,
                    attempt,
                    id,
                    input,
                    digest,
                } => {
                    if !self.in_flight.contains(&id) {
                        self.start(Passed::recorded(step), attempt, id, input, Some(digest));
                    }
                }
                Effect::SetTimer { at, timer } => self.set_timer(at, timer),
                Effect::AbortAttempts => self.cancel.cancel(),
            }
        }
    }

    fn check(&self, step: StepRef, input: Arc<Value>) {
        let Some(definition) = self.program.step(step) else {
            return;
        };
        let (tenant, uses) = (self.state.tenant.clone(), definition.uses.clone());
        let (env, mailbox, cancel) = (
            Arc::clone(&self.env),
            self.mailbox.clone(),
            CancellationToken::new(),
        );
        let target = self.state.target(step.job, step.lane).cloned();
        tokio::spawn(async move {
            let server = server(&env, &tenant, target.as_ref()).await;
            let result = check::run(
                &env,
                check::Question {
                    tenant,
                    uses,
                    input,
                    server,
                    cancel,
                },
            )
            .await;
            let _ = mailbox.send(Mail::Input(Input::Checked { step, result }));
        });
    }

    fn start(
        &mut self,
        passed: Passed,
        number: u32,
        id: clawd_model::AttemptId,
        input: Arc<Value>,
        recovers: Option<Digest>,
    ) {
        let step = passed.step();
        let Some(definition) = self.program.step(step) else {
            return;
        };
        self.in_flight.insert(id);
        let shard = clawd_store::shard_of(self.state.run);
        let mut attempt = Attempt {
            passed,
            tenant: self.state.tenant.clone(),
            run: self.state.run,
            number,
            id,
            uses: definition.uses.clone(),
            input,
            server: Ok(None),
            timeout: definition.timeout,
            epoch: self.env.epoch(shard).unwrap_or(0),
            // `always` still runs after a cancel, so only attempts that were under way then are told to stop.
            cancel: if self.state.cancelled && recovers.is_none() {
                CancellationToken::new()
            } else {
                self.cancel.clone()
            },
            label: records::label(&self.program, &self.state, step),
        };
        let target = self.state.target(step.job, step.lane).cloned();
        let (env, mailbox) = (Arc::clone(&self.env), self.mailbox.clone());
        tokio::spawn(async move {
            attempt.server = server(&env, &attempt.tenant, target.as_ref()).await;
            let finished = match recovers {
                None => attempt::run(&env, &attempt).await,
                Some(digest) => recover::run(&env, &attempt, digest).await,
            };
            let _ = mailbox.send(Mail::Finished {
                step: attempt.step(),
                attempt: number,
                id,
                finished,
            });
        });
    }

    fn set_timer(&self, at: Timestamp, timer: Timer) {
        let (clock, mailbox) = (Arc::clone(&self.env.deps.clock), self.mailbox.clone());
        tokio::spawn(async move {
            wait_until(&*clock, at).await;
            let _ = mailbox.send(Mail::Input(Input::TimerFired(timer)));
        });
    }
}

/// Waits until the clock says so. The wall clock may be set while we wait, hence it is asked once a second.
async fn wait_until(clock: &dyn Clock, at: Timestamp) {
    loop {
        let left = at.since(clock.now());
        if left.0 == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(left.0.min(1000))).await;
    }
}

/// The server of a lane as it is known now.
async fn server(
    env: &crate::env::Env,
    tenant: &clawd_model::TenantName,
    target: Option<&clawd_model::LaneTarget>,
) -> Result<Option<Arc<Server>>, StepError> {
    let Some(target) = target else { return Ok(None) };
    let Some(id) = target.server else { return Ok(None) };
    let members = env.directory.members(&env.deps.store, tenant).await;
    let members = members.map_err(|error| StepError::new(ErrorKind::Internal, error.to_string()))?;
    let gone = || {
        StepError::new(
            ErrorKind::InvalidInput,
            format!("server `{}` was removed", target.name),
        )
    };
    members.server(id).cloned().map(Some).ok_or_else(gone)
}
