//! The fewest votes, without Cedar.

use super::*;

fn thresholds(pairs: &[(&str, &[u32])]) -> BTreeMap<String, BTreeSet<u32>> {
    pairs
        .iter()
        .map(|(count, from)| ((*count).to_owned(), from.iter().copied().collect()))
        .collect()
}

fn shown(found: &[MissingVotes]) -> Vec<String> {
    found
        .iter()
        .map(|missing| {
            let mut parts: Vec<String> = missing
                .groups
                .iter()
                .map(|(group, more)| format!("{group}+{more}"))
                .collect();
            if missing.distinct > 0 {
                parts.push(format!("distinct+{}", missing.distinct));
            }
            parts.join(" ")
        })
        .collect()
}

fn votes(distinct: u32, groups: &[(&str, u32)]) -> Approvals {
    Approvals {
        distinct,
        groups: groups
            .iter()
            .map(|(group, count)| (group.parse().unwrap(), *count))
            .collect(),
        ..Approvals::none()
    }
}

#[test]
fn alternatives_are_all_found_and_minimal() {
    let wanted = thresholds(&[("sre", &[2, 3]), ("security", &[1])]);
    let found = fewest(&Approvals::none(), &wanted, &|votes| {
        votes.of("sre") >= 3 || (votes.of("sre") >= 2 && votes.of("security") >= 1)
    });
    assert_eq!(shown(&found), ["security+1 sre+2", "sre+3"]);
}

#[test]
fn votes_that_are_there_count() {
    let wanted = thresholds(&[("sre", &[2]), ("distinct", &[4])]);
    let found = fewest(&votes(1, &[("sre", 1)]), &wanted, &|votes| {
        votes.of("sre") >= 2 && votes.distinct >= 4
    });
    assert_eq!(shown(&found), ["sre+1 distinct+3"]);
}

#[test]
fn a_vote_of_a_group_is_a_vote_of_somebody() {
    let wanted = thresholds(&[("sre", &[2]), ("distinct", &[2])]);
    let found = fewest(&Approvals::none(), &wanted, &|votes| {
        votes.of("sre") >= 2 && votes.distinct >= 2
    });
    assert_eq!(shown(&found), ["sre+2"]);
}

#[test]
fn what_contains_a_smaller_alternative_is_none() {
    let wanted = thresholds(&[("sre", &[3]), ("distinct", &[2])]);
    let found = fewest(&Approvals::none(), &wanted, &|votes| {
        votes.of("sre") >= 3 || votes.distinct >= 2
    });
    assert_eq!(shown(&found), ["distinct+2"]);
    let wanted = thresholds(&[("sre", &[1, 3]), ("distinct", &[3])]);
    let found = fewest(&Approvals::none(), &wanted, &|votes| {
        votes.of("sre") >= 1 && votes.distinct >= 3
    });
    assert_eq!(shown(&found), ["sre+1 distinct+3"]);
}

#[test]
fn what_votes_cannot_lift_has_no_alternatives() {
    let wanted = thresholds(&[("sre", &[2])]);
    assert_eq!(fewest(&Approvals::none(), &wanted, &|_| false), []);
    assert_eq!(fewest(&votes(5, &[("sre", 5)]), &wanted, &|_| true), []);
}

#[test]
fn with_very_many_combinations_what_is_found_is_still_minimal() {
    let names: Vec<String> = (0..8).map(|number| format!("g{number}")).collect();
    let wanted: BTreeMap<String, BTreeSet<u32>> = names
        .iter()
        .map(|name| (name.clone(), BTreeSet::from([1, 2, 3])))
        .collect();
    let enough = |votes: &Approvals| votes.of("g0") + votes.of("g1") >= 3 && votes.of("g7") >= 2;
    let found = fewest(&Approvals::none(), &wanted, &enough);
    assert_eq!(shown(&found), ["g1+3 g7+2", "g0+3 g7+2"]);
    let mut wanted = wanted;
    wanted.insert("distinct".to_owned(), BTreeSet::from([2]));
    let found = fewest(&Approvals::none(), &wanted, &|votes| {
        votes.of("g0") >= 3 || votes.distinct >= 2
    });
    assert_eq!(shown(&found), ["distinct+2"]);
}
