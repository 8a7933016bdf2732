//! The use cases: one file per verb. The API, the console, the CLI and agents are thin shells over these functions, so
//! that what one can do, all can, under the same gate.
//!
//! ```text
//!   token, link, session ──sign_in──▶ Caller ──App::permit::<RunStart>──▶ gate ──allow──▶ Permit<RunStart, …>
//!                                                                          │                    │
//!                                                          refusal, audited ◀─┘        start_run(&permit, …)
//! ```
//!
//! # How a shell uses it
//!
//! ```
//! # use clawd_control::{App, RunCancel, RunRow, cancel_run};
//! # async fn example(app: App, token: &str, run: clawd_model::RunId) -> Result<(), Box<dyn std::error::Error>> {
//! let caller = app.sign_in_with_token(token).await?;
//! let permit = app.permit_on::<RunCancel, RunRow>(&caller, &run).await?;
//! cancel_run(&permit, "wrong servers").await?;
//! # Ok(())
//! # }
//! ```
//!
//! # What is guaranteed
//!
//! 1. **No use case without a permission.** The store can be reached through a [`Permit`] only; permits are made by
//!    the gate only, and one for an action or a thing is none for another.
//! 2. **Every refusal is in the audit log**, with the policies' reasons.
//! 3. **Nothing of another tenant.** A permit is bound to the caller's tenant; what others have is not there.
//! 4. **A fact and its audit record are stored together**, or not at all.
//! 5. **Secrets go in and never come out.** Tokens, links and sessions are known by their digest; what servers and
//!    checks say has the values of secrets struck out.
//!
//! The crate calls providers only to look ([`plan_run()`], [`refresh_facts()`]); changes are the worker's.

pub mod error;
pub mod gate;

mod add_server;
mod bounds;
mod cancel_run;
mod cast_vote;
mod explain;
mod export_audit;
mod folded;
mod list_approvals;
mod list_audit;
mod list_runbooks;
mod list_runs;
mod list_servers;
mod look;
mod once;
mod page;
mod plan_run;
mod principals;
mod publish_policy;
mod publish_runbook;
mod refresh_facts;
mod remove_server;
mod resolve_unknown;
mod run_events;
mod show_plan;
mod show_run;
mod show_server;
mod start_run;
mod step_output;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tokens;
mod whoami;

pub use add_server::{AddServerError, add_server, probe_server};
pub use cancel_run::{CancelRunError, cancel_run};
pub use cast_vote::{CastVoteError, cast_vote};
pub use clawd_store::RunRow;
pub use error::{Class, Explained, StoreFailed};
pub use explain::{ExplainError, explain};
pub use export_audit::export_audit;
pub use folded::FoldError;
pub use gate::*;
pub use list_approvals::{ListApprovals, list_approvals, show_approval};
pub use list_audit::{AuditError, ListAudit, audit_tree, list_audit, show_audit};
pub use list_runbooks::{list_runbooks, show_runbook};
pub use list_runs::{ListRuns, list_runs};
pub use list_servers::{ListServersError, list_servers};
pub use once::{OnceError, Request};
pub use plan_run::{PLAN_LIFETIME, PlanRunError, plan_run};
pub use principals::{PutPrincipalError, list_principals, put_principal};
pub use publish_policy::{PublishPolicyError, ShowPolicyError, publish_policy, show_policy};
pub use publish_runbook::{PublishRunbookError, check_runbook, publish_runbook};
pub use refresh_facts::{RefreshFactsError, refresh_facts};
pub use remove_server::remove_server;
pub use resolve_unknown::{ResolveUnknownError, resolve_unknown};
pub use run_events::{RunChanged, run_events, watch_runs};
pub use show_plan::{show_plan, show_run_plan};
pub use show_run::show_run;
pub use show_server::show_server;
pub use start_run::{StartRunError, plan_and_start, start_run};
pub use step_output::{StepOutputError, step_output};
pub use tokens::{TokenError, create_sign_in_link, create_token, list_tokens, revoke_token};
pub use whoami::{may_on_tenant, whoami};
