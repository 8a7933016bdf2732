//! `service.state@v1`: brings a systemd service into a state.

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, boolean, object, one_of, string};

/// The wanted state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It runs.
    Running,
    /// It does not.
    Stopped,
    /// It is restarted now, whatever it does.
    Restarted,
}

/// Which service, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The unit, with or without `.service`.
    pub name: String,
    /// The wanted state.
    pub state: State,
    /// Whether it starts at boot; untouched when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// What the service does now.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Whether it runs.
    pub active: bool,
    /// Whether it starts at boot.
    pub enabled: bool,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "service.state@v1",
        summary: "start, stop, restart or enable a service",
        effect: Effect::Mutating,
        risk: Risk::Medium,
        recovery: Recovery::Reattach,
        scope: Scope::Server,
        timeout_s: 120,
    }
    .spec(
        object(&[
            ("name", string("the unit")),
            (
                "state",
                one_of(&["running", "stopped", "restarted"], "the wanted state"),
            ),
            ("enabled?", boolean("whether it starts at boot")),
        ]),
        object(&[
            ("active", boolean("whether it runs")),
            ("enabled", boolean("whether it starts at boot")),
        ]),
    )
}
