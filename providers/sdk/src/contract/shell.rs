//! `shell@v1`: any command. High-risk: it can do anything.

use clawd_model::{Effect, OperationSpec, Recovery, Risk, Scope};
use serde::{Deserialize, Serialize};

use super::schema::{Traits, integer, list, object, secret, string};

/// The command: an argument list, never a line for a shell to split. A script is given on standard input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Text for its standard input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stdin: Option<String>,
    /// A path: when it exists, there is nothing to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creates: Option<String>,
    /// A command that only looks: when it exits 0, there is nothing to do. It is run when the step runs, after the
    /// gate, and never by a plan or a check: it may do anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<Vec<String>>,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// Its exit code.
    pub exit_code: i32,
    /// Its output, at most 64 KiB of it.
    pub stdout: String,
    /// Its error output, at most 64 KiB of it.
    pub stderr: String,
}

/// The description of the operation.
#[must_use]
pub fn spec() -> OperationSpec {
    Traits {
        name: "shell@v1",
        summary: "run a command",
        effect: Effect::Mutating,
        risk: Risk::High,
        recovery: Recovery::Reattach,
        scope: Scope::Server,
        timeout_s: 600,
    }
    .spec(
        object(&[
            (
                "argv",
                secret(list(string("an argument"), "program and arguments")),
            ),
            ("stdin?", secret(string("text for its standard input"))),
            (
                "creates?",
                string("a path: when it exists, there is nothing to do"),
            ),
            (
                "unless?",
                list(
                    string("an argument"),
                    "a command that only looks, asked when the step runs: when it exits 0, there is nothing to do",
                ),
            ),
        ]),
        object(&[
            ("exit_code", integer("its exit code")),
            ("stdout", string("its output, at most 64 KiB")),
            ("stderr", string("its error output, at most 64 KiB")),
        ]),
    )
}
