//! `notify@v1`: tells people through a webhook.

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, boolean, object, string};

/// To whom, and what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// A channel that the configuration names.
    pub to: String,
    /// The message; a summary of the run when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
}

/// Whether it arrived.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// False when the channel is configured to log only.
    pub delivered: bool,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "notify@v1",
        summary: "send a message to a channel",
        effect: Effect::Mutating,
        risk: Risk::Low,
        recovery: Recovery::Idempotent,
        scope: Scope::Any,
        timeout_s: 30,
    }
    .spec(
        object(&[
            ("to", string("a channel that the configuration names")),
            ("text?", string("the message")),
        ]),
        object(&[("delivered", boolean("whether it was sent on"))]),
    )
}
