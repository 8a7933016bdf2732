//! What an operation is given beside its input.

use std::sync::Arc;

use clawd_model::{AttemptId, Clock, DurationMs, Server, TenantName};
use tokio_util::sync::CancellationToken;

use crate::Redactor;

/// Which stream a piece of output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Words of the provider itself: `waiting for the dpkg lock`.
    Note,
}

/// Takes an attempt's output as it appears. The engine redacts, limits and keeps it; an operation only writes.
pub trait OutputSink: Send + Sync {
    /// Takes a piece, of any length, at any border.
    fn write(&self, stream: Stream, bytes: &[u8]);
}

/// A sink for those who do not care.
#[derive(Clone, Copy, Debug, Default)]
pub struct DiscardOutput;

impl OutputSink for DiscardOutput {
    fn write(&self, _stream: Stream, _bytes: &[u8]) {}
}

/// What an operation is given beside its input.
#[derive(Clone)]
pub struct Context {
    /// For whom.
    pub tenant: TenantName,
    /// The server of the lane; absent for lanes of the controller.
    pub server: Option<Arc<Server>>,
    /// The key of this attempt; absent in `check`.
    pub attempt: Option<AttemptId>,
    /// The fencing number of the lease under which this is done; 0 in `check` of a plan.
    pub epoch: u64,
    /// The limit of this call.
    pub timeout: DurationMs,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Strikes the secrets of this call out of text. To be used before text for people is cut, quoted or escaped.
    pub redactor: Redactor,
    /// Where output goes.
    pub output: Arc<dyn OutputSink>,
    /// Ends when the run is cancelled, but never in `verify`. An operation may stop early; it must say honestly what it
    /// left behind.
    pub cancel: CancellationToken,
}
