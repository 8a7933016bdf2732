//! Reads the audit log: pages for people, proofs for those who do not trust us.

use clawd_audit::{Checkpoint, CheckpointError, Hash, Record, Tree};
use clawd_model::RunId;
use clawd_model::api::{AuditProof, AuditRecordView, AuditTreeView, Page};
use clawd_store::{AuditFilter, ReadError, WriteError};

use crate::error::{Class, Explained};
use crate::gate::{AuditRead, Permit};

/// Which records. The default is all.
#[derive(Clone, Debug, Default)]
pub struct ListAudit {
    /// Of this run only.
    pub run: Option<RunId>,
    /// Of this kind only, or of kinds that begin with it and a dot: `vote` finds `vote.cast`.
    pub kind: Option<String>,
    /// By this actor only: `user:ana`.
    pub actor: Option<String>,
    /// About this only: `server/web-1`.
    pub subject: Option<String>,
    /// After this one: the `next` of the page before.
    pub after: Option<u64>,
    /// At most so many; 50 when absent, at most 200.
    pub limit: Option<u32>,
}

/// The log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum AuditError {
    /// There is no such record.
    #[error("there is no audit record {0}")]
    NoSuchRecord(u64),
    /// A stored checkpoint is not what was signed.
    #[error("a stored checkpoint does not hold")]
    Checkpoint(#[from] CheckpointError),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The store could not be written: a checkpoint is signed for what is shown.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl Explained for AuditError {
    fn class(&self) -> Class {
        match self {
            Self::NoSuchRecord(_) => Class::NotFound,
            Self::Checkpoint(_) | Self::Read(_) | Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchRecord(_) => "not-found",
            Self::Checkpoint(_) => "audit",
            Self::Read(_) | Self::Write(_) => "store",
        }
    }
}

/// Records of the tenant, newest first.
///
/// # Errors
/// When the store fails.
pub async fn list_audit(
    permit: &Permit<AuditRead>,
    which: ListAudit,
) -> Result<Page<AuditRecordView>, AuditError> {
    let limit = crate::page::limit(which.limit);
    let filter = AuditFilter {
        run: which.run,
        actor: which.actor,
        kind: which.kind,
        subject: which.subject,
        before: which.after,
        limit: limit.saturating_add(1),
    };
    let records = permit.store().audit(&filter).await?;
    let (records, next) = crate::page::cut(records, limit, |record: &Record| record.index.to_string());
    Ok(Page {
        items: records.into_iter().map(record_view).collect(),
        next,
    })
}

/// One record, with the proof that it is in the log of a signed checkpoint.
///
/// # Errors
/// When there is no such record, or the store fails.
pub async fn show_audit(permit: &Permit<AuditRead>, index: u64) -> Result<AuditProof, AuditError> {
    let missing = || AuditError::NoSuchRecord(index);
    let record = permit.store().audit_record(index).await?.ok_or_else(missing)?;
    let proof = permit.store().audit_proof(index).await?.ok_or_else(missing)?;
    let verifier = permit.store().verifier_key();
    let signed = Checkpoint::verify(&proof.checkpoint.note, &verifier)?;
    Ok(AuditProof {
        record: record_view(record),
        body: proof.body,
        leaf: proof.leaf.to_hex(),
        tree: AuditTreeView {
            size: signed.size,
            root: signed.root.to_hex(),
            checkpoint: Some(proof.checkpoint.note),
            verifier_key: verifier.to_string(),
        },
        path: proof.path.iter().map(Hash::to_hex).collect(),
    })
}

/// The log as it stands now, with the newest signed checkpoint.
///
/// # Errors
/// When the store fails.
pub async fn audit_tree(permit: &Permit<AuditRead>) -> Result<AuditTreeView, AuditError> {
    let leaves = permit.store().audit_leaves().await?;
    let tree = Tree::from_leaves(leaves);
    let checkpoint = permit
        .store()
        .checkpoints()
        .await?
        .pop()
        .map(|checkpoint| checkpoint.note);
    Ok(AuditTreeView {
        size: tree.size(),
        root: tree.root().to_hex(),
        checkpoint,
        verifier_key: permit.store().verifier_key().to_string(),
    })
}

fn record_view(record: Record) -> AuditRecordView {
    AuditRecordView {
        index: record.index,
        at: record.at,
        kind: record.kind,
        actor: record.actor,
        run: record.run,
        subject: record.subject,
        data: record.data,
    }
}
