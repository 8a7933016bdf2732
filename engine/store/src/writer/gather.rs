//! What a group comes to: each turn is held against the leases and the end of its journal, and its rows are made.

use std::collections::HashMap;
use std::sync::Arc;

use clawd_model::RunId;
use sqlx::Row as _;

use crate::error::CommitError;
use crate::inbox::Posted;
use crate::row::Row;
use crate::sql::sql;
use crate::writer::bulk::Bulk;
use crate::writer::group::{Failure, State, Verdict};
use crate::writer::heads::Head;
use crate::writer::{Job, TurnRows, rows};

/// Whether a run that is said to begin is looked up. If it is not and has begun before, its row cannot be written, and
/// the group is gathered again.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Begins {
    Checked,
    Believed,
}

/// What a group comes to, once it is committed.
pub(super) struct Group {
    pub(super) verdicts: Vec<Verdict>,
    /// Where the journals will end.
    pub(super) heads: HashMap<RunId, Head>,
    pub(super) turns: u64,
}

impl State {
    /// Checks the turns, and makes their rows; with the checkpoints, if nothing else comes behind them.
    pub(super) async fn gather(&mut self, jobs: &[Job], begins: Begins) -> Result<(Group, Bulk), Failure> {
        let leases = self.leases().await?;
        let mut bulk = Bulk::default();
        let mut verdicts = Vec::with_capacity(jobs.len());
        let mut heads: HashMap<RunId, Head> = HashMap::new();
        for job in jobs {
            let Job::Turn(turn, _) = job else {
                verdicts.push(Verdict::Done);
                continue;
            };
            let admitted = match self.admit(turn, &leases, &heads, begins).await? {
                Ok(head) => {
                    let first = self.logs.append(&turn.tenant, &turn.audit, &mut bulk);
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
        if !jobs.iter().any(Job::runs_statements) {
            self.sign(jobs, &mut bulk).await?;
        }
        let group = Group {
            verdicts,
            heads,
            turns: bulk.turns,
        };
        Ok((group, bulk))
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

    /// The epochs of the leases. Control writes change them, and other processes do.
    async fn leases(&mut self) -> Result<Arc<HashMap<u16, u64>>, Failure> {
        if let Some(leases) = &self.leases {
            return Ok(Arc::clone(leases));
        }
        let (_, rows) = sql(rows::LEASES).run(&mut self.connection).await?;
        let mut leases = HashMap::with_capacity(rows.len());
        for row in &rows {
            let (shard, epoch): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
            if let (Ok(shard), Ok(epoch)) = (u16::try_from(shard), u64::try_from(epoch)) {
                leases.insert(shard, epoch);
            }
        }
        let leases = Arc::new(leases);
        self.leases = Some(Arc::clone(&leases));
        Ok(leases)
    }

    /// Checks a turn: the lease's epoch, the tenant, then the place in the journal. Tells where the journal will end.
    async fn admit(
        &mut self,
        turn: &TurnRows,
        leases: &HashMap<u16, u64>,
        heads: &HashMap<RunId, Head>,
        begins: Begins,
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
            None if turn.is_new && begins == Begins::Believed => None,
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
}
