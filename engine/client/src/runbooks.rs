//! Runbooks and plans.

use clawd_model::api::{
    CheckedRunbook, MakePlan, Page, PlanView, PublishRunbook, RunbookSummary, RunbookView,
};
use clawd_model::{Digest, RunbookName};

use crate::{Client, Error};

impl Client {
    /// All runbooks, the active version of each.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn runbooks(&self) -> Result<Page<RunbookSummary>, Error> {
        self.get(&["runbooks"], &[]).await
    }

    /// The active version of one runbook.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn runbook(&self, name: &RunbookName) -> Result<RunbookView, Error> {
        self.get(&["runbooks", name.as_str()], &[]).await
    }

    /// All problems of a runbook, without publishing it.
    ///
    /// # Errors
    /// See [`Error`]; problems of the runbook are not one.
    pub async fn check_runbook(&self, source: &str) -> Result<CheckedRunbook, Error> {
        self.post(
            &["runbook-checks"],
            &PublishRunbook {
                source: source.to_owned(),
            },
            None,
        )
        .await
    }

    /// Publishes a version of a runbook.
    ///
    /// # Errors
    /// `invalid-runbook` with all its problems.
    pub async fn publish_runbook(&self, source: &str, key: Option<&str>) -> Result<CheckedRunbook, Error> {
        self.post(
            &["runbooks"],
            &PublishRunbook {
                source: source.to_owned(),
            },
            key,
        )
        .await
    }

    /// Makes a plan.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn plan(
        &self,
        runbook: &RunbookName,
        plan: &MakePlan,
        key: Option<&str>,
    ) -> Result<PlanView, Error> {
        self.post(&["runbooks", runbook.as_str(), "plans"], plan, key)
            .await
    }

    /// A stored plan.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn stored_plan(&self, digest: Digest) -> Result<PlanView, Error> {
        self.get(&["plans", &digest.to_string()], &[]).await
    }
}
