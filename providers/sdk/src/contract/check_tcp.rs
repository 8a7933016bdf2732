//! `check.tcp@v1`: connects to a port from the controller.

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, integer, object, string};

/// Where to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The host; the server of the lane when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The port.
    pub port: u16,
    /// It must listen within this time; `30s` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

/// What was seen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// How long connecting took, in milliseconds.
    pub elapsed_ms: u64,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "check.tcp@v1",
        summary: "expect a listening port",
        effect: Effect::ReadOnly,
        risk: Risk::Low,
        recovery: Recovery::Idempotent,
        scope: Scope::Any,
        timeout_s: 120,
    }
    .spec(
        object(&[
            ("host?", string("the host; the server of the lane when absent")),
            ("port", integer("the port")),
            ("within?", string("it must listen within this time")),
        ]),
        object(&[("elapsed_ms", integer("how long connecting took"))]),
    )
}
