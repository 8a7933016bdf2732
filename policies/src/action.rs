//! The actions of the schema: one per operation (all its versions), and the control actions.

use std::collections::{BTreeMap, HashMap};

use cedar_policy::{Entities, Entity, EntityUid};
use clawd_model::{OperationSpec, PrincipalKind, Problem, Risk, Scope};

use crate::load::problem::{Code, error};
use crate::names::{PRINCIPAL_KINDS, TYPES, uid};
use crate::{ControlAction, ResourceKind, Vocabulary};

/// Operations that change nothing.
pub(crate) const READ: &str = "operation.read";
/// Operations that change something.
pub(crate) const CHANGE: &str = "operation.change";
/// Operations that could do anything, or could cut us off.
pub(crate) const HIGH_RISK: &str = "operation.high_risk";
/// Every group of actions, with what it holds.
pub(crate) const GROUPS: [(&str, &str); 3] = [
    (READ, "operations that change nothing"),
    (CHANGE, "operations that change something"),
    (
        HIGH_RISK,
        "operations that could do anything, or could cut us off",
    ),
];

/// One action: what it applies to, and which groups it is in.
#[derive(Clone, Debug)]
pub(crate) struct ActionInfo {
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) groups: Vec<&'static str>,
    pub(crate) principals: Vec<PrincipalKind>,
    pub(crate) resources: Vec<ResourceKind>,
    pub(crate) uid: EntityUid,
    /// The action with its groups, as Cedar needs it to answer `action in Action::"operation.change"`.
    pub(crate) entities: Entities,
    /// The same, and counts of votes that are all zero: what most decisions begin with.
    pub(crate) without_votes: Option<Entities>,
}

impl ActionInfo {
    pub(crate) fn applies_to(&self, principal: PrincipalKind, resource: ResourceKind) -> bool {
        self.principals.contains(&principal) && self.resources.contains(&resource)
    }

    fn new(
        name: &str,
        summary: String,
        groups: Vec<&'static str>,
        principals: &[PrincipalKind],
        resources: &[ResourceKind],
    ) -> Self {
        let own = uid(&TYPES.action, name);
        let parents = groups.iter().map(|group| uid(&TYPES.action, group));
        let entity = Entity::new_no_attrs(own.clone(), parents.collect());
        Self {
            name: name.to_owned(),
            summary,
            groups,
            principals: principals.to_vec(),
            resources: resources.to_vec(),
            uid: own,
            // One entity whose parents have no parents cannot be a cycle.
            entities: Entities::from_entities([entity], None).unwrap_or_else(|_| Entities::empty()),
            without_votes: None,
        }
    }

    /// Prepares for decisions without votes.
    pub(crate) fn prepare(&mut self, no_votes: Entity) {
        self.without_votes = self.entities.clone().add_entities([no_votes], None).ok();
    }
}

/// All actions of a vocabulary, sorted by name; control actions first.
pub(crate) fn all(vocabulary: &Vocabulary) -> Vec<ActionInfo> {
    let control = ControlAction::ALL.iter().map(|action| {
        let summary = action.summary().to_owned();
        ActionInfo::new(
            action.as_str(),
            summary,
            Vec::new(),
            action.principals(),
            action.resources(),
        )
    });
    let mut operations: BTreeMap<&str, Vec<&OperationSpec>> = BTreeMap::new();
    for spec in &vocabulary.operations {
        if reserved(spec.name.action()).is_none() {
            operations.entry(spec.name.action()).or_default().push(spec);
        }
    }
    control
        .chain(
            operations
                .iter()
                .map(|(name, versions)| operation(name, versions)),
        )
        .collect()
}

/// All versions of an operation are one action: it is as strict as the strictest of them.
fn operation(name: &str, versions: &[&OperationSpec]) -> ActionInfo {
    let changes = versions.iter().any(|spec| spec.is_mutating());
    let mut groups = vec![if changes { CHANGE } else { READ }];
    if versions.iter().any(|spec| spec.risk == Risk::High) {
        groups.push(HIGH_RISK);
    }
    let anywhere = versions.iter().any(|spec| spec.scope == Scope::Any);
    let resources: &[ResourceKind] = if anywhere {
        &[ResourceKind::Server, ResourceKind::Controller]
    } else {
        &[ResourceKind::Server]
    };
    let summary = versions.last().map(|spec| spec.summary.clone());
    ActionInfo::new(
        name,
        summary.unwrap_or_default(),
        groups,
        &PRINCIPAL_KINDS,
        resources,
    )
}

/// Whether a name is taken by an action that is no operation.
fn reserved(name: &str) -> Option<&'static str> {
    let control = ControlAction::ALL.iter().map(|action| action.as_str());
    let groups = GROUPS.iter().map(|(group, _)| *group);
    control.chain(groups).find(|taken| *taken == name)
}

/// What is wrong with a vocabulary: names that mean two things.
pub(crate) fn problems(vocabulary: &Vocabulary) -> Vec<Problem> {
    let operations = vocabulary.operations.iter().filter_map(|spec| {
        let taken = reserved(spec.name.action())?;
        Some(
            error(
                Code::NameTaken,
                format!(
                    "operation `{}` has the name of the built-in action `{taken}`",
                    spec.name
                ),
            )
            .hint("rename the operation"),
        )
    });
    let counts = [crate::names::DISTINCT, crate::names::BREAK_GLASS];
    let groups = vocabulary
        .groups
        .iter()
        .filter(|group| counts.contains(&group.as_str()));
    let groups = groups.map(|group| {
        let message = format!("group `{group}` has the name of a built-in count of votes");
        error(Code::NameTaken, message).hint("rename the group")
    });
    operations.chain(groups).map(Into::into).collect()
}

/// Finds an action by name.
pub(crate) type ActionIndex = HashMap<String, u16>;

/// The place of every action in the list.
pub(crate) fn index(actions: &[ActionInfo]) -> ActionIndex {
    (0_u16..)
        .zip(actions)
        .map(|(place, action)| (action.name.clone(), place))
        .collect()
}
