//! What crosses the border of the system: requests and answers of the HTTP API, which are also the views that the
//! use cases give and that the console draws.
//!
//! Plain data with one JSON form each. Requests refuse unknown fields, so that a typo is an error and not silence.
//! Nothing here holds a secret, with three named exceptions that are shown once, when they are made:
//! [`NewToken`], [`SignInLink`] and the secret of a session, which never leaves the console.

mod approval;
mod audit;
mod page;
mod plan;
mod policy;
mod principal;
mod problem;
mod run;
mod runbook;
mod server;
mod session;

pub use approval::{ApprovalView, CastVote, UnknownInput};
pub use audit::{AuditProof, AuditRecordView, AuditTreeView};
pub use page::Page;
pub use plan::{MakePlan, PlanSummary, PlanView};
pub use policy::{
    BundleView, Explain, ExplanationView, PolicyPartView, PolicyTestView, PolicyView, PublishPolicy,
    PublishedPolicy,
};
pub use principal::{PutPrincipal, Whoami};
pub use problem::ProblemDetails;
pub use run::{
    CancelRun, JobView, LaneView, LockView, OutputChunk, OutputView, Resolution, ResolveStep, RunSummary,
    RunView, StepPhase, StepView,
};
pub use runbook::{CheckedRunbook, PublishRunbook, RunbookSummary, RunbookView};
pub use server::{AddServer, HostKey, ProbeServer, ServerView};
pub use session::{CreateSignInLink, CreateToken, NewToken, SignInLink, TokenView};

/// Derives what every view has: a JSON form and, for the API's document, a schema.
macro_rules! views {
    ($($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* })*) => {$(
        #[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        $(#[$meta])*
        pub struct $name { $($body)* }
    )*};
}
use views;
