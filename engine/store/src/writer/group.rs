//! One group: all jobs that wait, in one transaction.
//!
//! Turns are checked one by one against the leases and the ends of their journals, then inserted together;
//! control writes follow, each in a savepoint; then output. What is refused leaves no trace. If the transaction
//! itself fails, each job is tried alone, so that the one that cannot be committed is the only one to fail.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use clawd_audit::{Prepared, SigningKey};
use clawd_model::Clock;
use sqlx::Row as _;
use sqlx::sqlite::SqliteConnection;
use tracing::Instrument as _;

use crate::error::{CommitError, ReadError};
use crate::inbox::Posted;
use crate::sql::sql;
use crate::store::{CommitPoint, CommitWatch};
use crate::writer::answer::Answers;
use crate::writer::bulk::Bulk;
use crate::writer::change::{Answer, Refused};
use crate::writer::gather::{Begins, Group};
use crate::writer::heads::Heads;
use crate::writer::log::Logs;
use crate::writer::{Counters, Job, Writer, rows};

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

/// Everything the writer's thread owns.
pub(super) struct State {
    pub(super) connection: SqliteConnection,
    clock: Arc<dyn Clock>,
    pub(super) logs: Logs,
    pub(super) heads: Heads,
    counters: Arc<Counters>,
    answers: Answers,
    /// Runs to wake once the transaction is durable: they come next behind those that let a lock go in it.
    pub(super) freed: Vec<Posted>,
    /// The epochs of the leases by shard, until something may have changed them.
    pub(super) leases: Option<Arc<HashMap<u16, u64>>>,
    /// The version of the file that everything remembered is of. As long as it stays, no other process has written.
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
            leases: None,
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
        self.forget();
        match sql("ROLLBACK").run(&mut self.connection).await {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(error)) if error.message().contains("no transaction is active") => {
                Ok(())
            }
            Err(error) => Err(error),
        }
    }

    /// What is remembered of the file may not be so.
    fn forget(&mut self) {
        self.heads.forget();
        self.logs.forget();
        self.leases = None;
        self.version = None;
    }

    /// Everything up to and including COMMIT.
    async fn transaction(&mut self, jobs: &[Job]) -> Result<Vec<Verdict>, Failure> {
        self.watch(|_| CommitPoint::Begun(jobs.len()));
        let mut group = match self.open_with(jobs).await? {
            Some(group) => group,
            None => {
                self.begin().await?;
                let (group, bulk) = self.gather(jobs, Begins::Checked).await?;
                self.write(bulk, false).await?;
                group
            }
        };
        if jobs.iter().any(Job::runs_statements) {
            let mut bulk = Bulk::default();
            self.others(jobs, &mut group.verdicts, &mut bulk).await?;
            self.sign(jobs, &mut bulk).await?;
            self.write(bulk, false).await?;
        }
        self.watch(CommitPoint::Before);
        sql("COMMIT").run(&mut self.connection).await?;
        self.watch(CommitPoint::After);
        for (run, head) in group.heads {
            self.heads.set(run, head);
        }
        self.counters.commits.fetch_add(1, Ordering::Relaxed);
        if group.turns > 0 {
            self.counters.turns.fetch_add(group.turns, Ordering::Relaxed);
            self.counters.turn_commits.fetch_add(1, Ordering::Relaxed);
        }
        Ok(group.verdicts)
    }

    /// Opens the transaction and writes the turns in one trip, on what is remembered of the file. Nothing when that may
    /// be out of date, since another process wrote in between; then nothing is open, and nothing remembered.
    async fn open_with(&mut self, jobs: &[Job]) -> Result<Option<Group>, Failure> {
        let Some(remembered) = self.version else {
            return Ok(None);
        };
        let (group, bulk) = self.gather(jobs, Begins::Believed).await?;
        match self.write(bulk, true).await {
            Ok(version) if version == Some(remembered) => return Ok(Some(group)),
            Ok(_) => tracing::debug!("another process wrote to the database"),
            Err(error) => tracing::debug!(%error, "the turns could not be written; reading the file again"),
        }
        self.roll_back().await?;
        Ok(None)
    }

    /// Opens a transaction, taking the write lock at once, so that what is read now holds until its end.
    async fn begin(&mut self) -> Result<(), Failure> {
        let (_, rows) = sql(rows::BEGIN).run(&mut self.connection).await?;
        let version: i64 = rows.first().ok_or(sqlx::Error::RowNotFound)?.try_get(0)?;
        if self.version != Some(version) {
            self.forget();
            self.version = Some(version);
        }
        Ok(())
    }

    /// Runs the bulk statements that have rows, behind those that open a transaction if that is wanted, and checks that
    /// each did what it had to. Tells the file's version if it opened one.
    async fn write(&mut self, bulk: Bulk, begin: bool) -> Result<Option<i64>, Failure> {
        let script = bulk.script();
        if script.is_empty() && !begin {
            return Ok(None);
        }
        let (wanted, counts) = (script.wanted, script.rows);
        let (results, rows) = script.statements(begin).run_each(&mut self.connection).await?;
        let version = match rows.first() {
            Some(row) => row.try_get(0)?,
            None => None,
        };
        let mut results = results.into_iter().skip(if begin { rows::OPENING } else { 0 });
        let statements = rows::BULK.iter().zip(counts).zip(wanted);
        for (((table, _), count), _) in statements.filter(|(_, wanted)| *wanted) {
            let result = results.next().ok_or(sqlx::Error::WorkerCrashed)?;
            if count.is_some_and(|count| count != result.rows_affected()) {
                return Err(Failure::Missed(table));
            }
        }
        Ok(version)
    }

    /// Control writes and output.
    async fn others(
        &mut self,
        jobs: &[Job],
        verdicts: &mut [Verdict],
        bulk: &mut Bulk,
    ) -> Result<(), Failure> {
        for (job, verdict) in jobs.iter().zip(verdicts) {
            match job {
                Job::Change(change, _) => {
                    self.leases = None;
                    let applied = change.apply(&mut self.connection).await?;
                    if let (Ok(_), Some(tenant)) = (&applied, &change.tenant) {
                        if self.logs.open(&mut self.connection, tenant).await? {
                            let first = self.logs.append(tenant, &change.audit, bulk);
                            let runs = change.audit.iter().map(Prepared::run);
                            for (position, run) in (first..).zip(runs) {
                                if let Some(run) = run {
                                    bulk.note_run(position, run);
                                }
                            }
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
        Ok(())
    }

    /// Checkpoints that are due, or asked for.
    pub(super) async fn sign(&mut self, jobs: &[Job], bulk: &mut Bulk) -> Result<(), Failure> {
        let now = self.clock.now();
        self.logs.settle(now, bulk);
        for job in jobs {
            if let Job::Sign(tenant, _) = job {
                self.logs.sign(&mut self.connection, tenant, now, bulk).await?;
            }
        }
        Ok(())
    }

    /// Signs what is unsigned, and closes the file.
    pub(super) async fn finish(mut self) {
        for tenant in self.logs.unsigned() {
            let signed = async {
                self.begin().await?;
                let (now, mut bulk) = (self.clock.now(), Bulk::default());
                self.logs
                    .sign(&mut self.connection, &tenant, now, &mut bulk)
                    .await?;
                self.write(bulk, false).await?;
                sql("COMMIT").run(&mut self.connection).await?;
                Ok::<(), Failure>(())
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
