//! What each page shows: one typed context per page or fragment, each with a `sample()` that the tests and the
//! gallery render. A view holds what is printed, in the model's types where these carry meaning (statuses, moments,
//! digests), and never fetches anything.

pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod error;
pub(crate) mod fleet;
pub(crate) mod new_run;
pub(crate) mod plan;
pub(crate) mod policies;
pub(crate) mod run;
pub(crate) mod runbooks;
pub(crate) mod runs;
pub(crate) mod server;
pub(crate) mod shell;
pub(crate) mod sign_in;
