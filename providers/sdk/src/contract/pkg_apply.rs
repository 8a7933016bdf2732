//! `pkg.apply@v1`: upgrades packages to exactly the frozen versions.

use super::pkg_plan::{Package, package};
use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, boolean, list, object, string};

/// The frozen set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// The `packages` of `pkg.plan`.
    pub set: Vec<Package>,
}

/// An installed version.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Version {
    /// The package.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Versions before.
    pub before: Vec<Version>,
    /// Versions after, as the host reports them.
    pub after: Vec<Version>,
    /// Whether an update waits for a reboot.
    pub reboot_required: bool,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "pkg.apply@v1",
        summary: "upgrade packages to frozen versions",
        effect: Effect::Mutating,
        risk: Risk::Medium,
        recovery: Recovery::Reattach,
        scope: Scope::Server,
        timeout_s: 1800,
    }
    .spec(
        object(&[("set", list(package(), "the packages of pkg.plan"))]),
        object(&[
            ("before", list(version(), "versions before")),
            ("after", list(version(), "versions after")),
            ("reboot_required", boolean("whether an update waits for a reboot")),
        ]),
    )
}

fn version() -> serde_json::Value {
    object(&[
        ("name", string("the package")),
        ("version", string("its version")),
    ])
}
