//! The audit log: records in order, one record with its proof.

use askama::Template;
use clawd_model::Timestamp;

use super::shell::Shell;
use crate::ui::{Clocked, Code, Icon, Symbol};

/// One record in a list.
#[derive(Clone, Debug)]
pub(crate) struct AuditRow {
    pub(crate) index: u64,
    pub(crate) at: Timestamp,
    pub(crate) kind: String,
    /// What sort of fact it is, for the eye.
    pub(crate) symbol: Symbol,
    pub(crate) actor: String,
    pub(crate) subject: String,
    pub(crate) run: Option<String>,
}

impl AuditRow {
    /// The end of the run's id: enough to tell two apart in a list.
    fn run_tail(&self) -> String {
        let run = self.run.as_deref().unwrap_or_default();
        let cut = run.len().saturating_sub(6);
        format!("run …{}", run.get(cut..).unwrap_or(run))
    }
}

/// What the list is narrowed to.
#[derive(Clone, Debug, Default)]
pub(crate) struct AuditFilter {
    pub(crate) run: String,
    pub(crate) actor: String,
    pub(crate) kind: String,
    pub(crate) subject: String,
}

impl AuditFilter {
    fn is_set(&self) -> bool {
        !(self.run.is_empty() && self.actor.is_empty() && self.kind.is_empty() && self.subject.is_empty())
    }
}

/// The timeline.
#[derive(Clone, Debug, Template)]
#[template(path = "page/audit.html")]
pub(crate) struct AuditPage {
    pub(crate) shell: Shell,
    pub(crate) filter: AuditFilter,
    pub(crate) rows: Vec<AuditRow>,
    pub(crate) older: Option<String>,
    /// How many records the log holds.
    pub(crate) size: u64,
    /// The root hash over all of them.
    pub(crate) root: String,
    /// What is wrong with the filter.
    pub(crate) problem: Option<String>,
}

/// The proof that a record is in the log.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    pub(crate) leaf: String,
    /// The size of the tree that it is proven in.
    pub(crate) size: u64,
    pub(crate) root: String,
    /// The hashes from the leaf's sibling to the root's child.
    pub(crate) path: Vec<String>,
    /// The signed checkpoint over that root, if one covers the record.
    pub(crate) checkpoint: Option<String>,
}

/// One record.
#[derive(Clone, Debug, Template)]
#[template(path = "page/audit_record.html")]
pub(crate) struct AuditRecordPage {
    pub(crate) shell: Shell,
    pub(crate) row: AuditRow,
    /// What was recorded, readable.
    pub(crate) data: String,
    /// Exactly what is hashed.
    pub(crate) body: String,
    pub(crate) proof: Proof,
    pub(crate) newer: Option<u64>,
    pub(crate) older: Option<u64>,
}

impl AuditRecordPage {
    fn data_listing(&self) -> Code {
        Code::new("data of the record", &self.data)
    }

    fn body_listing(&self) -> Code {
        Code::new("bytes that are hashed", &self.body)
    }
}
