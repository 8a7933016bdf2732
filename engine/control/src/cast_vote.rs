//! Votes on a request.
//!
//! A vote binds to the digest of what the voter looked at: if that is not what the request is about by now, the vote
//! is refused. A person has one vote per request. While it is open, the last one counts: somebody who voted yes may
//! still say no, which ends the request; a no is never taken back. A vote is not taken with a token or session that the
//! one who asks has made ([`ApprovalOn`]), and its record says which one it was cast with. The vote goes to the run's inbox in the transaction
//! that records it; the worker counts it, and asks the gate again when it dispatches a step.

use clawd_audit::Draft;
use clawd_model::api::CastVote;
use clawd_model::{ApprovalStatus, Digest, Vote, VoteId};
use clawd_store::{Message, WriteError};
use serde_json::json;

use crate::error::{Class, Explained};
use crate::gate::{ApprovalOn, Permit, Target, VoteCast};
use crate::list_approvals::status_word;

/// The longest comment.
const COMMENT_MAX: usize = 2000;

/// A vote was not cast.
#[derive(Debug, thiserror::Error)]
pub enum CastVoteError {
    /// Votes are no longer taken.
    #[error("the request is {0}")]
    NotOpen(&'static str),
    /// It is about something else than what the voter looked at.
    #[error("the request is about `{present}` now, and the vote is for `{seen}`")]
    SubjectChanged {
        /// What it is about.
        present: Digest,
        /// What the voter looked at.
        seen: Digest,
    },
    /// The comment is too long.
    #[error("the comment is longer than {COMMENT_MAX} characters")]
    CommentTooLong,
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[source] WriteError),
}

impl Explained for CastVoteError {
    fn class(&self) -> Class {
        match self {
            Self::NotOpen(_) | Self::SubjectChanged { .. } => Class::Conflict,
            Self::CommentTooLong => Class::Invalid,
            Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotOpen(_) => "approval-closed",
            Self::SubjectChanged { .. } => "subject-changed",
            Self::CommentTooLong => "comment-too-long",
            Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::SubjectChanged { .. } => {
                Some("look at the request again, and vote on what you see then".to_owned())
            }
            _ => None,
        }
    }
}

/// Votes on the request that the permit is for.
///
/// # Errors
/// When the request is not open, or about something else than what the voter looked at.
pub async fn cast_vote(permit: &Permit<VoteCast, ApprovalOn>, cast: CastVote) -> Result<Vote, CastVoteError> {
    let approval = &permit.on().approval;
    if approval.status != ApprovalStatus::Open {
        return Err(CastVoteError::NotOpen(status_word(approval.status)));
    }
    let present = approval.subject.digest();
    if cast.subject != present {
        return Err(CastVoteError::SubjectChanged {
            present,
            seen: cast.subject,
        });
    }
    if cast.comment.chars().count() > COMMENT_MAX {
        return Err(CastVoteError::CommentTooLong);
    }
    let app = permit.app();
    let now = app.now();
    let vote = Vote {
        id: VoteId::new(now, app.entropy()),
        approval: approval.id,
        subject: present,
        voter: permit.caller().principal().name.clone(),
        verdict: cast.verdict,
        comment: cast.comment,
        at: now,
        expires_at: now.plus(approval.vote_ttl_ms),
    };
    let run = approval.subject.run;
    let data = json!({
        "vote": vote.id, "verdict": vote.verdict, "subject": vote.subject, "comment": vote.comment,
        "expires_at": vote.expires_at, "bundle": permit.bundle(), "credential": permit.caller().provenance(),
    });
    let record = Draft {
        run: Some(run),
        ..permit.record("vote.cast", permit.on().subject(), data)
    };
    match permit
        .store()
        .post(&Message::Vote { vote: vote.clone() }, run, &[record])
        .await
    {
        Ok(()) => {}
        Err(WriteError::Missing(_)) => return Err(CastVoteError::NotOpen("closed: its run is over")),
        Err(error) => return Err(CastVoteError::Write(error)),
    }
    app.driver().wake(run);
    Ok(vote)
}

#[cfg(test)]
mod tests;
