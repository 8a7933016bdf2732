//! Which votes count.

use clawd_model::{SeededEntropy, VoteId};

use super::*;

fn person(name: &str, groups: &[&str]) -> Principal {
    Principal {
        tenant: "demo".parse().unwrap(),
        kind: PrincipalKind::User,
        name: name.parse().unwrap(),
        display_name: String::new(),
        groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
        operator: None,
        disabled: false,
    }
}

const NOW: Timestamp = Timestamp(1_000);

fn subject() -> Digest {
    Digest::of(b"what is voted on")
}

fn vote(voter: &str) -> Vote {
    Vote {
        id: VoteId::new(NOW, &SeededEntropy::new(1)),
        approval: clawd_model::ApprovalId::new(NOW, &SeededEntropy::new(1)),
        subject: subject(),
        voter: voter.parse().unwrap(),
        verdict: Verdict::Approve,
        comment: String::new(),
        at: Timestamp(500),
        expires_at: Timestamp(1_001),
    }
}

fn count(votes: &[Vote], voters: &[Principal]) -> (u32, u32, u32) {
    let counted = Approvals::count(votes, voters, subject(), NOW);
    (counted.distinct, counted.of("sre"), counted.of("security"))
}

#[test]
fn a_person_counts_once_and_for_each_of_their_groups() {
    let voters = [
        person("ben", &["sre", "security", "sre"]),
        person("cho", &["sre"]),
        person("dot", &[]),
    ];
    let votes = [vote("ben"), vote("cho"), vote("ben"), vote("dot")];
    assert_eq!(count(&votes, &voters), (3, 2, 1));
    assert_eq!(count(&[], &voters), (0, 0, 0));
}

#[test]
fn votes_that_are_not_valid_do_not_count() {
    let voters = [person("ben", &["sre"])];
    let changed: [fn(&mut Vote); 4] = [
        |vote| vote.verdict = Verdict::Reject,
        |vote| vote.subject = Digest::of(b"something else"),
        |vote| vote.expires_at = NOW,
        |vote| vote.voter = "nobody".parse().unwrap(),
    ];
    assert_eq!(count(&[vote("ben")], &voters), (1, 1, 0));
    for (number, change) in changed.iter().enumerate() {
        let mut changed = vote("ben");
        change(&mut changed);
        assert_eq!(count(&[changed], &voters), (0, 0, 0), "change {number}");
    }
}

#[test]
fn voters_are_looked_at_as_they_are_now() {
    let mut left = person("ben", &["sre"]);
    left.disabled = true;
    assert_eq!(count(&[vote("ben")], &[left]), (0, 0, 0));
    assert_eq!(
        count(&[vote("ben")], &[person("ben", &["viewer"])]),
        (1, 0, 0),
        "left the group"
    );
    let mut program = person("ben", &["sre"]);
    program.kind = PrincipalKind::Service;
    assert_eq!(count(&[vote("ben")], &[program]), (0, 0, 0));
}
