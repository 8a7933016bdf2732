//! Audit records: what is said (a draft), and what is hashed (its canonical body).
//!
//! The body is JSON with sorted keys and no white space; its bytes are the leaf. A record's index is known only
//! when it is appended, so a draft is rendered beforehand around the gap where the index goes
//! ([`Draft::prepare`]): whoever appends only fills in the number and hashes.

use std::fmt::Write as _;
use std::io::Write as _;

use clawd_model::{RunId, TenantName, Timestamp, canonical};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::hash::{Hash, leaf_hash};

/// What is to be recorded, before it has a place in the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    /// What happened: `attempt.started`.
    pub kind: &'static str,
    /// Who did it: `user:ana`, `engine`.
    pub actor: String,
    /// In which run, if in one.
    pub run: Option<RunId>,
    /// To what: `rollout/web-1/apply`, `server/web-1`.
    pub subject: String,
    /// Everything else that is worth knowing. Never a secret; large output only as its digest.
    pub data: Value,
}

/// An entry of a tenant's log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// Its place, from 0, without gaps.
    pub index: u64,
    /// When.
    pub at: Timestamp,
    /// Whose log.
    pub tenant: TenantName,
    /// What happened: `attempt.started`.
    pub kind: String,
    /// Who did it: `user:ana`, `engine`.
    pub actor: String,
    /// In which run, if in one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// To what: `rollout/web-1/apply`, `server/web-1`.
    pub subject: String,
    /// Everything else that is worth knowing.
    pub data: Value,
}

impl Record {
    /// Canonical JSON: exactly what is hashed and stored.
    #[must_use]
    pub fn body(&self) -> String {
        render(
            &self.actor,
            self.at,
            &self.data,
            &self.kind,
            self.run,
            &self.subject,
            &self.tenant,
        )
        .body(self.index)
    }

    /// The leaf of a body.
    #[must_use]
    pub fn leaf(body: &str) -> Hash {
        leaf_hash(body.as_bytes())
    }

    /// Reads a body back.
    ///
    /// # Errors
    /// When it is not a record.
    pub fn parse(body: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(body)
    }
}

/// A rendered draft that lacks only its index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prepared {
    text: String,
    gap: usize,
    run: Option<RunId>,
}

impl Draft {
    /// Renders everything but the index.
    #[must_use]
    pub fn prepare(&self, tenant: &TenantName, at: Timestamp) -> Prepared {
        render(
            &self.actor,
            at,
            &self.data,
            self.kind,
            self.run,
            &self.subject,
            tenant,
        )
    }
}

impl Prepared {
    /// The run that it belongs to, if to one.
    #[must_use]
    pub const fn run(&self) -> Option<RunId> {
        self.run
    }

    /// How long the text is, without its index.
    #[must_use]
    pub fn len(&self) -> usize {
        self.text.len()
    }

    /// Never: a record is at least its keys.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The body of the record at `index`.
    #[must_use]
    pub fn body(&self, index: u64) -> String {
        let (head, tail) = self.text.split_at(self.gap);
        format!("{head}{index}{tail}")
    }

    /// Appends the body of the record at `index`, and tells its leaf.
    pub fn append_to(&self, out: &mut Vec<u8>, index: u64) -> Hash {
        let (head, tail) = self.text.split_at(self.gap);
        let start = out.len();
        out.extend_from_slice(head.as_bytes());
        let _ = write!(out, "{index}");
        out.extend_from_slice(tail.as_bytes());
        leaf_hash(out.get(start..).unwrap_or_default())
    }
}

/// Keys in the order of their bytes: actor, at, data, index, kind, run, subject, tenant.
fn render(
    actor: &str,
    at: Timestamp,
    data: &Value,
    kind: &str,
    run: Option<RunId>,
    subject: &str,
    tenant: &TenantName,
) -> Prepared {
    let mut text = String::with_capacity(512);
    text.push_str(r#"{"actor":"#);
    canonical::push_text(&mut text, actor);
    let _ = write!(text, r#","at":{},"data":"#, at.0);
    canonical::push(&mut text, data);
    text.push_str(r#","index":"#);
    let gap = text.len();
    text.push_str(r#","kind":"#);
    canonical::push_text(&mut text, kind);
    if let Some(run) = run {
        let _ = write!(text, r#","run":"{run}""#);
    }
    text.push_str(r#","subject":"#);
    canonical::push_text(&mut text, subject);
    let _ = write!(text, r#","tenant":"{tenant}"}}"#);
    Prepared { text, gap, run }
}
