//! A tenant's whole audit log as the text that [`clawd_audit::export`] describes, piece by piece.

use std::collections::VecDeque;

use clawd_audit::Checkpoint;
use clawd_audit::export::{checkpoint_line, header_line};

use crate::audit::StoredCheckpoint;
use crate::error::WriteError;
use crate::tenant::TenantStore;

/// How many records one piece holds at most.
const PIECE: u64 = 500;

/// An export under way. It ends with the checkpoint that was signed when it began; what is recorded meanwhile is
/// not part of it.
#[derive(Debug)]
pub struct AuditExport {
    store: TenantStore,
    header: Option<String>,
    /// The next record.
    position: u64,
    size: u64,
    /// Those that still have to be written, by size.
    checkpoints: VecDeque<StoredCheckpoint>,
}

impl TenantStore {
    /// Signs a checkpoint of the log as it is now, and begins an export of everything that it covers.
    ///
    /// # Errors
    /// When the database fails.
    #[tracing::instrument(name = "db.audit.export", skip_all)]
    pub async fn export_audit(&self) -> Result<AuditExport, WriteError> {
        let last = self.checkpoint().await?;
        let mut checkpoints: VecDeque<_> = self.checkpoints().await?.into();
        // One key signs an export: what an earlier key signed, the last checkpoint covers as well.
        let key = self.verifier_key();
        checkpoints.retain(|checkpoint| {
            checkpoint.size <= last.size && Checkpoint::verify(&checkpoint.note, &key).is_ok()
        });
        Ok(AuditExport {
            header: Some(header_line(&self.tenant, last.size, &key)?),
            store: self.clone(),
            position: 0,
            size: last.size,
            checkpoints,
        })
    }
}

impl AuditExport {
    /// The next lines, each with its line feed; `None` at the end.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self) -> Result<Option<String>, WriteError> {
        let mut lines = String::new();
        if let Some(header) = self.header.take() {
            push(&mut lines, &header);
        }
        let count = PIECE.min(self.size - self.position);
        let bodies = match u32::try_from(count) {
            Ok(count @ 1..) => self.store.audit_bodies(self.position, count).await?,
            _ => Vec::new(),
        };
        if (bodies.len() as u64) < count {
            return Err(WriteError::Missing("audit record"));
        }
        self.push_checkpoints(&mut lines)?;
        for body in bodies {
            push(&mut lines, &body);
            self.position += 1;
            self.push_checkpoints(&mut lines)?;
        }
        Ok((!lines.is_empty()).then_some(lines))
    }

    /// Every checkpoint stands right after the last record that it covers.
    fn push_checkpoints(&mut self, lines: &mut String) -> Result<(), WriteError> {
        while let Some(checkpoint) = self.checkpoints.pop_front_if(|next| next.size <= self.position) {
            push(lines, &checkpoint_line(&checkpoint.note)?);
        }
        Ok(())
    }
}

fn push(lines: &mut String, line: &str) {
    lines.push_str(line);
    lines.push('\n');
}
