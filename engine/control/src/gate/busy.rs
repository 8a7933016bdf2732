//! Which keyed requests are under way in this process.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use clawd_model::Digest;

use super::app::App;

/// Requests that are under way.
#[derive(Default)]
pub(super) struct Requests(Mutex<HashSet<Digest>>);

/// Holds a request's place until it is dropped.
pub(crate) struct Busy {
    requests: Arc<Requests>,
    mark: Digest,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.requests
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.mark);
    }
}

impl App {
    /// Takes the place of a request; `None` when it is under way already.
    pub(crate) fn busy(&self, mark: Digest) -> Option<Busy> {
        let free = self
            .requests
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(mark);
        free.then(|| Busy {
            requests: Arc::clone(&self.requests),
            mark,
        })
    }
}
