//! The policy packs that ship.

use std::collections::BTreeMap;

use crate::Vocabulary;

/// A pack: a bundle to start from.
#[derive(Clone, Copy, Debug)]
pub struct Pack {
    /// Its name.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// The groups that it talks about, which a tenant that uses it needs.
    pub groups: &'static [&'static str],
    files: &'static [(&'static str, &'static str)],
}

impl Pack {
    /// Its files, by name.
    #[must_use]
    pub fn files(&self) -> BTreeMap<String, String> {
        self.files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()))
            .collect()
    }
}

macro_rules! pack {
    ($name:literal, $summary:literal, [$($group:literal),* $(,)?], [$($file:literal),* $(,)?]) => {
        Pack {
            name: $name,
            summary: $summary,
            groups: &[$($group),*],
            files: &[$(($file, include_str!(concat!("../library/", $name, "/", $file)))),*],
        }
    };
}

static PACKS: [Pack; 1] = [pack!(
    "baseline",
    "roles, two votes for production, a person for every change of an agent",
    ["admin", "auditor", "operator", "security", "sre", "viewer"],
    [
        "README.md",
        "agents.cedar",
        "agents_test.yaml",
        "production.cedar",
        "production_test.yaml",
        "protected.cedar",
        "protected_test.yaml",
        "roles.cedar",
        "roles_test.yaml",
        "votes.cedar",
        "votes_test.yaml",
    ]
)];

/// All packs.
#[must_use]
pub fn packs() -> &'static [Pack] {
    &PACKS
}

/// The files of the pack `baseline`.
#[must_use]
pub fn baseline() -> BTreeMap<String, String> {
    PACKS
        .iter()
        .find(|pack| pack.name == "baseline")
        .map(Pack::files)
        .unwrap_or_default()
}

/// A large bundle to measure with: `baseline`, and further policies about single people and single servers, as
/// they pile up in an organisation, until there are `count` policies.
#[must_use]
pub fn enlarged(count: usize) -> BTreeMap<String, String> {
    let mut files = baseline();
    // What `baseline` has already, the built-in rules included.
    let there: usize = files
        .values()
        .map(|text| text.matches("@id(").count())
        .sum::<usize>()
        + crate::builtin::RULES.matches("@id(").count();
    let mut text = String::new();
    for number in 0..count.saturating_sub(there) {
        let policy = match number % 4 {
            0 => format!(
                "permit(principal == User::\"person-{number}\", action in Action::\"operation.read\", resource is Server) when {{ resource.env == \"staging\" }};"
            ),
            1 => format!(
                "forbid(principal, action in Action::\"operation.change\", resource == Server::\"server-{number}\") unless {{ context.approvals.distinct >= 2 }};"
            ),
            2 => format!(
                "permit(principal == Service::\"service-{number}\", action == Action::\"run.start\", resource == Runbook::\"runbook-{number}\");"
            ),
            _ => format!(
                "forbid(principal == Agent::\"agent-{number}\", action in Action::\"operation.high_risk\", resource is Server) when {{ resource.protected || resource.env == \"prod\" }};"
            ),
        };
        text.push_str(&format!("@id(\"enlarged-{number}\")\n{policy}\n"));
    }
    files.insert("enlarged.cedar".to_owned(), text);
    files
}

/// A vocabulary with the groups of `baseline` and these operations.
#[must_use]
pub fn vocabulary(operations: Vec<clawd_model::OperationSpec>) -> Vocabulary {
    let names = PACKS.iter().flat_map(|pack| pack.groups);
    Vocabulary {
        operations,
        groups: names.filter_map(|name| name.parse().ok()).collect(),
    }
}
