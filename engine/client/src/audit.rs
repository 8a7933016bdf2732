//! The audit log.

use clawd_model::RunId;
use clawd_model::api::{AuditProof, AuditRecordView, AuditTreeView, Page};
use futures::{Stream, StreamExt};
use reqwest::Method;

use crate::client::{send, unreachable};
use crate::{Client, Error};

/// Which audit records to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct AuditQuery {
    /// Of this run only.
    pub run: Option<RunId>,
    /// Of this kind only: `vote.cast`; or of all that begin so: `vote.`.
    pub kind: Option<String>,
    /// Of this actor only: `user:ana`.
    pub actor: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
    /// After this place: the `next` of the page before.
    pub after: Option<String>,
}

impl Client {
    /// Audit records, newest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn audit(&self, which: &AuditQuery) -> Result<Page<AuditRecordView>, Error> {
        let texts = [
            ("run", which.run.map(|run| run.to_string())),
            ("kind", which.kind.clone()),
            ("actor", which.actor.clone()),
            ("limit", which.limit.map(|limit| limit.to_string())),
            ("after", which.after.clone()),
        ];
        let query: Vec<_> = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name, text?)))
            .collect();
        self.get(&["audit"], &query).await
    }

    /// One record, with the proof that it is in the log.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn audit_record(&self, index: u64) -> Result<AuditProof, Error> {
        self.get(&["audit", &index.to_string()], &[]).await
    }

    /// The present state of the log: size, root, newest checkpoint, verifier key.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn audit_tree(&self) -> Result<AuditTreeView, Error> {
        self.get(&["audit", "tree"], &[]).await
    }

    /// The whole log as JSON Lines, piece by piece, for offline verification.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn export_audit(&self) -> Result<impl Stream<Item = Result<Vec<u8>, Error>> + Unpin, Error> {
        let response = send(self.request(Method::GET, self.url(&["audit", "export"], &[]))).await?;
        Ok(Box::pin(response.bytes_stream().map(|piece| match piece {
            Ok(bytes) => Ok(bytes.to_vec()),
            Err(error) => Err(unreachable(error)),
        })))
    }
}
