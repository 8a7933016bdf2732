//! What holds of every bundle and every question.
//!
//! Each test takes a fresh seed and prints it, so that a failure can be repeated: `CLAWD_TEST_SEED=n cargo test`.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};

use cedar_policy::{Authorizer, Entities, PolicySet};
use clawd_model::{DecisionKind, GroupName, MissingVotes, Principal, PrincipalKind};

use super::random::{self, Random, Scene};
use super::world::{World, principal};
use crate::decide::Plain;
use crate::facts::Facts;
use crate::index::Slice;
use crate::{Approvals, Bundle, Request, entities};

fn seed() -> u64 {
    let given = std::env::var("CLAWD_TEST_SEED")
        .ok()
        .and_then(|text| text.parse().ok());
    let seed = given.unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("CLAWD_TEST_SEED={seed}");
    seed
}

fn load(world: &World, text: &str) -> Bundle {
    let files = BTreeMap::from([("x.cedar".to_owned(), text.to_owned())]);
    Bundle::load(&files, &world.vocabulary).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
}

/// Runs `check` on questions to random bundles, until it has met what it is about so many times.
fn until(met: usize, broken: bool, mut check: impl FnMut(&World, &Bundle, &Scene, &mut Random) -> bool) {
    let world = World::new();
    let mut random = Random(seed());
    let mut count = 0;
    for _ in 0..200 {
        let text = random::policies(&mut random, broken);
        println!("---\n{text}");
        let bundle = load(&world, &text);
        for _ in 0..30 {
            let scene = Scene::new(&mut random);
            count += usize::from(check(&world, &bundle, &scene, &mut random));
            if count == met {
                return;
            }
        }
    }
    panic!("met only {count} of {met} times what the test is about");
}

/// Cedar without anything of ours around it: all policies, entities and request checked against the schema.
fn bare_cedar(bundle: &Bundle, request: &Request<'_>) -> bool {
    let Ok((_, action)) = bundle.applicable(request) else {
        return false;
    };
    let mut set = PolicySet::new();
    for member in bundle.members.iter() {
        set.add(member.policy.clone()).unwrap();
    }
    let mut all = entities::parties(request, &bundle.groups, Facts::ALL).unwrap();
    all.push(entities::votes(request.approvals, &bundle.groups).unwrap());
    let all = Entities::from_entities(all, Some(&bundle.schema)).unwrap();
    let question = cedar_policy::Request::new(
        entities::principal_uid(request.principal),
        action.uid.clone(),
        entities::resource_uid(request.resource),
        entities::context(request, Facts::ALL).unwrap(),
        Some(&bundle.schema),
    )
    .unwrap();
    let response = Authorizer::new().is_authorized(&question, &set, &all);
    response.decision() == cedar_policy::Decision::Allow && response.diagnostics().errors().next().is_none()
}

#[test]
fn only_plain_cedar_allows_and_neither_slices_nor_memory_change_an_answer() {
    until(80, true, |world, bundle, scene, _| {
        let request = scene.request(world, &scene.approvals);
        let decision = bundle.decide(&request, &scene.electorate);
        let allowed = bare_cedar(bundle, &request);
        assert_eq!(
            decision.is_allow(),
            allowed,
            "{}: {decision:?}",
            request.describe()
        );
        assert_eq!(
            decision,
            bundle.decide(&request, &scene.electorate),
            "asked again"
        );
        if let Ok((_, action)) = bundle.applicable(&request) {
            let whole = Slice::whole(&bundle.members);
            let unsliced = bundle.decide_in(&whole, &request, action, &scene.electorate);
            assert_eq!(decision, unsliced, "{}", request.describe());
        }
        matches!(decision.kind, DecisionKind::NeedsApproval { .. })
    });
}

/// People who vote as an alternative asks for, each in as many groups as they happen to be in.
fn give(now: &Approvals, missing: &MissingVotes, random: &mut Random) -> Approvals {
    let mut votes = now.clone();
    let mut owed: BTreeMap<GroupName, u32> = missing.groups.clone();
    let mut number = 0;
    while owed.values().any(|more| *more > 0) || votes.distinct < now.distinct + missing.distinct {
        let open: Vec<String> = owed
            .iter()
            .filter(|(_, more)| **more > 0)
            .map(|(group, _)| group.to_string())
            .collect();
        let together = random.chance(50);
        let mut of_voter: Vec<&str> = Vec::new();
        for group in &open {
            if together || of_voter.is_empty() {
                of_voter.push(group);
            }
        }
        if random.chance(30) {
            of_voter.push("viewer");
        }
        votes.add(&principal(
            &format!("new-{number}"),
            PrincipalKind::User,
            &of_voter,
        ));
        number += 1;
        for group in of_voter {
            if let Some(more) = owed.get_mut(group) {
                *more = more.saturating_sub(1);
            }
        }
    }
    votes
}

/// One vote less than an alternative asks for, in every way.
fn one_less(missing: &MissingVotes) -> Vec<MissingVotes> {
    let mut less: Vec<MissingVotes> = Vec::new();
    for group in missing.groups.keys() {
        let mut smaller = missing.clone();
        *smaller.groups.get_mut(group).unwrap() -= 1;
        less.push(smaller);
    }
    if missing.distinct > 0 {
        let mut smaller = missing.clone();
        smaller.distinct -= 1;
        less.push(smaller);
    }
    less
}

/// The fewest people that can give these votes: everybody is in all the groups that are asked for.
fn fewest_people(now: &Approvals, missing: &MissingVotes) -> Approvals {
    let mut votes = now.clone();
    for (group, more) in &missing.groups {
        *votes.groups.entry(group.clone()).or_default() += more;
    }
    votes.distinct += missing
        .distinct
        .max(missing.groups.values().copied().max().unwrap_or(0));
    votes
}

fn could_vote(
    world: &World,
    bundle: &Bundle,
    request: &Request<'_>,
    electorate: &[Principal],
    missing: &MissingVotes,
) {
    let requester = request.run.map_or(&request.principal.name, |run| run.requester);
    for name in &missing.candidates {
        let voter = electorate.iter().find(|voter| voter.name == *name).unwrap();
        assert!(!voter.disabled && !request.approvals.voters.contains(name));
        assert!(
            bundle
                .decide_vote(voter, world.about(requester), request.now)
                .is_allow()
        );
        let fits = voter
            .groups
            .iter()
            .any(|group| missing.groups.contains_key(group));
        assert!(
            fits || missing.distinct > 0,
            "{name} is of no use for {missing:?}"
        );
    }
}

#[test]
fn missing_votes_are_enough_not_one_too_many_and_can_be_given() {
    until(60, false, |world, bundle, scene, random| {
        let request = scene.request(world, &scene.approvals);
        let decision = bundle.decide(&request, &scene.electorate);
        let DecisionKind::NeedsApproval { missing, .. } = &decision.kind else {
            return false;
        };
        assert!(!missing.is_empty());
        assert!(!bare_cedar(bundle, &request), "needs-approval is no permission");
        for alternative in missing {
            could_vote(world, bundle, &request, &scene.electorate, alternative);
            let votes = give(&scene.approvals, alternative, random);
            let then = bundle.decide(&scene.request(world, &votes), &scene.electorate);
            assert!(then.is_allow(), "{alternative:?} given: {then:?}");
            assert!(bare_cedar(bundle, &scene.request(world, &votes)));
            for less in one_less(alternative) {
                let votes = fewest_people(&scene.approvals, &less);
                let then = bundle.decide(&scene.request(world, &votes), &scene.electorate);
                assert!(
                    !then.is_allow(),
                    "{less:?} would have been enough, {alternative:?} asked for"
                );
            }
        }
        missing
            .iter()
            .any(|alternative| !alternative.candidates.is_empty())
    });
}

/// All counts of votes that could make a difference to these bundles: up to 3 of each group, up to 3 people.
fn all_counts(now: &Approvals) -> impl Iterator<Item = Approvals> + '_ {
    (0..4_u32.pow(4)).filter_map(|code| {
        let raise = |place: u32| (code / 4_u32.pow(place)) % 4;
        let groups = ["sre", "security", "operator"];
        let raised = (0..).zip(groups).filter(|(place, _)| raise(*place) > 0);
        let missing = MissingVotes {
            groups: raised
                .map(|(place, group)| (group.parse().unwrap(), raise(place)))
                .collect(),
            distinct: raise(3),
            candidates: Vec::new(),
        };
        let most = missing.groups.values().copied().max().unwrap_or(0);
        (missing.distinct == 0 || missing.distinct >= most).then(|| fewest_people(now, &missing))
    })
}

/// Plain Cedar on the slice: what `only_plain_cedar_allows` shows to be the same as bare Cedar, and faster.
fn plain_cedar(bundle: &Bundle, request: &Request<'_>) -> bool {
    let Ok((place, action)) = bundle.applicable(request) else {
        return false;
    };
    let slice = bundle.index.slice(request, place);
    matches!(
        bundle.plain(&slice, request, action, request.approvals),
        Ok(Plain::Allowed(_))
    )
}

#[test]
fn a_denial_is_one_that_no_votes_lift_and_no_alternative_is_left_out() {
    let mut denials = 0;
    until(8, false, |world, bundle, scene, _| {
        let request = scene.request(world, &scene.approvals);
        let decision = bundle.decide(&request, &[]);
        match &decision.kind {
            DecisionKind::Deny if denials < 8 => denials += 1,
            DecisionKind::NeedsApproval { .. } => {}
            DecisionKind::Allow | DecisionKind::Deny => return false,
        }
        for votes in all_counts(&scene.approvals) {
            if !plain_cedar(bundle, &scene.request(world, &votes)) {
                continue;
            }
            let DecisionKind::NeedsApproval { missing, .. } = &decision.kind else {
                panic!("denied, but {votes:?} lift it: {}", request.describe());
            };
            let found = missing
                .iter()
                .any(|alternative| contains(&scene.approvals, &votes, alternative));
            assert!(found, "{votes:?} are enough, and contain none of {missing:?}");
        }
        matches!(decision.kind, DecisionKind::NeedsApproval { .. })
    });
}

fn contains(now: &Approvals, votes: &Approvals, alternative: &MissingVotes) -> bool {
    let enough_people = votes.distinct >= now.distinct + alternative.distinct;
    enough_people
        && alternative
            .groups
            .iter()
            .all(|(group, more)| votes.of(group.as_str()) >= now.of(group.as_str()) + more)
}

#[test]
fn more_votes_never_hurt() {
    until(60, false, |world, bundle, scene, random| {
        if !bundle
            .decide(&scene.request(world, &scene.approvals), &[])
            .is_allow()
        {
            return false;
        }
        let mut votes = scene.approvals.clone();
        for number in 0..3 {
            let group = random.pick(&["sre", "security", "operator", "viewer"]);
            votes.add(&principal(
                &format!("more-{number}"),
                PrincipalKind::User,
                &[group],
            ));
            let then = bundle.decide(&scene.request(world, &votes), &[]);
            assert!(then.is_allow(), "allowed, but not with {votes:?}");
        }
        true
    });
}
