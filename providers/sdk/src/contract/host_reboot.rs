//! `host.reboot@v1`: reboots, and proves it by the boot id.

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, boolean, object, one_of, string};

/// On what condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// Only when an update waits for it.
    Required,
    /// In any case.
    #[default]
    Always,
}

/// On what condition.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Always, when absent.
    #[serde(default)]
    pub when: When,
}

/// The proof.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Whether it was rebooted.
    pub rebooted: bool,
    /// The boot id before.
    pub boot_id_before: String,
    /// The boot id after.
    pub boot_id_after: String,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "host.reboot@v1",
        summary: "reboot a server and wait until it is back",
        effect: Effect::Mutating,
        risk: Risk::High,
        recovery: Recovery::Reattach,
        scope: Scope::Server,
        timeout_s: 900,
    }
    .spec(
        object(&[(
            "when?",
            one_of(&["required", "always"], "on what condition; always when absent"),
        )]),
        object(&[
            ("rebooted", boolean("whether it was rebooted")),
            ("boot_id_before", string("the boot id before")),
            ("boot_id_after", string("the boot id after")),
        ]),
    )
}
