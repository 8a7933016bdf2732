//! `file.write@v1`: a file with given content, written atomically.

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, boolean, object, secret, string};

/// The file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Absolute path.
    pub path: String,
    /// The whole content.
    pub content: String,
    /// Octal, `0644`; kept, or 0644 for a new file, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Kept, or root, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Kept, or root, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// A plan shows neither the content nor what is there now. So it is, too, with secrets in the content, and where
    /// not everybody on the server may read the present file.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sensitive: bool,
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Digest of the content now.
    pub sha256: String,
    /// Digest of the content before; absent for a new file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_sha256: Option<String>,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "file.write@v1",
        summary: "write a file",
        effect: Effect::Mutating,
        risk: Risk::Medium,
        recovery: Recovery::Idempotent,
        scope: Scope::Server,
        timeout_s: 60,
    }
    .spec(
        object(&[
            ("path", string("absolute path")),
            ("content", secret(string("the whole content"))),
            ("mode?", string("octal, 0644")),
            ("owner?", string("user name")),
            ("group?", string("group name")),
            (
                "sensitive?",
                boolean("a plan shows neither the content nor what is there now"),
            ),
        ]),
        object(&[
            ("sha256", string("digest of the content now")),
            ("previous_sha256?", string("digest of the content before")),
        ]),
    )
}
