//! Performs effects, after the turn that they belong to is durable.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use clawd_model::{Clock, Digest, ErrorKind, Server, StepError, StepRef, Timestamp};
use clawd_scheduler::{Effect, Input, Timer};
use futures::FutureExt as _;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::attempt::{self, Attempt, Finished};
use crate::drive::{Driver, Ended, Mail};
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
                Effect::AskLock => self.ask_lock(),
                Effect::Announce { approval, channel } => self.announce(approval, channel),
                Effect::AbortAttempts => self.cancel.cancel(),
            }
        }
    }

    fn check(&self, step: StepRef, input: Arc<Value>) {
        let Some(definition) = self.program.step(step) else {
            return;
        };
        let (tenant, uses) = (self.state.tenant.clone(), definition.uses.clone());
        let (env, mailbox, stop) = (Arc::clone(&self.env), self.mailbox.clone(), self.stop.clone());
        let target = self.state.target(step.job, step.lane).cloned();
        tokio::spawn(async move {
            let look = async {
                let server = server(&env, &tenant, target.as_ref()).await;
                let question = check::Question {
                    tenant,
                    uses,
                    input,
                    server,
                    cancel: stop.child_token(),
                };
                check::run(&env, question).await
            };
            // An answer always comes: without one the step would wait for ever.
            let result = AssertUnwindSafe(look).catch_unwind().await;
            let result = result.unwrap_or_else(|_| Err(panicked()));
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
        let in_always = self
            .program
            .job(step.job)
            .is_some_and(|job| step.step >= job.always_from);
        let mut attempt = Attempt {
            server: Ok(passed.server().cloned()),
            passed,
            tenant: self.state.tenant.clone(),
            run: self.state.run,
            number,
            id,
            uses: definition.uses.clone(),
            input,
            timeout: definition.timeout,
            epoch: self.env.epoch(self.shard).unwrap_or(0),
            // `always` runs in cancelled runs too, before a crash and after it.
            cancel: if in_always {
                CancellationToken::new()
            } else {
                self.cancel.clone()
            },
            label: records::label(&self.program, &self.state, step),
            recovers,
        };
        let target = self.state.target(step.job, step.lane).cloned();
        let (env, mailbox, stop) = (Arc::clone(&self.env), self.mailbox.clone(), self.stop.clone());
        tokio::spawn(async move {
            let _slot = tokio::select! {
                biased;
                // What has not been called when the process stops is not called any more.
                () = stop.cancelled() => return,
                slot = env.slots.acquire() => slot,
            };
            let work = async {
                let Some(digest) = attempt.recovers else {
                    return attempt::run(&env, &attempt).await;
                };
                attempt.server = server(&env, &attempt.tenant, target.as_ref()).await;
                recover::run(&env, &attempt, digest).await
            };
            let finished = AssertUnwindSafe(work).catch_unwind().await;
            let finished = finished.unwrap_or_else(|_| Finished::unsure(&env, &attempt, panicked()));
            let _ = mailbox.send(Mail::Finished(Ended {
                step: attempt.step(),
                attempt: number,
                id,
                finished,
            }));
        });
    }

    fn set_timer(&self, at: Timestamp, timer: Timer) {
        let (clock, mailbox) = (Arc::clone(&self.env.deps.clock), self.mailbox.clone());
        tokio::spawn(async move {
            tokio::select! {
                // The run is over, or no longer ours.
                () = mailbox.closed() => {}
                () = wait_until(&*clock, at) => {
                    let _ = mailbox.send(Mail::Input(Input::TimerFired(timer)));
                }
            }
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

fn panicked() -> StepError {
    StepError::new(ErrorKind::Internal, "the operation ended in a panic")
        .with_hint("this is a mistake in the operation; the process's log says where")
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
