//! Slices: for a request, only the policies whose scope fits it.
//!
//! A decision would otherwise cost as much as there are policies. Policies are told apart by action, by the types
//! of principal and resource, and by the entities that their scopes name: `principal in Group::"sre"` concerns
//! nobody outside of `sre`, `resource == Server::"db-1"` concerns no other server. Slices are cached by what they
//! were told apart by. Cedar still evaluates the whole scope of every policy of a slice.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError, RwLock};

use cedar_policy::PolicySet;
use clawd_model::PrincipalKind;

use crate::action::ActionInfo;
use crate::bundle::Member;
use crate::facts::Facts;
use crate::names::PRINCIPAL_KINDS;
use crate::scope::Side;
use crate::{Request, ResourceKind};

/// How many policies cached slices may hold in all, counted with repetition, before they are made anew.
const CACHED_POLICIES_MAX: usize = 50_000;

/// What the deepest policy that the loader lets pass may need, in a build without optimisation.
const STACK: usize = 32 * 1024 * 1024;

/// The policies that a request has to be asked of.
pub(crate) struct Slice {
    pub(crate) set: PolicySet,
    /// Their places in the bundle, ascending.
    pub(crate) places: Vec<usize>,
    /// What they can observe.
    pub(crate) facts: Facts,
    /// Whether any of them asks for votes.
    pub(crate) asks_votes: bool,
    /// Whether any of them needs more stack than usual.
    pub(crate) deep: bool,
}

impl Slice {
    fn of(members: &[Member], places: Vec<usize>) -> Self {
        let mut set = PolicySet::new();
        let mut facts = Facts::NONE;
        let (mut asks_votes, mut deep) = (false, false);
        for member in places.iter().filter_map(|place| members.get(*place)) {
            facts = facts.and(member.facts);
            asks_votes |= member.votes.asks;
            deep |= member.deep;
            // INVARIANT: ids are unique in a bundle, so that adding cannot fail.
            let added = set.add(member.policy.clone());
            debug_assert!(added.is_ok(), "ids are unique in a bundle");
        }
        Self {
            set,
            places,
            facts,
            asks_votes,
            deep,
        }
    }

    /// Calls Cedar, which calls itself once per level of a policy.
    pub(crate) fn with_stack<T>(&self, call: impl FnOnce() -> T) -> T {
        if self.deep {
            stacker::grow(STACK, call)
        } else {
            call()
        }
    }

    /// The whole bundle, as if there were no index, and every fact, whether observed or not.
    #[cfg(test)]
    pub(crate) fn whole(members: &[Member]) -> Self {
        let mut whole = Self::of(members, (0..members.len()).collect());
        whole.facts = Facts::ALL;
        whole
    }
}

/// What slices are told apart by.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key {
    action: u16,
    principal: PrincipalKind,
    resource: ResourceKind,
    /// The entities that any scope names and that the principal is or is in, ascending.
    of_principal: Vec<u32>,
    /// The entity that any scope names and that the resource is.
    of_resource: Option<u32>,
}

/// Numbers for the entities that scopes name, found by type and id without allocating.
#[derive(Default)]
struct Atoms {
    numbers: HashMap<String, HashMap<String, u32>>,
    next: u32,
}

impl Atoms {
    fn number(&mut self, side: &Side) -> Option<u32> {
        let named = side.named.as_ref()?;
        let ids = self.numbers.entry(named.kind.clone()).or_default();
        if let Some(number) = ids.get(&named.id) {
            return Some(*number);
        }
        ids.insert(named.id.clone(), self.next);
        self.next = self.next.saturating_add(1);
        Some(self.next - 1)
    }

    fn of(&self, kind: &str) -> Option<&HashMap<String, u32>> {
        self.numbers.get(kind)
    }
}

/// One policy's scope, compiled.
struct Compiled {
    principals: Vec<PrincipalKind>,
    resources: Vec<ResourceKind>,
    of_principal: Option<u32>,
    of_resource: Option<u32>,
}

impl Compiled {
    fn fits(&self, key: &Key) -> bool {
        self.principals.contains(&key.principal)
            && self.resources.contains(&key.resource)
            && self
                .of_principal
                .is_none_or(|atom| key.of_principal.contains(&atom))
            && self.of_resource.is_none_or(|atom| key.of_resource == Some(atom))
    }
}

#[derive(Default)]
struct Cache {
    slices: HashMap<Key, Arc<Slice>>,
    policies: usize,
}

/// Finds the slice of a request.
pub(crate) struct Index {
    members: Arc<[Member]>,
    places: BTreeMap<String, usize>,
    compiled: Vec<Compiled>,
    /// For every action: the places of the policies whose scope allows it, ascending.
    by_action: Vec<Vec<usize>>,
    principals: Atoms,
    resources: Atoms,
    cache: RwLock<Cache>,
}

impl Index {
    pub(crate) fn new(members: &Arc<[Member]>, actions: &[ActionInfo]) -> Self {
        let mut principals = Atoms::default();
        let mut resources = Atoms::default();
        let mut compiled = Vec::with_capacity(members.len());
        let mut by_action = vec![Vec::new(); actions.len()];
        for (place, member) in members.iter().enumerate() {
            let scope = &member.scope;
            let of_kind = |kind: &Option<String>, name: &str| kind.as_deref().is_none_or(|kind| kind == name);
            compiled.push(Compiled {
                principals: PRINCIPAL_KINDS
                    .into_iter()
                    .filter(|kind| of_kind(&scope.principal.kind, kind.as_str()))
                    .collect(),
                resources: ResourceKind::ALL
                    .into_iter()
                    .filter(|kind| of_kind(&scope.resource.kind, kind.as_str()))
                    .collect(),
                of_principal: principals.number(&scope.principal),
                of_resource: resources.number(&scope.resource),
            });
            for (action, fitting) in actions.iter().zip(&mut by_action) {
                let fits = scope.actions.as_ref().is_none_or(|names| {
                    names
                        .iter()
                        .any(|name| *name == action.name || action.groups.iter().any(|group| group == name))
                });
                if fits {
                    fitting.push(place);
                }
            }
        }
        Self {
            places: (0..)
                .zip(members.iter())
                .map(|(at, member)| (member.info.id.clone(), at))
                .collect(),
            members: members.clone(),
            compiled,
            by_action,
            principals,
            resources,
            cache: RwLock::default(),
        }
    }

    /// The place of the policy with this id.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        self.places.get(id).copied()
    }

    fn key(&self, request: &Request<'_>, action: u16) -> Key {
        let principal = request.principal;
        let own = self.principals.of(principal.kind.as_str());
        let own = own.and_then(|ids| ids.get(principal.name.as_str()).copied());
        let named = self.principals.of("Group");
        let groups = principal.groups.iter();
        let groups = groups.filter_map(|group| named?.get(group.as_str()).copied());
        let mut of_principal: Vec<u32> = own.into_iter().chain(groups).collect();
        of_principal.sort_unstable();
        of_principal.dedup();
        let kind = request.resource.kind();
        let named = self.resources.of(kind.as_str());
        let of_resource = named.and_then(|ids| ids.get(&*request.resource.entity_id()).copied());
        Key {
            action,
            principal: principal.kind,
            resource: kind,
            of_principal,
            of_resource,
        }
    }

    /// The policies that could apply to the request.
    pub(crate) fn slice(&self, request: &Request<'_>, action: u16) -> Arc<Slice> {
        let key = self.key(request, action);
        if let Some(slice) = self
            .cache
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .slices
            .get(&key)
        {
            return slice.clone();
        }
        let candidates = self
            .by_action
            .get(usize::from(action))
            .map_or(&[][..], Vec::as_slice);
        let fitting = candidates
            .iter()
            .copied()
            .filter(|place| self.compiled.get(*place).is_none_or(|scope| scope.fits(&key)));
        let slice = Arc::new(Slice::of(&self.members, fitting.collect()));
        let mut cache = self.cache.write().unwrap_or_else(PoisonError::into_inner);
        if cache.policies > CACHED_POLICIES_MAX {
            *cache = Cache::default();
        }
        cache.policies += slice.places.len() + 1;
        cache.slices.insert(key, slice.clone());
        slice
    }
}
