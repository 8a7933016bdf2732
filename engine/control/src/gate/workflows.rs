//! Validated workflows by digest, kept in memory: they never change.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use clawd_model::Digest;
use clawd_workflow::Workflow;

use super::app::App;

/// How many are kept; beyond that all are dropped and read again as they are needed.
const KEPT: usize = 256;

/// Validated workflows by digest.
#[derive(Default)]
pub(super) struct Workflows(Mutex<HashMap<Digest, Arc<Workflow>>>);

impl App {
    /// The workflow of this source; `None` when it does not fit the operations of this process, or has another
    /// digest with them.
    pub(crate) fn workflow(&self, digest: Digest, source: &str) -> Option<Arc<Workflow>> {
        let lock = || self.workflows.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&digest) {
            return Some(Arc::clone(known));
        }
        let workflow = clawd_workflow::check(source, self.registry().specs()).workflow?;
        if workflow.digest != digest {
            return None;
        }
        let workflow = Arc::new(workflow);
        let mut known = lock();
        if known.len() >= KEPT {
            known.clear();
        }
        known.insert(digest, Arc::clone(&workflow));
        Some(workflow)
    }
}
