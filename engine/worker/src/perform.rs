//! Performs effects, after the turn that they belong to is durable.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use clawd_model::{
    AttemptId, Clock, DurationMs, ErrorKind, OperationName, Server, StepError, StepRef, Timestamp,
};
use clawd_scheduler::{Effect, Input, Timer};
use futures::FutureExt as _;
use serde_json::Value;
use tracing::Instrument as _;

use crate::attempt::{self, Attempt, Finished, Recovers};
use crate::drive::{Driver, Ended, Mail};
use crate::env::Room;
use crate::gate::Passed;
use crate::{check, records, recover};

impl Driver {
    pub(crate) fn perform(&mut self, effects: Vec<Effect>) {
        // What has not been called when the process stops is not called any more.
        if self.over.is_cancelled() {
            return;
        }
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
                    Some((passed, room)) => self.start(Some(room), passed, attempt, id, input, None),
                    None => tracing::error!(?step, "an attempt without the gate's allow was not started"),
                },
                Effect::RecoverAttempt {
                    step,
                    attempt,
                    id,
                    input,
                    digest,
                    since,
                } => {
                    if !self.in_flight.contains(&id) {
                        let from = Recovers { input: digest, since };
                        self.start(None, Passed::recorded(step), attempt, id, input, Some(from));
                    }
                }
                Effect::SetTimer { at, timer } => self.set_timer(at, timer),
                Effect::AskLock => self.ask_lock(),
                Effect::Announce { approval, channel } => self.announce(approval, channel),
                Effect::AbortAttempts => self.cancel.cancel(),
            }
        }
    }

    fn check(&mut self, step: StepRef, input: Arc<Value>) {
        let passed = self.passed.remove(&step).map(|(_, room)| room);
        let room = passed.or_else(|| self.rooms.remove(&step));
        let (Some(definition), Some(epoch)) = (self.program.step(step), self.env.epoch(self.shard)) else {
            return;
        };
        let (tenant, uses) = (self.state.tenant.clone(), definition.uses.clone());
        let span = self.span_of(step, &uses);
        let (env, mailbox) = (Arc::clone(&self.env), self.mailbox.clone());
        let (over, cancel) = (self.over.clone(), self.cancel_of(step));
        let target = self.state.target(step.job, step.lane).cloned();
        let work = async move {
            let look = async {
                // Where there is room for the attempt, there is room for the look before it.
                let _slot = match &room {
                    Some(_) => None,
                    None => tokio::select! {
                        biased;
                        () = cancel.cancelled() => return Err(called_off()),
                        slot = env.looks.acquire() => slot.ok(),
                    },
                };
                let server = server(&env, &tenant, target.as_ref()).await;
                let question = check::Question {
                    tenant,
                    uses,
                    input,
                    server,
                    epoch,
                    cancel: over.child_token(),
                };
                check::run(&env, question).await
            };
            let look = AssertUnwindSafe(look.instrument(tracing::info_span!("check"))).catch_unwind();
            let result = tokio::select! {
                biased;
                () = over.cancelled() => return,
                result = look => result,
            };
            // An answer always comes: without one the step would wait for ever.
            let result = result.unwrap_or_else(|_| Err(panicked()));
            let _ = mailbox.send(Mail::Checked { step, result, room });
        };
        tokio::spawn(work.instrument(span));
    }

    fn start(
        &mut self,
        room: Option<Room>,
        passed: Passed,
        number: u32,
        id: AttemptId,
        input: Arc<Value>,
        recovers: Option<Recovers>,
    ) {
        let step = passed.step();
        let Some(definition) = self.program.step(step) else {
            return;
        };
        let Some(epoch) = self.env.epoch(self.shard) else {
            // Whoever has the lease finds the intent, and takes it up.
            tracing::warn!(?step, "the lease is lost; leaving the run");
            return self.over.cancel();
        };
        self.in_flight.insert(id);
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
            epoch,
            cancel: self.cancel_of(step),
            label: records::label(&self.program, &self.state, step),
            recovers,
        };
        let span = self.span_of(step, &attempt.uses);
        let target = self.state.target(step.job, step.lane).cloned();
        let (env, mailbox, shard) = (Arc::clone(&self.env), self.mailbox.clone(), self.shard);
        let (over, stop) = (self.over.clone(), self.stop.clone());
        let task = async move {
            let _room = match room {
                Some(room) => Some(room),
                None => tokio::select! {
                    biased;
                    // The process stops, or the run is no longer ours.
                    () = over.cancelled() => return,
                    room = env.rooms.clone().acquire_owned() => room.ok(),
                },
            };
            if env.epoch(shard) != Some(attempt.epoch) {
                tracing::warn!(attempt = %id, "the lease was lost before the operation was called");
                return;
            }
            // Not by the wall clock, which may be set meanwhile.
            let began = tokio::time::Instant::now();
            let work = async {
                let Some(from) = attempt.recovers else {
                    return attempt::run(&env, &attempt).await;
                };
                attempt.server = server(&env, &attempt.tenant, target.as_ref()).await;
                recover::run(&env, &attempt, from).await
            };
            let finished = AssertUnwindSafe(work).catch_unwind().await;
            let finished = finished.unwrap_or_else(|_| Finished::unsure(&env, &attempt, panicked()));
            let took = DurationMs(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX));
            env.deps
                .observer
                .attempt_ended(&attempt.uses, &finished.outcome, took);
            let _ = mailbox.send(Mail::Finished(Ended {
                step: attempt.step(),
                attempt: number,
                id,
                finished,
                stopped: stop.is_cancelled(),
            }));
        };
        tokio::spawn(task.instrument(span));
    }

    /// What everything that is done for a step is traced under.
    fn span_of(&self, step: StepRef, uses: &OperationName) -> tracing::Span {
        let label = records::label(&self.program, &self.state, step);
        tracing::info_span!(parent: &self.span, "step", step = %label, %uses)
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

fn called_off() -> StepError {
    StepError::new(ErrorKind::Cancelled, "the run was cancelled before the check")
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
