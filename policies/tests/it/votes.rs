//! Votes are counted anew: by the people as they are now, under the policies as they are now.

use clawd_model::{
    ApprovalId, Digest, Principal, PrincipalKind, SeededEntropy, Timestamp, Verdict, Vote, VoteId,
};
use clawd_policy::{Bundle, Resource, library};

use crate::support::{baseline, principal, vocabulary};

fn vote(voter: &str) -> Vote {
    Vote {
        id: VoteId::new(Timestamp(0), &SeededEntropy::new(1)),
        approval: ApprovalId::new(Timestamp(0), &SeededEntropy::new(1)),
        subject: Digest::of(b"subject"),
        voter: voter.parse().unwrap(),
        verdict: Verdict::Approve,
        comment: String::new(),
        at: Timestamp(0),
        expires_at: Timestamp(100),
    }
}

fn people() -> Vec<Principal> {
    vec![
        principal("ana", PrincipalKind::User, &["operator", "sre"]),
        principal("ben", PrincipalKind::User, &["sre"]),
        principal("cho", PrincipalKind::User, &["sre"]),
        principal("vic", PrincipalKind::User, &["viewer"]),
        principal("olga", PrincipalKind::User, &["sre"]),
    ]
}

/// How many people count, and how many of them for `sre`.
fn counted(
    bundle: &Bundle,
    people: &[Principal],
    requester: &str,
    operator: Option<&str>,
    now: i64,
) -> (u32, u32) {
    let (tenant, requester) = ("demo".parse().unwrap(), requester.parse().unwrap());
    let operator = operator.map(|name| name.parse().unwrap());
    let about = Resource::Approval {
        tenant: &tenant,
        id: None,
        requester: &requester,
        operator: operator.as_ref(),
        runbook: None,
    };
    let votes = ["ana", "ben", "cho", "vic", "olga"].map(vote);
    let valid = bundle.valid_votes(about, &votes, people, Digest::of(b"subject"), Timestamp(now));
    (valid.distinct, valid.of("sre"))
}

#[test]
fn only_votes_of_those_who_may_vote_now_count() {
    let (bundle, all) = (baseline(), people());
    assert_eq!(counted(&bundle, &all, "olaf", None, 0), (4, 4), "not the viewer");
    assert_eq!(
        counted(&bundle, &all, "ana", None, 0),
        (3, 3),
        "nor the requester"
    );
    assert_eq!(
        counted(&bundle, &all, "helper", Some("olga"), 0),
        (3, 3),
        "nor the agent's operator"
    );
    assert_eq!(
        counted(&bundle, &all, "olaf", None, 100),
        (0, 0),
        "nor expired ones"
    );
    let mut fewer = people();
    fewer[1].disabled = true;
    fewer[2].groups = vec!["operator".parse().unwrap()];
    assert_eq!(
        counted(&bundle, &fewer, "olaf", None, 0),
        (3, 2),
        "who left the group votes as somebody else"
    );
    fewer[3].tenant = "acme".parse().unwrap();
    fewer[4].tenant = "acme".parse().unwrap();
    assert_eq!(
        counted(&bundle, &fewer, "olaf", None, 0),
        (2, 1),
        "nor people of another tenant"
    );
}

#[test]
fn a_policy_that_was_tightened_meanwhile_takes_votes_away() {
    let mut files = library::baseline();
    files.insert(
        "freeze.cedar".to_owned(),
        "@id(\"freeze\") forbid(principal, action == Action::\"vote.cast\", resource) unless { principal.name == \"cho\" };"
            .to_owned(),
    );
    let bundle = Bundle::load(&files, &vocabulary()).unwrap();
    assert_eq!(counted(&bundle, &people(), "olaf", None, 0), (1, 1));
}
