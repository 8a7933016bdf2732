//! Shows a stored plan. A plan is the preview of a run, so who may see runs may see it.

use clawd_model::Digest;
use clawd_model::api::PlanView;
use clawd_store::ReadError;

use crate::error::{Class, Explained};
use crate::gate::{Permit, RunRead};
use crate::plan_run::plan_view;

/// A plan cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowPlanError {
    /// There is no such plan.
    #[error("there is no plan `{0}`")]
    NoSuchPlan(Digest),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
}

impl Explained for ShowPlanError {
    fn class(&self) -> Class {
        match self {
            Self::NoSuchPlan(_) => Class::NotFound,
            Self::Read(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoSuchPlan(_) => "not-found",
            Self::Read(_) => "store",
        }
    }
}

/// The newest plan with this digest.
///
/// # Errors
/// When there is none, or the store fails.
pub async fn show_plan(permit: &Permit<RunRead>, digest: Digest) -> Result<PlanView, ShowPlanError> {
    let plan = permit
        .store()
        .plan(digest)
        .await?
        .ok_or(ShowPlanError::NoSuchPlan(digest))?;
    Ok(plan_view(digest, &plan))
}
