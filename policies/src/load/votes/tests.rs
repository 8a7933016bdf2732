//! Which uses of votes are read, and which are refused.

use cedar_policy::Policy;

use super::*;

fn read_policy(text: &str) -> (VoteUse, Vec<Misuse>) {
    let policy = Policy::parse(None, text).unwrap().to_pst().unwrap();
    read(policy.body())
}

fn forbid(condition: &str) -> (VoteUse, Vec<Misuse>) {
    read_policy(&format!("forbid(principal, action, resource) {condition};"))
}

fn thresholds(pairs: &[(&str, &[u32])]) -> BTreeMap<String, BTreeSet<u32>> {
    pairs
        .iter()
        .map(|(name, from)| ((*name).to_owned(), from.iter().copied().collect()))
        .collect()
}

#[test]
fn thresholds_are_the_counts_from_which_on_it_makes_a_difference() {
    for (condition, expected) in [
        (
            "unless { context.approvals.sre >= 2 && context.approvals.security > 0 }",
            thresholds(&[("security", &[1]), ("sre", &[2])]),
        ),
        (
            "when { context.approvals.sre < 2 || 3 > context.approvals[\"sre\"] }",
            thresholds(&[("sre", &[2, 3])]),
        ),
        (
            "when { !(2 <= context.approvals.distinct) && resource.env == \"prod\" }",
            thresholds(&[("distinct", &[2])]),
        ),
        (
            "unless { if resource.protected then context.approvals.sre >= 3 else context.approvals.break_glass }",
            thresholds(&[("sre", &[3])]),
        ),
        (
            "when { context.approvals.sre <= 1 }",
            thresholds(&[("sre", &[2])]),
        ),
    ] {
        let (found, misuses) = forbid(condition);
        assert_eq!(misuses, [], "{condition}");
        assert!(found.asks);
        assert_eq!(found.thresholds, expected, "{condition}");
    }
    let (found, misuses) =
        read_policy("permit(principal, action, resource) when { context.approvals.distinct >= 1 };");
    assert_eq!((found.asks, misuses.len()), (true, 0));
}

#[test]
fn a_vote_that_could_hurt_is_refused() {
    for condition in [
        "when { context.approvals.sre >= 2 }",
        "unless { context.approvals.sre < 2 }",
        "unless { !(context.approvals.sre >= 2) }",
        "unless { if context.approvals.sre >= 2 then resource.protected else principal.disabled }",
        "when { context.approvals.break_glass }",
    ] {
        let (_, misuses) = forbid(condition);
        assert!(
            matches!(misuses.as_slice(), [Misuse::Hurts(_)]),
            "{condition}: {misuses:?}"
        );
    }
}

#[test]
fn votes_can_only_be_compared_with_numbers() {
    for condition in [
        "unless { context.approvals.sre + context.approvals.security >= 2 }",
        "unless { context.approvals.sre == 2 }",
        "unless { context.approvals.sre >= context.approvals.security }",
        "unless { [context.approvals].contains(context.approvals) }",
        "unless { context has approvals }",
        "unless { context has approvals.sre }",
        "unless { context.approvals has sre }",
        "unless { context.approvals == Approvals::\"votes\" }",
        "unless { Approvals::\"votes\".sre >= 2 }",
        "unless { {\"a\": context.approvals}.a.sre >= 2 }",
        "unless { context.approvals.break_glass == true }",
        "when { context.approvals in principal }",
    ] {
        let (found, misuses) = forbid(condition);
        assert!(found.asks, "{condition}");
        assert!(misuses.contains(&Misuse::NotCounted), "{condition}: {misuses:?}");
    }
    let (_, misuses) = forbid("unless { context == context }");
    assert_eq!(misuses, [Misuse::WholeContext, Misuse::WholeContext]);
}

#[test]
fn numbers_that_no_count_reaches_are_refused() {
    for (condition, from) in [
        ("unless { context.approvals.sre >= 0 }", 0),
        ("unless { context.approvals.sre >= 1001 }", 1001),
        ("when { context.approvals.sre < -1 }", -1),
    ] {
        let expected = Misuse::OutOfRange("sre".to_owned(), from);
        assert_eq!(forbid(condition).1, [expected], "{condition}");
    }
}

#[test]
fn what_does_not_mention_votes_asks_for_none() {
    let (found, misuses) = forbid("when { resource.env == \"prod\" && context has run }");
    assert_eq!((found, misuses), (VoteUse::default(), vec![]));
}
