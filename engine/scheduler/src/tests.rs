//! Tables of decisions, and random runs with crashes.

mod approvals;
mod flow;
mod random;
mod stage;
