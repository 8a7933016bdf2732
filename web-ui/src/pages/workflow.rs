//! The workflow of a runbook's source: for its graph, its steps, and the form of its inputs.
//!
//! Only for showing: which workflow is run is the engine's to say. A runbook that does not fit the operations that
//! ship is shown without these.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use clawd_model::api::RunbookView;
use clawd_model::{OperationName, OperationSpec};
use clawd_provider::contract;
use clawd_workflow::{Workflow, check};

static SPECS: LazyLock<BTreeMap<OperationName, OperationSpec>> = LazyLock::new(|| {
    contract::all()
        .into_iter()
        .map(|spec| (spec.name.clone(), spec))
        .collect()
});

/// The workflow, if it is the one that the digest names.
pub(super) fn of(runbook: &RunbookView) -> Option<Workflow> {
    check(&runbook.source, &SPECS)
        .workflow
        .filter(|workflow| workflow.digest == runbook.summary.digest)
}

/// The description of an operation.
pub(super) fn operation(name: &OperationName) -> Option<&'static OperationSpec> {
    SPECS.get(name)
}
