//! Every name that a user could see, in one place, so that the product can be renamed in one place.

/// The binary and the command that users type.
pub const BINARY: &str = "clawd";
/// The product's name in prose and in the console.
pub const PRODUCT: &str = "Open Claw";
/// The API group in `apiVersion: clawd.dev/v1`.
pub const API_VERSION: &str = "clawd.dev/v1";
/// The prefix of environment variables (`CLAWD_DATA_DIR`).
pub const ENV_PREFIX: &str = "CLAWD_";
/// The prefix of personal access tokens.
pub const TOKEN_PREFIX: &str = "clawd_pat_";
/// The origin line of audit checkpoints, before the tenant's name.
pub const AUDIT_ORIGIN: &str = "clawd.dev/audit";
/// The folder that a host keeps jobs in.
pub const HOST_JOBS_DIR: &str = "/var/lib/clawd/jobs";
