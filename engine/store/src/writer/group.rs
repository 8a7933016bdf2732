//! One group: all jobs that wait, in one transaction.
//!
//! Turns are checked one by one against the leases and the ends of their journals, then inserted together;
//! control writes follow, each in a savepoint; then output. What is refused leaves no trace. If the transaction
//! itself fails, each job is tried alone, so that the one that cannot be committed is the only one to fail.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clawd_audit::SigningKey;
use clawd_model::{Clock, RunId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;
use tokio::sync::broadcast;
use tracing::Instrument as _;

use crate::error::{CommitError, ReadError};
use crate::inbox::Posted;
use crate::journal::CommittedTurn;
use crate::output::Appended;
use crate::sql::sql;
use crate::writer::bulk::Bulk;
use crate::writer::change::{Answer, Refused};
use crate::writer::heads::{Head, Heads};
use crate::writer::log::Logs;
use crate::writer::{Counters, Job, TurnRows, Writer, rows};

/// What becomes of one job of a group, if the group is committed.
enum Verdict {
    Turn(Result<(), CommitError>),
    Change(Result<Vec<Answer>, Refused>),
    Done,
}

/// Everything the writer's task owns.
pub(super) struct State {
    connection: SqliteConnection,
    clock: Arc<dyn Clock>,
    logs: Logs,
    heads: Heads,
    counters: Arc<Counters>,
    committed: broadcast::Sender<Arc<CommittedTurn>>,
    posted: broadcast::Sender<Posted>,
    appended: broadcast::Sender<Appended>,
}

impl State {
    pub(super) fn new(
        connection: SqliteConnection,
        clock: Arc<dyn Clock>,
        key: SigningKey,
        writer: &Writer,
    ) -> Self {
        Self {
            connection,
            clock,
            logs: Logs::new(key),
            heads: Heads::default(),
            counters: Arc::clone(&writer.counters),
            committed: writer.committed.clone(),
            posted: writer.posted.clone(),
            appended: writer.appended.clone(),
        }
    }

    /// Commits a group and answers its jobs.
    pub(super) async fn group(&mut self, jobs: Vec<Job>) {
        let span = tracing::debug_span!("db.group.commit", jobs = jobs.len());
        if let Err(error) = self.attempt(jobs).instrument(span).await {
            // The jobs that were not answered were dropped with their senders: their callers see a closed store.
            tracing::error!(%error, "the database cannot even roll back");
        }
    }

    async fn attempt(&mut self, jobs: Vec<Job>) -> Result<(), sqlx::Error> {
        match self.transaction(&jobs).await {
            Ok(verdicts) => self.answer(jobs, verdicts),
            Err(error) if jobs.len() == 1 => {
                self.roll_back().await?;
                fail(jobs, error);
            }
            Err(error) => {
                tracing::warn!(%error, jobs = jobs.len(), "a group of commits failed; trying them one by one");
                self.roll_back().await?;
                for job in jobs {
                    let alone = std::slice::from_ref(&job);
                    match self.transaction(alone).await {
                        Ok(verdicts) => self.answer(vec![job], verdicts),
                        Err(error) => {
                            self.roll_back().await?;
                            fail(vec![job], error);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Undoes the open transaction, if SQLite has not done so itself, and all that was remembered of it.
    async fn roll_back(&mut self) -> Result<(), sqlx::Error> {
        self.heads.forget();
        self.logs.forget();
        match sql("ROLLBACK").run(&mut self.connection).await {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(error)) if error.message().contains("no transaction is active") => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// Everything up to and including COMMIT.
    async fn transaction(&mut self, jobs: &[Job]) -> Result<Vec<Verdict>, ReadError> {
        let leases = self.begin().await?;
        let mut verdicts = Vec::with_capacity(jobs.len());
        let mut heads: HashMap<RunId, Head> = HashMap::new();
        let mut bulk = Bulk::new();
        for job in jobs {
            verdicts.push(match job {
                Job::Turn(turn, _) => {
                    let admitted = self.admit(turn, &leases, &mut heads).await?;
                    if admitted.is_ok() {
                        bulk.add(turn);
                        self.logs
                            .append(&mut self.connection, &turn.tenant, &turn.audit, &mut bulk.audit)
                            .await?;
                    }
                    Verdict::Turn(admitted)
                }
                Job::Change(..) | Job::Chunk(_) | Job::Sign(..) => Verdict::Done,
            });
        }
        let turns = bulk.turns;
        let only_turns = !self.logs.has_filled() && jobs.iter().all(|job| matches!(job, Job::Turn(..)));
        if only_turns {
            bulk.statement(rows::APPEND_AND_COMMIT)
                .run(&mut self.connection)
                .await?;
        } else {
            if turns > 0 {
                bulk.statement(rows::APPEND).run(&mut self.connection).await?;
            }
            self.others(jobs, &mut verdicts).await?;
            sql("COMMIT").run(&mut self.connection).await?;
        }
        for (run, head) in heads {
            self.heads.set(run, head);
        }
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        if turns > 0 {
            self.counters.turns.fetch_add(turns, Ordering::Relaxed);
            self.counters.turn_commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(verdicts)
    }

    /// Opens the transaction, taking the write lock at once, so that the leases read now hold until its end.
    async fn begin(&mut self) -> Result<HashMap<u16, u64>, ReadError> {
        let (_, rows) = sql("BEGIN IMMEDIATE; SELECT shard, epoch FROM leases WHERE holder IS NOT NULL")
            .run(&mut self.connection)
            .await?;
        let mut leases = HashMap::with_capacity(rows.len());
        for row in &rows {
            let (shard, epoch): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            if let (Ok(shard), Ok(epoch)) = (u16::try_from(shard), u64::try_from(epoch)) {
                leases.insert(shard, epoch);
            }
        }
        Ok(leases)
    }

    /// Checks a turn: the lease's epoch, then the place in the journal.
    async fn admit(
        &mut self,
        turn: &TurnRows,
        leases: &HashMap<u16, u64>,
        heads: &mut HashMap<RunId, Head>,
    ) -> Result<Result<(), CommitError>, ReadError> {
        if leases.get(&turn.shard) != Some(&turn.epoch) {
            return Ok(Err(CommitError::Fenced {
                shard: turn.shard,
                epoch: turn.epoch,
            }));
        }
        let head = match heads.get(&turn.run) {
            Some(head) => Some(head.clone()),
            None => self.heads.get(&mut self.connection, turn.run).await?,
        };
        let next = head.as_ref().map_or(1, |head| head.last_seq + 1);
        if next != turn.first_seq {
            return Ok(Err(CommitError::Conflict {
                expected: next,
                found: turn.first_seq,
            }));
        }
        if head.as_ref().is_some_and(|head| head.tenant != turn.tenant) {
            return Ok(Err(CommitError::Invalid("the run belongs to another tenant")));
        }
        if head.is_some_and(|head| head.finished) {
            return Ok(Err(CommitError::Invalid("the run is finished")));
        }
        let head = Head {
            tenant: turn.tenant.clone(),
            last_seq: turn.first_seq + turn.events - 1,
            finished: turn.finished,
        };
        heads.insert(turn.run, head);
        Ok(Ok(()))
    }

    /// Control writes, output, tiles and checkpoints.
    async fn others(&mut self, jobs: &[Job], verdicts: &mut [Verdict]) -> Result<(), ReadError> {
        let now = self.clock.now();
        let mut audit = String::from("[");
        for (job, verdict) in jobs.iter().zip(verdicts) {
            match job {
                Job::Change(change, _) => {
                    let applied = change.apply(&mut self.connection).await;
                    if let (Ok(_), Some(tenant)) = (&applied, &change.tenant) {
                        self.logs
                            .append(&mut self.connection, tenant, &change.audit, &mut audit)
                            .await?;
                    }
                    *verdict = Verdict::Change(applied);
                }
                Job::Chunk(chunk) => chunk.append(&mut self.connection).await?,
                Job::Turn(..) | Job::Sign(..) => {}
            }
        }
        if audit.len() > 1 {
            audit.push(']');
            sql(rows::APPEND_AUDIT)
                .bind(audit)
                .run(&mut self.connection)
                .await?;
        }
        self.logs.settle(&mut self.connection, now).await?;
        for job in jobs {
            if let Job::Sign(tenant, _) = job {
                self.logs.sign(&mut self.connection, tenant, now).await?;
            }
        }
        Ok(())
    }

    fn answer(&self, jobs: Vec<Job>, verdicts: Vec<Verdict>) {
        for (job, verdict) in jobs.into_iter().zip(verdicts) {
            match (job, verdict) {
                (Job::Turn(turn, reply), Verdict::Turn(verdict)) => {
                    if verdict.is_ok() && self.committed.receiver_count() > 0 {
                        let _ = self.committed.send(Arc::new(turn.committed));
                    }
                    let _ = reply.send(verdict);
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

    /// Signs what is unsigned, and closes the file.
    pub(super) async fn finish(mut self) {
        for tenant in self.logs.unsigned() {
            let signed = async {
                sql("BEGIN IMMEDIATE").run(&mut self.connection).await?;
                let now = self.clock.now();
                self.logs.sign(&mut self.connection, &tenant, now).await?;
                sql("COMMIT").run(&mut self.connection).await?;
                Ok::<(), ReadError>(())
            };
            if let Err(error) = signed.await {
                tracing::warn!(%error, %tenant, "no last checkpoint of the audit log; the next start signs one");
                let _ = sql("ROLLBACK").run(&mut self.connection).await;
            }
        }
        if let Err(error) = sqlx::Connection::close(self.connection).await {
            tracing::warn!(%error, "the database was not closed cleanly; nothing that was committed is lost");
        }
    }
}

/// Answers jobs whose transaction failed.
fn fail(jobs: Vec<Job>, error: ReadError) {
    let Some(job) = jobs.into_iter().next() else {
        return;
    };
    match job {
        Job::Turn(_, reply) => {
            let _ = reply.send(Err(match error {
                ReadError::Database(error) => CommitError::Database(error),
                other => CommitError::Read(other),
            }));
        }
        Job::Change(_, reply) => {
            let _ = reply.send(Err(refused(error)));
        }
        Job::Sign(_, reply) => {
            let _ = reply.send(Err(refused(error)));
        }
        Job::Chunk(chunk) => {
            tracing::error!(%error, attempt = %chunk.attempt, "output of an attempt is lost");
        }
    }
}

fn refused(error: ReadError) -> Refused {
    match error {
        ReadError::Database(error) => Refused::Database(error),
        other => Refused::Read(other),
    }
}
