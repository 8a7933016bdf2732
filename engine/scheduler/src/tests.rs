//! Tables of decisions, and random runs with crashes.

mod announce;
mod approvals;
mod drift;
mod ends;
mod flow;
mod inputs;
mod lanes;
mod large;
mod lock;
mod random;
mod stage;
mod stricter;
mod wave;
