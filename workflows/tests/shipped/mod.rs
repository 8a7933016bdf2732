//! What the tests of this crate share.

use std::collections::BTreeMap;

use clawd_model::{OperationName, OperationSpec};

/// The operations that ship, by name.
pub(crate) fn specs() -> BTreeMap<OperationName, OperationSpec> {
    clawd_provider::contract::all()
        .into_iter()
        .map(|spec| (spec.name.clone(), spec))
        .collect()
}
