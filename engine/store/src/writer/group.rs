//! One group: all jobs that wait, in one transaction.
//!
//! Turns are checked one by one against the leases and the ends of their journals, then inserted together;
//! control writes follow, each in a savepoint; then output. What is refused leaves no trace. If the transaction
//! itself fails, each job is tried alone, so that the one that cannot be committed is the only one to fail.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clawd_audit::{Prepared, SigningKey};
use clawd_model::{Clock, RunId};
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;
use tracing::Instrument as _;

use crate::error::{CommitError, ReadError};
use crate::inbox::Posted;
use crate::row::Row;
use crate::sql::sql;
use crate::store::{CommitPoint, CommitWatch};
use crate::writer::answer::Answers;
use crate::writer::bulk::{Bulk, Step};
use crate::writer::change::{Answer, Refused};
use crate::writer::heads::{Head, Heads};
use crate::writer::log::Logs;
use crate::writer::packed::Packed;
use crate::writer::{Counters, Job, TurnRows, Writer, rows};

/// About how many bytes one transaction takes at most; a job that is larger is taken alone.
const BYTES_MAX: usize = 32 * 1024 * 1024;

/// What becomes of one job of a group, if the group is committed.
pub(super) enum Verdict {
    Turn(Result<(), CommitError>),
    Change(Result<Vec<Answer>, Refused>),
    Done,
}

/// Why a transaction was given up.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("the database holds something that cannot be")]
    Read(#[from] ReadError),
    #[error("rows of `{0}` were not written as they had to be")]
    Missed(&'static str),
}

/// Everything the writer's task owns.
pub(super) struct State {
    connection: SqliteConnection,
    clock: Arc<dyn Clock>,
    logs: Logs,
    heads: Heads,
    counters: Arc<Counters>,
    answers: Answers,
    /// Runs to wake once the transaction is durable: they come next behind those that let a lock go in it.
    freed: Vec<Posted>,
    /// The file's version when it was last looked at.
    version: Option<i64>,
    watch: Option<CommitWatch>,
}

impl State {
    pub(super) fn new(
        connection: SqliteConnection,
        clock: Arc<dyn Clock>,
        key: SigningKey,
        writer: &Writer,
        watch: Option<CommitWatch>,
    ) -> Self {
        Self {
            connection,
            clock,
            logs: Logs::new(key),
            heads: Heads::default(),
            counters: Arc::clone(&writer.counters),
            answers: Answers::new(writer),
            freed: Vec::new(),
            version: None,
            watch,
        }
    }

    /// Commits what waits, in as few transactions as its size allows, and answers all.
    pub(super) async fn group(&mut self, jobs: &mut Vec<Job>) {
        while !jobs.is_empty() {
            let mut bytes = 0;
            let fit = jobs
                .iter()
                .take_while(|job| {
                    bytes += job.bytes();
                    bytes <= BYTES_MAX
                })
                .count()
                .max(1);
            let rest = jobs.split_off(fit);
            let group = std::mem::replace(jobs, rest);
            let span = tracing::debug_span!("db.group.commit", jobs = group.len());
            if let Err(error) = self.attempt(group).instrument(span).await {
                // The jobs that were not answered were dropped with their senders: their callers see a closed store.
                tracing::error!(%error, "the database cannot even roll back");
            }
        }
    }

    async fn attempt(&mut self, jobs: Vec<Job>) -> Result<(), sqlx::Error> {
        match self.transaction(&jobs).await {
            Ok(verdicts) => {
                self.answers.send(jobs, verdicts);
                self.answers.wake(self.freed.drain(..));
                return Ok(());
            }
            Err(failure) if jobs.len() > 1 => {
                tracing::warn!(error = %failure, jobs = jobs.len(), "a group of commits failed; trying them one by one");
                self.roll_back().await?;
            }
            Err(failure) => {
                self.roll_back().await?;
                self.answers.fail(jobs, failure);
                return Ok(());
            }
        }
        for job in jobs {
            match self.transaction(std::slice::from_ref(&job)).await {
                Ok(verdicts) => {
                    self.answers.send(vec![job], verdicts);
                    self.answers.wake(self.freed.drain(..));
                }
                Err(failure) => {
                    self.roll_back().await?;
                    self.answers.fail(vec![job], failure);
                }
            }
        }
        Ok(())
    }

    fn watch(&self, point: impl FnOnce(u64) -> CommitPoint) {
        if let Some(watch) = &self.watch {
            watch(point(self.counters.commits.load(Ordering::Relaxed) + 1));
        }
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
    async fn transaction(&mut self, jobs: &[Job]) -> Result<Vec<Verdict>, Failure> {
        self.watch(|_| CommitPoint::Begun(jobs.len()));
        let leases = self.begin().await?;
        let mut verdicts = Vec::with_capacity(jobs.len());
        let mut heads: HashMap<RunId, Head> = HashMap::new();
        let mut bulk = Bulk::new();
        for job in jobs {
            let Job::Turn(turn, _) = job else {
                verdicts.push(Verdict::Done);
                continue;
            };
            let admitted = match self.admit(turn, &leases, &heads).await? {
                Ok(head) => {
                    let first = self.logs.append(&turn.tenant, &turn.audit, &mut bulk.audit);
                    bulk.add(turn, head.number, first);
                    heads.insert(turn.run, head);
                    Ok(())
                }
                Err(refused) => Err(refused),
            };
            verdicts.push(Verdict::Turn(admitted));
        }
        self.freed = match bulk.releases() {
            Some(runs) => self.next_behind(runs).await?,
            None => Vec::new(),
        };
        let turns = bulk.turns;
        for step in bulk.steps() {
            self.step(step).await?;
        }
        self.others(jobs, &mut verdicts).await?;
        self.watch(CommitPoint::Before);
        sql("COMMIT").run(&mut self.connection).await?;
        self.watch(CommitPoint::After);
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

    /// Who comes next in the queues that these runs are about to leave.
    async fn next_behind(&mut self, runs: String) -> Result<Vec<Posted>, Failure> {
        let (_, rows) = sql(rows::LOCK_NEXT).bind(runs).run(&mut self.connection).await?;
        let posted = rows.iter().map(|row| {
            let row = Row::new(row, "run_locks", "run");
            Ok(Posted {
                tenant: row.parse("tenant")?,
                run: row.parse("run")?,
            })
        });
        posted.collect()
    }

    /// Opens the transaction, taking the write lock at once, so that the leases read now hold until its end.
    async fn begin(&mut self) -> Result<HashMap<u16, u64>, Failure> {
        sql(rows::BEGIN).run(&mut self.connection).await?;
        let (_, rows) = sql(rows::LEASES).run(&mut self.connection).await?;
        let version: i64 = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
        if self.version.replace(version) != Some(version) {
            // Another process wrote in between: what is remembered of the file may be out of date.
            self.heads.forget();
            self.logs.forget();
        }
        let mut leases = HashMap::with_capacity(rows.len());
        for row in &rows {
            let (shard, epoch): (Option<i64>, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
            if let (Some(Ok(shard)), Some(Ok(epoch))) = (shard.map(u16::try_from), epoch.map(u64::try_from)) {
                leases.insert(shard, epoch);
            }
        }
        Ok(leases)
    }

    /// Runs a bulk statement and checks that it did what it had to.
    async fn step(&mut self, step: Step) -> Result<(), Failure> {
        let (result, _) = step.statement.run(&mut self.connection).await?;
        if step.rows.is_some_and(|rows| rows != result.rows_affected()) {
            return Err(Failure::Missed(step.table));
        }
        Ok(())
    }

    /// Checks a turn: the lease's epoch, the tenant, then the place in the journal. Tells where the journal will end.
    async fn admit(
        &mut self,
        turn: &TurnRows,
        leases: &HashMap<u16, u64>,
        heads: &HashMap<RunId, Head>,
    ) -> Result<Result<Head, CommitError>, Failure> {
        if leases.get(&turn.shard) != Some(&turn.epoch) {
            return Ok(Err(CommitError::Fenced {
                shard: turn.shard,
                epoch: turn.epoch,
            }));
        }
        if !self.logs.open(&mut self.connection, &turn.tenant).await? {
            return Ok(Err(CommitError::Invalid("there is no such tenant")));
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
        let number = match head {
            Some(head) if head.tenant != turn.tenant => {
                return Ok(Err(CommitError::Invalid("the run belongs to another tenant")));
            }
            // What is left in the inbox of a run that is over may still be cleared away.
            Some(head) if head.finished && !turn.events.is_empty() => {
                return Ok(Err(CommitError::Invalid("the run is finished")));
            }
            Some(head) => head.number,
            None => self.heads.number(&mut self.connection).await?,
        };
        Ok(Ok(Head {
            number,
            tenant: turn.tenant.clone(),
            last_seq: turn.first_seq + turn.events.len() as u64 - 1,
            finished: turn.finished,
        }))
    }

    /// Control writes, output, tiles and checkpoints.
    async fn others(&mut self, jobs: &[Job], verdicts: &mut [Verdict]) -> Result<(), Failure> {
        let mut audit = Packed::with_capacity(0);
        let mut of_runs = Vec::new();
        for (job, verdict) in jobs.iter().zip(verdicts) {
            match job {
                Job::Change(change, _) => {
                    let applied = change.apply(&mut self.connection).await?;
                    if let (Ok(_), Some(tenant)) = (&applied, &change.tenant) {
                        if self.logs.open(&mut self.connection, tenant).await? {
                            let first = self.logs.append(tenant, &change.audit, &mut audit);
                            let runs = change.audit.iter().map(Prepared::run);
                            of_runs.extend((first..).zip(runs).filter(|(_, run)| run.is_some()));
                        } else if !change.audit.is_empty() {
                            return Err(Failure::Missed("tenants"));
                        }
                    }
                    *verdict = Verdict::Change(applied);
                }
                Job::Chunk(chunk) => chunk.append(&mut self.connection).await?,
                Job::Turn(..) | Job::Sign(..) => {}
            }
        }
        if let Some(step) = audit.step("audit", rows::AUDIT) {
            self.step(step).await?;
        }
        if !of_runs.is_empty() {
            let rows = serde_json::json!(of_runs).to_string();
            sql(rows::AUDIT_OF_RUNS)
                .bind(rows)
                .run(&mut self.connection)
                .await?;
        }
        let now = self.clock.now();
        self.logs.settle(&mut self.connection, now).await?;
        for job in jobs {
            if let Job::Sign(tenant, _) = job {
                self.logs.sign(&mut self.connection, tenant, now).await?;
            }
        }
        Ok(())
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
        // The next start, or whoever copies the file, finds everything in it.
        let _ = sql("PRAGMA wal_checkpoint(TRUNCATE)")
            .run(&mut self.connection)
            .await;
        if let Err(error) = sqlx::Connection::close(self.connection).await {
            tracing::warn!(%error, "the database was not closed cleanly; nothing that was committed is lost");
        }
    }
}
