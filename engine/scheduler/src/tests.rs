//! Tables of decisions, and random runs with crashes.

mod approvals;
mod drift;
mod ends;
mod flow;
mod lanes;
mod large;
mod random;
mod stage;
