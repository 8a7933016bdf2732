//! Requests for votes.

use clawd_model::api::{ApprovalView, CastVote, Page};
use clawd_model::{ApprovalId, Vote};

use crate::{Client, Error};

impl Client {
    /// Requests for votes, newest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn approvals(&self, open_only: bool) -> Result<Page<ApprovalView>, Error> {
        self.get(&["approvals"], &[("open", open_only.to_string())]).await
    }

    /// One request for votes, with what the job would change.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn approval(&self, id: ApprovalId) -> Result<ApprovalView, Error> {
        self.get(&["approvals", &id.to_string()], &[]).await
    }

    /// Votes.
    ///
    /// # Errors
    /// `subject-changed` when it is about something else by now, `approval-closed` when it is no longer open.
    pub async fn vote(&self, id: ApprovalId, vote: &CastVote) -> Result<Vote, Error> {
        self.post(&["approvals", &id.to_string(), "votes"], vote, None)
            .await
    }
}
