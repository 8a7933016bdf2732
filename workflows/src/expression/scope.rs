//! What an expression sees, and what comes of it. The engine implements [`Scope`]; this crate only asks.

use serde_json::Value;

/// What is known of a variable.
#[derive(Clone, Debug, PartialEq)]
pub enum Lookup {
    /// It is this.
    Value(Value),
    /// Nothing is known of it before something happened: what that is, for people.
    Unknown(String),
    /// There is no such thing here.
    Missing,
}

/// The variables of one lane of a run, or of a plan for it.
pub trait Scope {
    /// The inputs of the run, complete: an object.
    fn inputs(&self) -> Lookup;
    /// The outputs of a step of this lane: an object; null when the step was skipped or failed.
    fn step(&self, step: &str) -> Lookup;
    /// The outputs of a step of another job, on the same server: an object; null when it was skipped or failed.
    fn job_step(&self, job: &str, step: &str) -> Lookup;
    /// The lane's server, as it was frozen: its name, env, labels.
    fn server(&self) -> Lookup;
    /// The run: its id, requester, runbook.
    fn run(&self) -> Lookup;
}

/// What came of an expression or template.
#[derive(Clone, Debug, PartialEq)]
pub enum Evaluated {
    /// A value.
    Value(Value),
    /// It cannot be told yet, because of this.
    DependsOn(String),
}

/// What came of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It cannot be told yet, because of this.
    DependsOn(String),
}
