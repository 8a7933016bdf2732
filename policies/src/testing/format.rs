//! The format of a test file.

use std::collections::BTreeMap;
use std::ops::Range;

use clawd_model::{
    GroupName, Labels, PrincipalKind, PrincipalName, Problem, RunbookName, ServerName, ServerProvider,
    TenantName,
};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::yaml::{Node, Text, YamlError};
use crate::load::problem::{Code, Source, error, nearest};

/// A test file: the world of its cases, and the cases.
#[derive(Default)]
pub(super) struct Tests {
    /// The tenant that everybody and everything belongs to unless said otherwise.
    pub(super) tenant: Option<TenantName>,
    /// When the cases take place.
    pub(super) now: Option<String>,
    pub(super) principals: BTreeMap<PrincipalName, TestPrincipal>,
    pub(super) servers: BTreeMap<ServerName, TestServer>,
    pub(super) runbooks: BTreeMap<RunbookName, TestRunbook>,
    pub(super) cases: Vec<(Range<usize>, Case)>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestPrincipal {
    #[serde(default = "user")]
    pub(super) kind: PrincipalKind,
    #[serde(default)]
    pub(super) groups: Vec<GroupName>,
    pub(super) operator: Option<PrincipalName>,
    #[serde(default)]
    pub(super) disabled: bool,
    pub(super) tenant: Option<TenantName>,
}

fn user() -> PrincipalKind {
    PrincipalKind::User
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestServer {
    pub(super) env: String,
    #[serde(default)]
    pub(super) labels: Labels,
    #[serde(default)]
    pub(super) protected: bool,
    #[serde(default = "ssh")]
    pub(super) provider: ServerProvider,
    pub(super) tenant: Option<TenantName>,
}

fn ssh() -> ServerProvider {
    ServerProvider::Ssh
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestRunbook {
    #[serde(default)]
    pub(super) labels: Labels,
}

/// One, or several: then the case is about each of them.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
pub(super) enum OneOrMany<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> OneOrMany<T> {
    pub(super) fn each(&self) -> &[T] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many,
        }
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Expected {
    Allow,
    Deny,
    NeedsApproval,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) principal: OneOrMany<PrincipalName>,
    pub(super) action: OneOrMany<String>,
    /// `tenant`, `controller`, `run`, `approval`, `server/NAME`, `runbook/NAME`.
    pub(super) resource: OneOrMany<String>,
    /// The runbook of the run.
    pub(super) runbook: Option<RunbookName>,
    /// Who started the run; the principal, unless given.
    pub(super) requester: Option<PrincipalName>,
    /// People who voted. Votes that are not valid do not count here either.
    #[serde(default)]
    pub(super) votes: Vec<PrincipalName>,
    #[serde(default)]
    pub(super) break_glass: bool,
    pub(super) now: Option<String>,
    pub(super) expect: Expected,
    /// Exactly the policies that determined it.
    pub(super) policies: Option<Vec<String>>,
    /// Texts that the reasons contain.
    #[serde(default)]
    pub(super) reasons: Vec<String>,
    /// Exactly the alternatives: `{sre: 2}`, `{distinct: 1}`.
    pub(super) missing: Option<Vec<BTreeMap<String, u32>>>,
    /// Exactly the people who could give one of the missing votes, of all alternatives together.
    pub(super) candidates: Option<Vec<PrincipalName>>,
}

const KEYS: [&str; 6] = ["tenant", "now", "principals", "servers", "runbooks", "cases"];

/// Reads a test file.
pub(super) fn read(source: &Source<'_>) -> Result<Tests, Vec<Problem>> {
    let mut reader = Reader {
        source,
        problems: Vec::new(),
    };
    let tests = reader.read();
    if reader.problems.is_empty() {
        Ok(tests)
    } else {
        Err(reader.problems)
    }
}

struct Reader<'a> {
    source: &'a Source<'a>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn problem(&mut self, code: Code, message: String, place: Range<usize>, hint: Option<String>) {
        let draft = error(code, message).at(self.source, place);
        self.problems.push(draft.maybe_hint(hint).into());
    }

    fn shape(&mut self, message: &str, place: Range<usize>) {
        let hint = "docs/policies.md shows a test file".to_owned();
        self.problem(Code::TestShape, message.to_owned(), place, Some(hint));
    }

    fn read(&mut self) -> Tests {
        let mut tests = Tests::default();
        let text = Text::new(self.source.text);
        let entries = match text.read() {
            Err(YamlError { message, place }) => {
                self.problem(Code::TestSyntax, message, place, None);
                return tests;
            }
            Ok(node) => node.and_then(Node::entries),
        };
        let Some(entries) = entries else {
            self.shape("a test file is a mapping with `cases`", 0..0);
            return tests;
        };
        for (key, node) in entries {
            match key.as_str() {
                "tenant" => tests.tenant = self.value(&node),
                "now" => tests.now = self.value(&node),
                "principals" => tests.principals = self.value(&node).unwrap_or_default(),
                "servers" => tests.servers = self.value(&node).unwrap_or_default(),
                "runbooks" => tests.runbooks = self.value(&node).unwrap_or_default(),
                "cases" => tests.cases = self.cases(node),
                _ => {
                    let hint = nearest(&key, KEYS).map(|name| format!("did you mean `{name}`?"));
                    self.problem(
                        Code::TestShape,
                        format!("unknown key `{key}`"),
                        node.place(),
                        hint,
                    );
                }
            }
        }
        if tests.cases.is_empty() && self.problems.is_empty() {
            self.shape("no `cases`", 0..0);
        }
        tests
    }

    fn value<T: DeserializeOwned>(&mut self, node: &Node<'_, '_>) -> Option<T> {
        let place = node.place();
        let value = match node.value() {
            Ok(value) => value,
            Err(YamlError { message, place }) => {
                self.shape(&message, place);
                return None;
            }
        };
        match serde_json::from_value(value) {
            Ok(value) => Some(value),
            Err(problem) => {
                self.shape(&problem.to_string(), place);
                None
            }
        }
    }

    fn cases(&mut self, node: Node<'_, '_>) -> Vec<(Range<usize>, Case)> {
        let place = node.place();
        let Some(items) = node.items() else {
            self.shape("`cases` is a list", place);
            return Vec::new();
        };
        items
            .iter()
            .filter_map(|item| Some((item.place(), self.value(item)?)))
            .collect()
    }
}
