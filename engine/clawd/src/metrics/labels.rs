//! What numbers are told apart by. Every value comes from a short list that we wrote ourselves.

use prometheus_client::encoding::EncodeLabelSet;

/// How a run ended.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Ended {
    pub(super) outcome: &'static str,
}

/// What the gate said.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Answer {
    pub(super) answer: &'static str,
}

/// Which operation.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Of {
    pub(super) operation: String,
}

/// Which operation, and what an attempt of it came to.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Tried {
    pub(super) operation: String,
    pub(super) outcome: &'static str,
}

/// Which route, and how it was answered.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
pub(super) struct Reply {
    pub(super) method: &'static str,
    pub(super) route: String,
    pub(super) status: u16,
}
