//! Could votes still lift a denial, and which are the fewest?
//!
//! Type-aware partial evaluation with the votes unknown sorts the policies of the slice: those that apply whatever
//! the votes, those that never do, and those that depend on votes. Only the numbers that the last ask for can make
//! a difference, so only they are tried; what is found is what plain Cedar allows with such votes. Nothing here
//! allows anything: the result is an explanation.

mod search;

use std::collections::{BTreeMap, BTreeSet};

use cedar_policy::{Entities, PartialEntities, PartialEntityUid, PartialRequest};
use clawd_model::MissingVotes;

use crate::action::ActionInfo;
use crate::decide::Plain;
use crate::entities;
use crate::facts::Facts;
use crate::index::Slice;
use crate::{Bundle, Request};

/// What votes can do about a denial.
pub(crate) enum Lift {
    /// Nothing; because of these policies, or because nothing permits it (none).
    Never(Vec<String>),
    /// It could not be found out, and so the answer stays no.
    Unclear(String),
    /// They lift it: what stands in the way now, and the fewest votes that help, any one alternative.
    Votes {
        policies: Vec<String>,
        missing: Vec<MissingVotes>,
    },
}

/// The policies of a slice, sorted by what votes have to do with them.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    /// `forbid`s that apply whatever the votes.
    pub(crate) firm_forbids: BTreeSet<String>,
    /// `permit`s that apply whatever the votes.
    pub(crate) firm_permits: BTreeSet<String>,
    /// `forbid`s that depend on votes.
    pub(crate) open_forbids: BTreeSet<String>,
    /// `permit`s that depend on votes.
    pub(crate) open_permits: BTreeSet<String>,
}

/// Partial evaluation with the votes unknown.
pub(crate) fn sort(
    bundle: &Bundle,
    slice: &Slice,
    request: &Request<'_>,
    action: &ActionInfo,
) -> Result<Sorted, String> {
    slice.with_stack(|| sort_here(bundle, slice, request, action))
}

fn sort_here(
    bundle: &Bundle,
    slice: &Slice,
    request: &Request<'_>,
    action: &ActionInfo,
) -> Result<Sorted, String> {
    let failed = |problem: &dyn std::fmt::Display| {
        format!("whether votes could lift this could not be worked out: {problem}")
    };
    let parties = entities::parties(request, &bundle.groups, Facts::ALL).map_err(|e| failed(&e))?;
    let parties = Entities::from_entities(parties, None).map_err(|e| failed(&e))?;
    // The entity that holds the votes is left out: to partial evaluation it is unknown.
    let known = PartialEntities::from_concrete(parties, &bundle.schema).map_err(|e| failed(&e))?;
    let question = PartialRequest::new(
        PartialEntityUid::from_concrete(entities::principal_uid(request.principal)),
        action.uid.clone(),
        PartialEntityUid::from_concrete(entities::resource_uid(request.resource)),
        Some(entities::context(request, Facts::ALL).map_err(|e| failed(&e))?),
        &bundle.schema,
    )
    .map_err(|e| failed(&e))?;
    let response = slice
        .set
        .tpe(&question, &known, &bundle.schema)
        .map_err(|e| failed(&e))?;
    Ok(Sorted {
        firm_forbids: response.true_forbids().map(ToString::to_string).collect(),
        firm_permits: response.true_permits().map(ToString::to_string).collect(),
        open_forbids: response.residual_forbids().map(ToString::to_string).collect(),
        open_permits: response.residual_permits().map(ToString::to_string).collect(),
    })
}

/// What votes can do about a denial by plain Cedar, in which `forbids` applied.
pub(crate) fn lift(
    bundle: &Bundle,
    slice: &Slice,
    request: &Request<'_>,
    action: &ActionInfo,
    forbids: &[String],
) -> Lift {
    let sorted = match sort(bundle, slice, request, action) {
        Ok(sorted) => sorted,
        Err(problem) => return Lift::Unclear(problem),
    };
    if !sorted.firm_forbids.is_empty() {
        return Lift::Never(sorted.firm_forbids.into_iter().collect());
    }
    if sorted.firm_permits.is_empty() && sorted.open_permits.is_empty() {
        return Lift::Never(Vec::new());
    }
    let thresholds = thresholds(bundle, sorted.open_forbids.iter().chain(&sorted.open_permits));
    let allowed = |approvals: &crate::Approvals| {
        matches!(
            bundle.plain(slice, request, action, approvals),
            Ok(Plain::Allowed(_))
        )
    };
    let missing = search::fewest(request.approvals, &thresholds, &allowed);
    if missing.is_empty() {
        return Lift::Never(forbids.to_vec());
    }
    let mut policies: BTreeSet<String> = forbids.iter().cloned().collect();
    if sorted.firm_permits.is_empty() {
        policies.extend(sorted.open_permits);
    }
    Lift::Votes {
        policies: policies.into_iter().collect(),
        missing,
    }
}

/// The numbers of votes that these policies ask for, per count.
fn thresholds<'a>(bundle: &Bundle, ids: impl Iterator<Item = &'a String>) -> BTreeMap<String, BTreeSet<u32>> {
    let mut all: BTreeMap<String, BTreeSet<u32>> = BTreeMap::new();
    for member in ids.filter_map(|id| bundle.member(id)) {
        for (count, from) in &member.votes.thresholds {
            all.entry(count.clone()).or_default().extend(from);
        }
    }
    all
}
