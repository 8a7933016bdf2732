//! SQLite: the only place with SQL.
//!
//! Functions are grouped by noun, one file each. What belongs to a tenant is reached through a [`TenantStore`],
//! which is bound to one tenant and sees nothing else. Every write takes the audit records that are stored in the
//! same transaction. All writes pass through one writer, which commits what waits together (see `writer`).
//!
//! Guarantees:
//! 1. A call that wrote returns only after the transaction is on disk (WAL, `synchronous = FULL`, both read back
//!    when the file is opened).
//! 2. A turn is committed only under the current epoch of its shard's lease, and only where its journal ends.
//! 3. A fact and its audit record are durable together, or not at all.
//! 4. Tokens, sessions and sign-in links are known by their SHA-256 only.

pub mod approval;
pub mod audit;
pub mod bundle;
mod credential;
pub mod error;
pub mod export;
pub mod idempotency;
pub mod inbox;
pub mod journal;
pub mod lease;
pub mod lock;
mod open;
pub mod output;
pub mod plan;
pub mod principal;
mod row;
pub mod run;
pub mod runbook;
mod schema;
pub mod server;
pub mod session;
mod sql;
pub mod store;
pub mod tenant;
pub mod token;
mod writer;

pub use approval::ApprovalFilter;
pub use audit::{AuditFilter, AuditProof, StoredCheckpoint};
pub use bundle::BundleVersion;
pub use error::{CommitError, OpenError, ReadError, WriteError};
pub use export::AuditExport;
pub use idempotency::Claim;
pub use inbox::{InboxItem, Message, Posted};
pub use journal::{CommittedTurn, NewRunRow, SHARDS, Turn, shard_of};
pub use lease::{Lease, LeaseHolder};
pub use lock::{LockChange, LockPlace};
pub use output::{Appended, OutputChunk, Stream};
pub use plan::StoredPlan;
pub use run::{RunFilter, RunRow};
pub use runbook::RunbookVersion;
pub use session::{Link, Session};
pub use store::{CommitPoint, CommitWatch, Options, Store};
pub use tenant::TenantStore;
pub use token::Token;
pub use writer::Counts;
