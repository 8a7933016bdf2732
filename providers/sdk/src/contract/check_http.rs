//! `check.http@v1`: asks a URL from the controller.

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, integer, object, string};

/// What to ask. Either `url`, or `path` on the lane's server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The whole URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// A path on the server of the lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// With `path`; 80 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// The expected status; any 2xx when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// A text that the body must hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contains: Option<String>,
    /// It must hold for so long (`60s`), asked every second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ok_for: Option<String>,
    /// It must begin to hold within this time; `30s` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
}

/// The last answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its status.
    pub status: u16,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "check.http@v1",
        summary: "expect an answer over HTTP",
        effect: Effect::ReadOnly,
        risk: Risk::Low,
        recovery: Recovery::Idempotent,
        scope: Scope::Any,
        timeout_s: 120,
    }
    .spec(
        object(&[
            ("url?", string("the whole URL")),
            ("path?", string("a path on the server of the lane")),
            ("port?", integer("with path; 80 when absent")),
            ("status?", integer("the expected status; any 2xx when absent")),
            ("contains?", string("a text that the body must hold")),
            ("ok_for?", string("it must hold for so long")),
            ("within?", string("it must begin to hold within this time")),
        ]),
        object(&[
            ("status", integer("its status")),
            ("elapsed_ms", integer("how long it took")),
        ]),
    )
}
