//! Answers: callers are told, and the committed is broadcast, only after the transaction is durable.

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::error::{CommitError, ReadError};
use crate::inbox::Posted;
use crate::journal::CommittedTurn;
use crate::output::Appended;
use crate::writer::change::Refused;
use crate::writer::group::{Failure, Verdict};
use crate::writer::{Job, TurnAnswer, Writer};

/// Where news of commits goes.
pub(super) struct Answers {
    committed: broadcast::Sender<Arc<CommittedTurn>>,
    posted: broadcast::Sender<Posted>,
    appended: broadcast::Sender<Appended>,
}

impl Answers {
    pub(super) fn new(writer: &Writer) -> Self {
        Self {
            committed: writer.committed.clone(),
            posted: writer.posted.clone(),
            appended: writer.appended.clone(),
        }
    }

    /// Answers jobs whose transaction was committed, each with its own verdict.
    pub(super) fn send(&self, jobs: Vec<Job>, verdicts: Vec<Verdict>) {
        for (job, verdict) in jobs.into_iter().zip(verdicts) {
            match (job, verdict) {
                (Job::Turn(mut turn, reply), Verdict::Turn(verdict)) => {
                    if verdict.is_ok()
                        && self.committed.receiver_count() > 0
                        && let Some(news) = turn.committed.take()
                    {
                        let _ = self.committed.send(Arc::new(news));
                    }
                    let _ = reply.send(TurnAnswer { verdict, _rows: turn });
                }
                (Job::Change(change, reply), Verdict::Change(verdict)) => {
                    if let (true, Some(posted)) = (verdict.is_ok(), change.posted) {
                        let _ = self.posted.send(posted);
                    }
                    let _ = reply.send(verdict);
                }
                (Job::Chunk(chunk), _) => {
                    let _ = self.appended.send(Appended {
                        tenant: chunk.tenant,
                        run: chunk.run,
                        attempt: chunk.attempt,
                    });
                }
                (Job::Sign(_, reply), _) => {
                    let _ = reply.send(Ok(()));
                }
                (Job::Turn(..) | Job::Change(..), _) => {}
            }
        }
    }

    /// Wakes runs whose turn in the queue for a lock may have come.
    pub(super) fn wake(&self, runs: impl Iterator<Item = Posted>) {
        for posted in runs {
            let _ = self.posted.send(posted);
        }
    }

    /// Answers the job whose transaction failed: it was tried alone.
    pub(super) fn fail(&self, jobs: Vec<Job>, failure: Failure) {
        let Some(job) = jobs.into_iter().next() else {
            return;
        };
        match job {
            Job::Turn(turn, reply) => {
                let verdict = Err(match failure {
                    Failure::Database(error) | Failure::Read(ReadError::Database(error)) => {
                        CommitError::Database(error)
                    }
                    Failure::Read(error) => CommitError::Read(error),
                    Failure::Missed(table) => CommitError::Missed(table),
                });
                let _ = reply.send(TurnAnswer { verdict, _rows: turn });
            }
            Job::Change(_, reply) => {
                let _ = reply.send(Err(refused(failure)));
            }
            Job::Sign(_, reply) => {
                let _ = reply.send(Err(refused(failure)));
            }
            Job::Chunk(chunk) => {
                tracing::error!(error = %failure, attempt = %chunk.attempt, "output of an attempt is lost");
            }
        }
    }
}

fn refused(failure: Failure) -> Refused {
    match failure {
        Failure::Database(error) | Failure::Read(ReadError::Database(error)) => Refused::Database(error),
        Failure::Read(error) => Refused::Read(error),
        Failure::Missed(_) => Refused::Unmet,
    }
}
