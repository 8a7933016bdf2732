//! The name of a workflow: a digest of what its document says, not of how it is written.
//!
//! Formatting, comments, quotes and the order of keys do not count. The order of jobs and inputs does, since runs
//! refer to jobs by their place. The digest is taken from the document and not from the validated workflow, so that
//! a later version of this program gives an old document the same name: a run is pinned to it for life.

use clawd_model::Digest;
use serde_json::{Value, json};

use crate::parse::{Kind, Node};

/// Changes when the digest of an unchanged document would change.
const FORMAT: u32 = 1;

/// The digest of a document.
pub(crate) fn of(root: &Node) -> Digest {
    let mut document = root.to_value();
    if let Value::Object(fields) = &mut document {
        for key in ["jobs", "inputs"] {
            if let Some(Node {
                kind: Kind::Map(entries),
                ..
            }) = root.get(key)
            {
                let pairs = entries
                    .iter()
                    .map(|entry| json!([entry.key.value, entry.value.to_value()]))
                    .collect();
                fields.insert(key.to_owned(), Value::Array(pairs));
            }
        }
    }
    Digest::of_value(&json!({"format": FORMAT, "document": document}))
}
