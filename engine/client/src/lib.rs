//! The typed client of the HTTP API: the CLI stands on it, and users can too.
//!
//! ```no_run
//! # async fn example() -> Result<(), clawd_client::Error> {
//! let client = clawd_client::Client::new("http://127.0.0.1:7650", "clawd_pat_…")?;
//! let plan = client.plan(&"patch-security".parse().unwrap(), &Default::default(), None).await?;
//! let run = client.start_planned(plan.digest, None).await?;
//! let mut events = client.run_events(run.id, 0);
//! while let Some(event) = events.next().await {
//!     println!("{:?}", event?);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! One method per route, grouped by noun; requests and answers are the types of [`clawd_model::api`]. The client
//! keeps no state but the address and the token, decides nothing, and repeats no request on its own account,
//! except that a stream of events picks up where it was when the connection breaks.

mod approvals;
mod audit;
mod client;
mod error;
mod events;
mod policies;
mod principals;
mod runbooks;
mod runs;
mod servers;
mod sse;

pub use audit::AuditQuery;
pub use client::Client;
pub use error::Error;
pub use events::RunEvents;
pub use runs::{OutputQuery, RunsQuery};
