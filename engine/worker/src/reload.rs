//! Reads a run back as it is stored, when what is in memory can no longer be trusted.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use clawd_model::{DurationMs, ErrorKind, StepError};
use clawd_scheduler::Input;
use clawd_store::{CommitError, WriteError};
use futures::FutureExt as _;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::claim::LEASE;
use crate::drive::{Driver, Mail};
use crate::env::Env;
use crate::load;

/// How long a run that could not be stored or loaded waits before it is loaded anew.
const PAUSE: DurationMs = DurationMs::from_secs(1);
/// The pause doubles so often at most.
pub(crate) const DOUBLINGS_MAX: u32 = 5;
/// How often a run may decide what can never be stored.
const HOPELESS_MAX: u32 = 2;

/// The pause before the next try: longer each time, up to so many doublings.
pub(crate) fn pause(tries: u32, doublings_max: u32) -> Duration {
    PAUSE.to_std() * 2_u32.saturating_pow(tries.min(doublings_max))
}

/// Whether the lease on a shard is still ours, as the store says: attempts are not taken up again without it.
pub(crate) async fn is_ours(env: &Env, shard: u16) -> Result<bool, WriteError> {
    let Some(lease) = env.lease(shard) else {
        return Ok(false);
    };
    Ok(env.deps.store.renew(&lease, LEASE).await?.is_some())
}

impl Driver {
    /// Reads the run back as it is stored, and goes on from there. Until that is done nothing is decided: the state
    /// in memory says things that never happened. False when that is no longer ours to do.
    pub(crate) async fn reload(&mut self, mail: &mut mpsc::UnboundedReceiver<Mail>) -> bool {
        let run = self.state.run;
        // Others may have the room meanwhile.
        self.passed.clear();
        self.rooms.clear();
        self.queued.clear();
        let mut kept: Vec<Mail> = self.first.drain(..).filter(is_outcome).collect();
        loop {
            let pause = pause(self.refused, DOUBLINGS_MAX);
            self.refused = self.refused.saturating_add(1);
            if !self.wait(pause, mail, &mut kept).await {
                return false;
            }
            match AssertUnwindSafe(self.read_back()).catch_unwind().await {
                Ok(Ok(true)) => break,
                Ok(Ok(false)) => {
                    tracing::warn!(%run, "another node has the run; leaving it");
                    return false;
                }
                Ok(Err(error)) => tracing::error!(%run, %error, "the run could not be loaded; trying again"),
                Err(_) => tracing::error!(%run, "loading the run ended in a panic; trying again"),
            }
        }
        self.stale = false;
        self.status = None;
        // Outcomes that were not stored are told again, before anybody asks for them.
        let ended = std::mem::take(&mut self.ended).into_iter().map(Mail::Finished);
        let rest = [Mail::Input(Input::Resume), Mail::Inbox];
        self.first = ended.chain(kept).chain(rest).collect();
        true
    }

    /// A turn that can never be stored is decided anew, since the state in memory may have been to blame; but not for
    /// ever: then the run ends, and says why. False when not even that can be stored: the run is left as it is.
    pub(crate) fn give_up(&mut self, error: &CommitError) -> bool {
        self.hopeless += 1;
        let run = self.state.run;
        if self.hopeless > HOPELESS_MAX {
            tracing::error!(%run, %error, "not even the end of the run can be stored; leaving it until the next start");
            return false;
        }
        if self.hopeless == HOPELESS_MAX {
            tracing::error!(%run, %error, "what the run decides can never be stored; giving it up");
            let message = format!("the engine gave the run up: {error}");
            let error = StepError::new(ErrorKind::Internal, message).with_hint(
                "look at what its steps did, and start what is left in smaller runs; the process's log says more",
            );
            self.first = VecDeque::from([Mail::Input(Input::GiveUp { error })]);
        }
        true
    }

    /// Waits. Only outcomes that come meanwhile are kept, and nothing holds room: whatever else is asked for anew.
    async fn wait(
        &self,
        pause: Duration,
        mail: &mut mpsc::UnboundedReceiver<Mail>,
        kept: &mut Vec<Mail>,
    ) -> bool {
        let until = Instant::now() + pause;
        loop {
            tokio::select! {
                biased;
                () = self.over.cancelled() => return false,
                () = tokio::time::sleep_until(until) => return true,
                next = mail.recv() => kept.extend(next.filter(is_outcome)),
            }
        }
    }

    /// False when the lease is no longer ours.
    async fn read_back(&mut self) -> Result<bool, Box<dyn std::error::Error + Send + Sync>> {
        if !is_ours(&self.env, self.shard).await? {
            return Ok(false);
        }
        (self.program, self.state) = load::again(&self.env, &self.state.tenant, self.state.run).await?;
        Ok(true)
    }
}

fn is_outcome(mail: &Mail) -> bool {
    matches!(mail, Mail::Finished(_))
}
