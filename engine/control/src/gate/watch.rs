//! What was just committed, for those who may see it.

use std::sync::Arc;

use clawd_store::{CommittedTurn, RunRow};
use tokio::sync::broadcast::Receiver;

use super::act::RunRead;
use super::permit::Permit;
use super::target::Whole;

impl Permit<RunRead, RunRow> {
    /// Turns of all runs, after they were committed. Whoever uses this picks those of the permit's run.
    pub(crate) fn committed(&self) -> Receiver<Arc<CommittedTurn>> {
        self.app().parts.store.committed()
    }
}

impl Permit<RunRead, Whole> {
    /// Turns of all runs, after they were committed. Whoever uses this picks those of the permit's tenant.
    pub(crate) fn committed(&self) -> Receiver<Arc<CommittedTurn>> {
        self.app().parts.store.committed()
    }
}
