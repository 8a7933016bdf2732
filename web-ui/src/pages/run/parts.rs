//! Everything that the page of a run shows, read at once: the same for the page and for its stream.

use clawd_control::{
    ApprovalRead, ListApprovals, Permit, RunRead, RunRow, list_approvals, run_events, show_run, show_run_plan,
};
use clawd_model::api::{ApprovalView, RunView, StepPhase};
use clawd_model::{ApprovalStatus, Event, Recorded, StepStatus, Timestamp};
use futures::StreamExt;

use super::super::approvals::{Changes, drift, full, panel};
use super::super::plan::{Providers, providers};
use super::head::steps;
use super::{feed, grid, head};
use crate::door::{Failure, Visitor, Web};
use crate::view::run::{RunApprovals, RunFeed, RunGraph, RunGrid, RunHead};

/// The journal of a run that is longer than this is not searched for the past of one step.
pub(super) const JOURNAL_MAX: u64 = 20_000;
/// How far back the feed looks.
const FEED: u64 = 60;

/// A run and what belongs to it.
pub(super) struct Parts {
    pub(super) run: RunView,
    pub(super) open: Vec<ApprovalView>,
    /// What the drifted steps of each open request would change now.
    drift: Vec<Changes>,
    pub(super) selector: Option<String>,
    pub(super) last: Vec<Recorded>,
    pub(super) providers: Providers,
}

impl Parts {
    /// Reads it.
    pub(super) async fn look(
        web: &Web,
        visitor: &Visitor,
        permit: &Permit<RunRead, RunRow>,
    ) -> Result<Self, Failure> {
        let mut run = show_run(permit).await?;
        settle_rescue(&mut run);
        let last = events(permit, run.last_seq.saturating_sub(FEED), run.last_seq).await?;
        let open = open_approvals(web, visitor, &run).await?;
        let mut changes = Vec::with_capacity(open.len());
        for approval in &open {
            changes.push(drift(web, visitor, approval).await?);
        }
        Ok(Self {
            open,
            drift: changes,
            selector: selector(web, visitor, &run).await?,
            providers: providers(web, visitor).await?,
            last,
            run,
        })
    }

    pub(super) fn head(&self, visitor: &Visitor, now: Timestamp) -> RunHead {
        head::head(self, visitor, now)
    }

    pub(super) fn approvals(&self, visitor: &Visitor, now: Timestamp) -> RunApprovals {
        let back = format!("/runs/{}", self.run.summary.id);
        let panels = self.open.iter().zip(&self.drift).map(|(approval, changes)| {
            panel(
                approval,
                visitor,
                &self.providers,
                back.clone(),
                false,
                now,
                changes,
            )
        });
        RunApprovals {
            panels: panels.collect(),
        }
    }

    pub(super) fn graph(&self) -> RunGraph {
        grid::graph(&self.run)
    }

    pub(super) fn grid(&self, selected: Option<String>, now: Timestamp) -> RunGrid {
        grid::grid(&self.run, &self.providers, selected, now)
    }

    pub(super) fn feed(&self) -> RunFeed {
        feed::feed(&self.run, &self.last)
    }
}

/// A rescue that nobody came to is skipped as soon as its lane has gone past it, and not only when the run is over:
/// people count what is still to come.
pub(super) fn settle_rescue(run: &mut RunView) {
    for lane in run.jobs.iter_mut().flat_map(|job| &mut job.lanes) {
        let past = lane
            .steps
            .iter()
            .any(|step| step.phase == StepPhase::Always && step.status != StepStatus::Pending);
        let rescue = lane
            .steps
            .iter_mut()
            .filter(|step| step.phase == StepPhase::Rescue);
        for step in rescue.filter(|step| past && step.status == StepStatus::Pending) {
            step.status = StepStatus::Skipped;
        }
    }
}

/// What drifted steps of a run would change now, by their path. A journal that is too long is not searched.
pub(crate) async fn drifted_changes(permit: &Permit<RunRead, RunRow>) -> Result<Changes, Failure> {
    let run = show_run(permit).await?;
    let mut found = Changes::new();
    if run.last_seq > JOURNAL_MAX {
        return Ok(found);
    }
    for recorded in events(permit, 0, run.last_seq).await? {
        let Event::StepChecked {
            step,
            drifted: true,
            now,
            ..
        } = recorded.event
        else {
            continue;
        };
        let path = steps(&run)
            .find(|(_, known)| known.step_ref == step)
            .map(|(_, known)| known.path.clone());
        found.extend(path.map(|path| (path, now)));
    }
    Ok(found)
}

/// The events behind `after` up to `last`, which are in the journal.
pub(super) async fn events(
    permit: &Permit<RunRead, RunRow>,
    after: u64,
    last: u64,
) -> Result<Vec<Recorded>, Failure> {
    let mut found = Vec::new();
    if after >= last {
        return Ok(found);
    }
    let stream = run_events(permit, after);
    let mut stream = std::pin::pin!(stream);
    while let Some(event) = stream.next().await {
        let event = event.map_err(|error| Failure::broken(&error))?;
        let seq = event.seq;
        found.push(event);
        if seq >= last {
            break;
        }
    }
    Ok(found)
}

async fn open_approvals(web: &Web, visitor: &Visitor, run: &RunView) -> Result<Vec<ApprovalView>, Failure> {
    if run.approvals.is_empty() || run.summary.status.is_final() || !visitor.may("approval.read") {
        return Ok(Vec::new());
    }
    let permit = web
        .app
        .permit::<ApprovalRead>(&visitor.caller)
        .await
        .map_err(Failure::refused)?;
    let which = ListApprovals {
        open_only: true,
        run: Some(run.summary.id),
        ..ListApprovals::default()
    };
    let mut found = Vec::new();
    for listed in list_approvals(&permit, which).await?.items {
        if listed.approval.status == ApprovalStatus::Open {
            found.push(full(web, visitor, listed).await?);
        }
    }
    Ok(found)
}

/// The selector that the plan was made with. A plan that can no longer be read leaves the run's page whole.
async fn selector(web: &Web, visitor: &Visitor, run: &RunView) -> Result<Option<String>, Failure> {
    if !visitor.may("run.read") {
        return Ok(None);
    }
    let permit = web
        .app
        .permit_on::<RunRead, RunRow>(&visitor.caller, &run.summary.id)
        .await
        .map_err(Failure::refused)?;
    let plan = show_run_plan(&permit).await.ok().flatten();
    Ok(plan.and_then(|plan| plan.plan.selector))
}
