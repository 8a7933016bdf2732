//! A versioned set of policies, named by digest.

use std::collections::BTreeMap;
use std::sync::Arc;

use cedar_policy::pst::Effect;
use cedar_policy::{Authorizer, PolicyId, Schema};
use clawd_model::{Decision, Digest, DurationMs, Problem, SourceSpan};
use serde::Serialize;

use crate::action::{self, ActionIndex, ActionInfo};
use crate::entities::{self, Groups};
use crate::facts::Facts;
use crate::index::Index;
use crate::load::{self, Loaded, votes::VoteUse};
use crate::memo::Memo;
use crate::scope::Scope;
use crate::standing::Standing;
use crate::{Approvals, Vocabulary};

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PolicyKind {
    /// A `permit`.
    Capability,
    /// A `forbid` that votes can lift.
    Guard,
    /// A `forbid` that nothing lifts.
    Rule,
}

impl PolicyKind {
    /// The word in documents and pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Capability => "capability",
            Self::Guard => "guard",
            Self::Rule => "rule",
        }
    }
}

/// A policy, as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyInfo {
    /// Its `@id`.
    pub id: String,
    /// What it is for.
    pub kind: PolicyKind,
    /// Why it is there: its `@reason`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// How long votes for it stay valid: its `@approval_ttl`.
    #[serde(rename = "approval_ttl_ms", skip_serializing_if = "Option::is_none")]
    pub approval_ttl: Option<DurationMs>,
    /// The channels to tell when it asks for votes: its `@notify`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notify: Vec<String>,
    /// Its file; absent for a built-in rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its place in the file.
    pub span: SourceSpan,
}

/// A policy, as the gate uses it.
pub(crate) struct Member {
    pub(crate) info: PolicyInfo,
    pub(crate) effect: Effect,
    pub(crate) policy: cedar_policy::Policy,
    pub(crate) votes: VoteUse,
    pub(crate) facts: Facts,
    pub(crate) scope: Scope,
    pub(crate) deep: bool,
}

/// A set of policies that passed every check, ready to decide. Cheap to share: keep it in an `Arc`.
pub struct Bundle {
    digest: Digest,
    files: BTreeMap<String, String>,
    warnings: Vec<Problem>,
    pub(crate) schema: Schema,
    pub(crate) groups: Groups,
    pub(crate) actions: Vec<ActionInfo>,
    pub(crate) action_index: ActionIndex,
    pub(crate) members: Arc<[Member]>,
    pub(crate) index: Index,
    /// Allows, by question.
    pub(crate) allows: Memo<Decision>,
    /// What stands in the way without votes, by question.
    pub(crate) standing: Memo<Standing>,
    pub(crate) authorizer: Authorizer,
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Bundle({}, {} policies)", self.digest, self.len())
    }
}

impl Bundle {
    /// Reads the files of a bundle (`*.cedar`; `*_test.yaml` and `*.md` may stand beside them) and checks them
    /// strictly.
    ///
    /// # Errors
    /// All problems at once, warnings among them, by file and place.
    pub fn load(files: &BTreeMap<String, String>, vocabulary: &Vocabulary) -> Result<Self, Vec<Problem>> {
        let Loaded {
            schema,
            policies,
            warnings,
        } = load::load(files, vocabulary)?;
        let members: Arc<[Member]> = policies
            .into_iter()
            .map(|(file, span, parsed)| {
                let kind = match (parsed.effect, parsed.votes.asks) {
                    (Effect::Permit, _) => PolicyKind::Capability,
                    (Effect::Forbid, true) => PolicyKind::Guard,
                    (Effect::Forbid, false) => PolicyKind::Rule,
                };
                Member {
                    policy: parsed.policy.new_id(PolicyId::new(&parsed.id)),
                    info: PolicyInfo {
                        id: parsed.id,
                        kind,
                        reason: parsed.reason,
                        approval_ttl: parsed.approval_ttl,
                        notify: parsed.notify,
                        file,
                        span,
                    },
                    effect: parsed.effect,
                    votes: parsed.votes,
                    facts: parsed.facts,
                    scope: parsed.scope,
                    deep: parsed.deep,
                }
            })
            .collect();
        let groups = Groups::new(&vocabulary.groups);
        let mut actions = action::all(vocabulary);
        if let Ok(no_votes) = entities::votes(&Approvals::none(), &groups) {
            actions
                .iter_mut()
                .for_each(|action| action.prepare(no_votes.clone()));
        }
        Ok(Self {
            digest: digest(files),
            files: files.clone(),
            warnings,
            schema,
            groups,
            index: Index::new(&members, &actions),
            action_index: action::index(&actions),
            actions,
            members,
            allows: Memo::default(),
            standing: Memo::default(),
            authorizer: Authorizer::new(),
        })
    }

    /// The digest of its files: line ends do not matter, everything else does.
    #[must_use]
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its files, as they were given.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// What might not be as meant.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// How many policies it has, the built-in rules included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Never: the built-in rules are always there.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Its policies, built-in rules first, then by file and place.
    pub fn policies(&self) -> impl Iterator<Item = &PolicyInfo> {
        self.members.iter().map(|member| &member.info)
    }

    /// The policy with this `@id`.
    #[must_use]
    pub fn policy(&self, id: &str) -> Option<&PolicyInfo> {
        self.member(id).map(|member| &member.info)
    }

    pub(crate) fn member(&self, id: &str) -> Option<&Member> {
        self.index.place(id).and_then(|place| self.members.get(place))
    }
}

fn digest(files: &BTreeMap<String, String>) -> Digest {
    let texts = files
        .iter()
        .map(|(file, text)| (file.clone(), text.replace("\r\n", "\n").into()));
    Digest::of_value(&serde_json::Value::Object(texts.collect()))
}

#[cfg(test)]
mod tests;
