//! Runs.

use clawd_model::api::{CancelRun, MakePlan, OutputView, Page, ResolveStep, RunSummary, RunView};
use clawd_model::{Digest, RunId, RunStatus, RunbookName};
use serde_json::json;

use crate::{Client, Error, RunEvents};

/// Which runs to list, newest first.
#[derive(Clone, Debug, Default)]
pub struct RunsQuery {
    /// Of this runbook only.
    pub runbook: Option<RunbookName>,
    /// In this state only.
    pub status: Option<RunStatus>,
    /// At most so many.
    pub limit: Option<u32>,
    /// After this place: the `next` of the page before.
    pub after: Option<String>,
}

/// Which output to read.
#[derive(Clone, Debug, Default)]
pub struct OutputQuery {
    /// Of which step: `rollout/web-1/apply`.
    pub step: String,
    /// Of which attempt; the last when absent.
    pub attempt: Option<u32>,
    /// From which place on: the `next` of the answer before.
    pub from: u64,
}

impl Client {
    /// Runs, newest first.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn runs(&self, which: &RunsQuery) -> Result<Page<RunSummary>, Error> {
        let mut query = Vec::new();
        if let Some(runbook) = &which.runbook {
            query.push(("runbook", runbook.to_string()));
        }
        if let Some(status) = which.status {
            query.push(("status", status.as_str().to_owned()));
        }
        if let Some(limit) = which.limit {
            query.push(("limit", limit.to_string()));
        }
        if let Some(after) = &which.after {
            query.push(("after", after.clone()));
        }
        self.get(&["runs"], &query).await
    }

    /// One run, step by step.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn run(&self, run: RunId) -> Result<RunView, Error> {
        self.get(&["runs", &run.to_string()], &[]).await
    }

    /// Starts a run of a stored plan. With a key, the same request twice starts one run.
    ///
    /// # Errors
    /// `plan-stale` when the plan is too old, `plan-outdated` when another version of the runbook is active.
    pub async fn start_planned(&self, plan: Digest, key: Option<&str>) -> Result<RunSummary, Error> {
        self.post(&["plans", &plan.to_string(), "runs"], &json!({}), key)
            .await
    }

    /// Makes a plan and starts it.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn start(
        &self,
        runbook: &RunbookName,
        plan: &MakePlan,
        key: Option<&str>,
    ) -> Result<RunSummary, Error> {
        self.post(&["runbooks", runbook.as_str(), "runs"], plan, key)
            .await
    }

    /// Cancels a run: attempts that began are finished, nothing new begins.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn cancel_run(&self, run: RunId, reason: &str) -> Result<RunSummary, Error> {
        self.post(
            &["runs", &run.to_string(), "cancel"],
            &CancelRun {
                reason: reason.to_owned(),
            },
            None,
        )
        .await
    }

    /// Decides what an unknown step came to.
    ///
    /// # Errors
    /// `not-unknown` when nobody has to decide.
    pub async fn resolve_step(&self, run: RunId, resolve: &ResolveStep) -> Result<RunSummary, Error> {
        self.post(&["runs", &run.to_string(), "resolve"], resolve, None)
            .await
    }

    /// What a step has printed.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn output(&self, run: RunId, which: &OutputQuery) -> Result<OutputView, Error> {
        let mut query = vec![("step", which.step.clone()), ("from", which.from.to_string())];
        if let Some(attempt) = which.attempt {
            query.push(("attempt", attempt.to_string()));
        }
        self.get(&["runs", &run.to_string(), "output"], &query).await
    }

    /// The events of a run after the one with number `after`, as they happen, until the run is over.
    #[must_use]
    pub fn run_events(&self, run: RunId, after: u64) -> RunEvents {
        RunEvents::new(self.clone(), run, after)
    }
}
