//! The lock of a run: no job begins before the run holds it, and it is held until the run is finished.
//!
//! The queue stands in the store. A place in it is taken in the transaction of `LockRequested`; whoever is first takes
//! the lock, in the transaction of `LockTaken`; the place is given up in that of `RunFinished`.

use clawd_model::Event;
use clawd_workflow::{Evaluated, Lookup, Scope};
use serde_json::{Value, json};

use crate::decide::{Decider, Work};
use crate::{Effect, LockState, RunState};

/// The longest name.
const NAME_MAX: usize = 200;

/// A lock is named when the run begins: by its inputs and by nothing that it finds out.
struct Inputs<'a>(&'a RunState);

impl Scope for Inputs<'_> {
    fn inputs(&self) -> Lookup {
        Lookup::Value(Value::clone(&self.0.inputs))
    }

    fn step(&self, _: &str) -> Lookup {
        Lookup::Missing
    }

    fn job_step(&self, _: &str, _: &str) -> Lookup {
        Lookup::Missing
    }

    fn server(&self) -> Lookup {
        Lookup::Missing
    }

    fn run(&self) -> Lookup {
        Lookup::Value(json!({
            "id": self.0.run, "requester": self.0.requester, "runbook": self.0.runbook,
        }))
    }
}

impl RunState {
    pub(crate) fn lock_requested(&mut self, lock: &str) -> Result<(), String> {
        if self.lock != LockState::None {
            return Err("the run asks for a second lock".to_owned());
        }
        self.lock = LockState::Waiting(lock.to_owned());
        Ok(())
    }

    pub(crate) fn lock_taken(&mut self, lock: &str) -> Result<(), String> {
        if self.lock != LockState::Waiting(lock.to_owned()) {
            return Err(format!(
                "the run takes the lock `{lock}`, and does not wait for it"
            ));
        }
        self.lock = LockState::Held(lock.to_owned());
        Ok(())
    }
}

impl Decider<'_> {
    /// INVARIANT: no job begins before the run holds the lock that its workflow names.
    pub(crate) fn may_begin(&mut self) -> bool {
        match (&self.state.lock, self.state.cancelled) {
            // What was cancelled begins nothing: its jobs are over at once.
            (LockState::Held(_), _) | (_, true) => true,
            (LockState::Waiting(_), false) => false,
            (LockState::None, false) => match self.lock_name() {
                Ok(Some(lock)) => {
                    self.emit(Event::LockRequested { lock });
                    self.effect(Effect::AskLock);
                    false
                }
                // A lock without a name is the reason for which jobs are skipped.
                Ok(None) | Err(_) => true,
            },
        }
    }

    /// The name of the workflow's lock, its expressions evaluated with the run's inputs.
    pub(crate) fn lock_name(&self) -> Result<Option<String>, String> {
        let Some(template) = &self.program.workflow.lock else {
            return Ok(None);
        };
        let name = match template.render(&Inputs(self.state)) {
            Ok(Evaluated::Value(Value::String(name))) => name,
            Ok(Evaluated::Value(value)) => value.to_string(),
            Ok(Evaluated::DependsOn(what)) => {
                return Err(format!("its lock cannot be named: nothing is known of {what}"));
            }
            Err(error) => return Err(format!("its lock cannot be named: {error}")),
        };
        let is_word = |word: &str| {
            let is_fine = |next: char| next.is_ascii_alphanumeric() || matches!(next, '-' | '_' | '.');
            !word.is_empty() && word.chars().all(is_fine)
        };
        if name.len() > NAME_MAX || !name.split('/').all(is_word) {
            let shown: String = name.chars().take(40).collect();
            return Err(format!("`{shown}` is not a name of a lock"));
        }
        Ok(Some(name))
    }

    /// Asks whether it is the run's turn, if it waits for its lock.
    pub(crate) fn resume_lock(&mut self) {
        if matches!(self.state.lock, LockState::Waiting(_)) {
            self.effect(Effect::AskLock);
        }
    }

    pub(crate) fn lock_answered(&mut self, is_first: bool) {
        if let (LockState::Waiting(lock), true, false) = (&self.state.lock, is_first, self.state.cancelled) {
            let lock = lock.clone();
            self.emit(Event::LockTaken { lock });
            self.queue.push_back(Work::Jobs);
        }
    }
}
