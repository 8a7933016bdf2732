//! Asks the store whose turn it is to hold a run's lock.

use std::sync::Arc;
use std::time::Duration;

use clawd_scheduler::Input;

use crate::drive::{Driver, Mail};

/// The pause before a store that could not be read is asked again.
const PAUSE: Duration = Duration::from_secs(1);

impl Driver {
    /// The run's place in the queue is durable: is it the first? Whoever lets the lock go wakes the next one, after
    /// its commit; a run that asked before that is woken, and one that asks after it is the first.
    pub(crate) fn ask_lock(&self) {
        let (env, mailbox, stop) = (Arc::clone(&self.env), self.mailbox.clone(), self.stop.clone());
        let (tenant, run) = (self.state.tenant.clone(), self.state.run);
        tokio::spawn(async move {
            let store = env.deps.store.tenant(tenant);
            loop {
                match store.lock_of(run).await {
                    Ok(place) => {
                        let is_first = place.is_some_and(|place| place.ahead == 0);
                        let _ = mailbox.send(Mail::Input(Input::LockAnswered { is_first }));
                        return;
                    }
                    Err(error) => {
                        tracing::warn!(%run, %error, "the queue for the run's lock could not be read; trying again");
                    }
                }
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = mailbox.closed() => return,
                    () = tokio::time::sleep(PAUSE) => {}
                }
            }
        });
    }
}
