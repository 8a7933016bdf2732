//! Asks the gate on behalf of a run, and finds room for what it allows.
//!
//! INVARIANT: an operation is called as soon as its intent is durable. Room for it is taken before the gate is asked,
//! hence what was allowed, and what a check saw, is not old by the time that it is done. While there is no room nothing
//! is decided, and once there is the gate is asked anew.

use clawd_model::{StepRef, Timestamp};
use clawd_scheduler::Input;
use clawd_store::CommitError;
use tokio_util::sync::CancellationToken;

use crate::drive::{Driver, Mail};
use crate::env::Room;
use crate::gate;

impl Driver {
    pub(crate) async fn ask_gate(&mut self, step: StepRef, now: Timestamp) -> Result<Input, CommitError> {
        let deps = &self.env.deps;
        let tenant = &self.state.tenant;
        if let Some((_, room)) = self.passed.remove(&step) {
            self.rooms.insert(step, room);
        }
        let Some(bundle) = deps.policies.current(tenant) else {
            let decision = gate::no_bundle();
            return Ok(Input::GateAnswered { step, decision });
        };
        let members = self.env.directory.members(&deps.store, tenant).await?;
        let uses = self.program.step(step).map(|step| &step.uses);
        let question = gate::Question {
            program: &self.program,
            state: &self.state,
            step,
            spec: uses.and_then(|uses| deps.registry.spec(uses)),
            now,
        };
        let (decision, passed) = gate::ask(&question, &bundle, &members);
        if let Some(passed) = passed {
            let Some(room) = self.room(step) else {
                return Ok(Input::NoRoom { step });
            };
            self.passed.insert(step, (passed, room));
        }
        Ok(Input::GateAnswered { step, decision })
    }

    /// Room for an attempt of the step, if there is some now; else the step waits for it, and its turn comes.
    fn room(&mut self, step: StepRef) -> Option<Room> {
        let free = || self.env.rooms.clone().try_acquire_owned().ok();
        let room = self.rooms.remove(&step).or_else(free);
        if room.is_some() {
            self.queued.remove(&step);
        } else if self.queued.insert(step) {
            self.queue(step);
        }
        room
    }

    fn queue(&self, step: StepRef) {
        let (env, mailbox) = (self.env.clone(), self.mailbox.clone());
        let (over, cancel) = (self.over.clone(), self.cancel_of(step));
        tokio::spawn(async move {
            let room = tokio::select! {
                biased;
                () = over.cancelled() => return,
                () = cancel.cancelled() => return,
                room = env.rooms.clone().acquire_owned() => room,
            };
            if let Ok(room) = room {
                let _ = mailbox.send(Mail::Room { step, room });
            }
        });
    }

    /// What tells a step that the run was cancelled: `always` runs in cancelled runs too.
    pub(crate) fn cancel_of(&self, step: StepRef) -> CancellationToken {
        let job = self.program.job(step.job);
        if job.is_some_and(|job| step.step >= job.always_from) {
            CancellationToken::new()
        } else {
            self.cancel.clone()
        }
    }
}
