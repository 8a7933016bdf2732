//! Every name that a user could see, in one place, so that the product can be renamed in one place.

/// The binary's name as a literal, where the compiler wants one: `concat!(binary!(), ".db")`.
#[macro_export]
macro_rules! binary {
    () => {
        "clawd"
    };
}

/// The name of an environment variable, as a literal: `env_name!("URL")`.
#[macro_export]
macro_rules! env_name {
    ($name:literal) => {
        concat!("CLAWD_", $name)
    };
}

/// The binary and the command that users type.
pub const BINARY: &str = binary!();
/// The product's name in prose and in the console.
pub const PRODUCT: &str = "Open Claw";
/// The API group in `apiVersion: clawd.dev/v1`.
pub const API_VERSION: &str = "clawd.dev/v1";
/// The prefix of personal access tokens.
pub const TOKEN_PREFIX: &str = "clawd_pat_";
/// The origin line of audit checkpoints, before the tenant's name.
pub const AUDIT_ORIGIN: &str = "clawd.dev/audit";
/// The folder that a host keeps jobs in.
pub const HOST_JOBS_DIR: &str = "/var/lib/clawd/jobs";
/// Where the data directory is, unless somebody says otherwise.
pub const DATA_DIR: &str = concat!("./", binary!(), "-data");
