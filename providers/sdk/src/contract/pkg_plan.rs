//! `pkg.plan@v1`: which packages would be upgraded, with exact versions.

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, boolean, list, object, one_of, string};

/// Which updates are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// From a security suite.
    Security,
    /// Everything.
    All,
}

fn security() -> Vec<Class> {
    vec![Class::Security]
}

/// Which packages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Which updates; security when absent.
    #[serde(default = "security")]
    pub classes: Vec<Class>,
    /// Names that stay as they are; `*` matches any text.
    #[serde(default)]
    pub exclude: Vec<String>,
}

/// One upgrade, frozen. Or a new package that a security update brings along, as a new kernel comes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The package (with `:arch` when foreign).
    pub name: String,
    /// The version that is installed; absent for a new package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The exact version to install.
    pub to: String,
    /// Whether it comes from a security suite, or along with what does.
    pub security: bool,
}

/// An update that will not be installed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeptBack {
    /// The package.
    pub name: String,
    /// The version that is installed.
    pub from: String,
    /// The version that exists.
    pub to: String,
    /// Why: held, excluded, needs something that is not available.
    pub reason: String,
}

/// The frozen set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// What would be upgraded, sorted by name.
    pub packages: Vec<Package>,
    /// What would not, and why.
    pub kept_back: Vec<KeptBack>,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "pkg.plan@v1",
        summary: "freeze the set of package upgrades",
        effect: Effect::ReadOnly,
        risk: Risk::Low,
        recovery: Recovery::Idempotent,
        scope: Scope::Server,
        timeout_s: 300,
    }
    .spec(
        object(&[
            (
                "classes?",
                list(
                    one_of(&["security", "all"], "a class"),
                    "which updates; security when absent",
                ),
            ),
            (
                "exclude?",
                list(
                    string("a name; * matches any text"),
                    "packages that stay as they are",
                ),
            ),
        ]),
        object(&[
            ("packages", list(package(), "what would be upgraded")),
            ("kept_back", list(kept_back(), "what would not, and why")),
        ]),
    )
}

/// The schema of one frozen upgrade.
pub(super) fn package() -> serde_json::Value {
    object(&[
        ("name", string("the package")),
        (
            "from?",
            string("the version that is installed; absent for a new package"),
        ),
        ("to", string("the exact version to install")),
        (
            "security",
            boolean("whether it comes from a security suite, or along with what does"),
        ),
    ])
}

fn kept_back() -> serde_json::Value {
    object(&[
        ("name", string("the package")),
        ("from", string("the version that is installed")),
        ("to", string("the version that exists")),
        ("reason", string("why it is kept back")),
    ])
}
