//! The pages: one file per page, each of the same shape: parse, permit, use case, view, render. A page never decides
//! who may see it (its argument is a permit) and never touches a cookie.

mod approvals;
mod audit;
mod fleet;
mod home;
mod new_run;
mod plan;
mod policies;
mod routes;
mod run;
mod runbooks;
mod runs;
mod server;
mod sign_in;
mod simulated;
mod theme;
mod workflow;

#[cfg(test)]
mod tests;

pub(crate) use routes::routes;
pub(crate) use simulated::Remembered;
