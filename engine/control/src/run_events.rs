//! The events of a run, as they happen; and which runs change, for lists.

use std::collections::VecDeque;
use std::sync::Arc;

use clawd_model::{Event, Recorded, RunId, RunStatus};
use clawd_store::{CommittedTurn, ReadError, RunRow, TenantStore};
use futures::Stream;
use futures::stream::unfold;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::gate::{Permit, RunRead};

/// How many events are read at once.
const PAGE: u32 = 1000;

struct Follow {
    store: TenantStore,
    committed: Receiver<Arc<CommittedTurn>>,
    run: RunId,
    after: u64,
    ready: VecDeque<Recorded>,
    /// Whether the journal may hold more than was read.
    behind: bool,
    over: bool,
}

/// What reading the journal gave.
enum Read {
    /// Events.
    More,
    /// Nothing for now.
    UpToDate,
    /// Nothing, and nothing will come.
    Over,
}

/// The events of the run that the permit is for, beginning with the one behind number `after`: first those that are
/// there, then each as it is committed, none missing and none twice. Ends behind the run's last event.
pub fn run_events(
    permit: &Permit<RunRead, RunRow>,
    after: u64,
) -> impl Stream<Item = Result<Recorded, ReadError>> + Send + use<> {
    let follow = Follow {
        store: permit.store().clone(),
        // Before the journal is read, so that nothing falls in between.
        committed: permit.committed(),
        run: permit.on().id,
        after,
        ready: VecDeque::new(),
        behind: true,
        over: false,
    };
    unfold(follow, |mut follow| async move {
        follow.next().await.map(|event| (event, follow))
    })
}

impl Follow {
    async fn next(&mut self) -> Option<Result<Recorded, ReadError>> {
        loop {
            if let Some(recorded) = self.ready.pop_front() {
                self.after = recorded.seq;
                self.over = matches!(recorded.event, Event::RunFinished { .. });
                return Some(Ok(recorded));
            }
            if self.over {
                return None;
            }
            if self.behind {
                match self.read().await {
                    Ok(Read::More) => {}
                    Ok(Read::UpToDate) => self.behind = false,
                    Ok(Read::Over) => return None,
                    Err(error) => {
                        self.over = true;
                        return Some(Err(error));
                    }
                }
                continue;
            }
            match self.committed.recv().await {
                Ok(turn) if turn.run == self.run => self.take(&turn),
                Ok(_) => {}
                Err(RecvError::Lagged(_)) => self.behind = true,
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Reads a page of the journal. Whether the run is over is asked first: if it was, the journal is complete.
    async fn read(&mut self) -> Result<Read, ReadError> {
        let over = self
            .store
            .run(self.run)
            .await?
            .is_none_or(|row| row.finished_at.is_some());
        let events = self.store.events(self.run, self.after, PAGE).await?;
        if !events.is_empty() {
            self.ready.extend(events);
            return Ok(Read::More);
        }
        Ok(if over { Read::Over } else { Read::UpToDate })
    }

    fn take(&mut self, turn: &CommittedTurn) {
        for recorded in turn.events.iter().filter(|recorded| recorded.seq > self.after) {
            let expected = self.ready.back().map_or(self.after, |last| last.seq) + 1;
            if recorded.seq != expected {
                self.behind = true;
                return;
            }
            self.ready.push_back(recorded.clone());
        }
    }
}

/// A run has changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunChanged {
    /// Which.
    pub run: RunId,
    /// Its new status, when that changed.
    pub status: Option<RunStatus>,
}

/// Which runs of the tenant change, as it happens. Some changes may be missed when they come too fast: it is a signal
/// to look again, not a record.
pub fn watch_runs(permit: &Permit<RunRead>) -> impl Stream<Item = RunChanged> + Send + use<> {
    let state = (permit.committed(), permit.tenant().clone());
    unfold(state, |(mut committed, tenant)| async move {
        loop {
            match committed.recv().await {
                Ok(turn) if turn.tenant == tenant => {
                    let changed = RunChanged {
                        run: turn.run,
                        status: turn.status,
                    };
                    return Some((changed, (committed, tenant)));
                }
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return None,
            }
        }
    })
}
