//! Waves: every server exactly once, whatever the strategy.

use super::*;
use crate::testing::server;
use proptest::prelude::{
    Strategy as Generator, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

fn names(waves: &[Vec<LaneTarget>]) -> Vec<Vec<&str>> {
    waves
        .iter()
        .map(|wave| wave.iter().map(|lane| lane.name.as_str()).collect())
        .collect()
}

fn fleet(prod: usize) -> Vec<Server> {
    let mut servers = vec![server("canary-1", "staging", &[])];
    servers.extend((1..=prod).map(|number| server(&format!("web-{number:02}"), "prod", &[])));
    servers
}

fn waves(strategy: &Strategy, servers: &[Server]) -> Vec<Vec<LaneTarget>> {
    strategy.waves(&servers.iter().collect::<Vec<_>>())
}

#[test]
fn the_canary_goes_first_and_the_rest_follow_in_batches() {
    let strategy = Strategy {
        canary: Some(Selector::parse("env=staging").unwrap()),
        serial: vec![Batch::Count(1), Batch::Percent(50), Batch::Percent(100)],
        ..Strategy::default()
    };
    let servers = fleet(5);
    assert_eq!(
        names(&waves(&strategy, &servers)),
        [
            vec!["canary-1"],
            vec!["web-01"],
            vec!["web-02", "web-03"],
            vec!["web-04", "web-05"]
        ]
    );
}

#[test]
fn the_last_batch_repeats() {
    let strategy = Strategy {
        serial: vec![Batch::Count(2)],
        ..Strategy::default()
    };
    let sizes: Vec<usize> = waves(&strategy, &fleet(4)).iter().map(Vec::len).collect();
    assert_eq!(sizes, [2, 2, 1]);
}

#[test]
fn without_a_strategy_all_go_at_once_and_no_servers_give_no_wave() {
    assert_eq!(waves(&Strategy::default(), &fleet(3)).len(), 1);
    assert!(waves(&Strategy::default(), &[]).is_empty());
}

#[test]
fn a_canary_that_matches_nobody_makes_no_wave() {
    let strategy = Strategy {
        canary: Some(Selector::parse("env=lab").unwrap()),
        ..Strategy::default()
    };
    assert_eq!(waves(&strategy, &fleet(2)).len(), 1);
}

fn any_batch() -> impl Generator<Value = Batch> {
    prop_oneof![
        (1_u32..40).prop_map(Batch::Count),
        (1_u8..=100).prop_map(Batch::Percent)
    ]
}

proptest! {
    #[test]
    fn every_server_is_in_exactly_one_wave_in_whatever_order_they_come(
        count in 0_usize..60,
        serial in prop::collection::vec(any_batch(), 0..4),
        canary in any::<bool>(),
        rotation in 0_usize..60,
    ) {
        let servers = fleet(count);
        let strategy = Strategy {
            canary: canary.then(|| Selector::parse("env=staging").unwrap()),
            serial,
            ..Strategy::default()
        };
        let waves = waves(&strategy, &servers);
        prop_assert!(waves.iter().all(|wave| !wave.is_empty()));
        let mut covered: Vec<_> = waves.iter().flatten().filter_map(|lane| lane.server).collect();
        covered.sort();
        let mut expected: Vec<_> = servers.iter().map(|server| server.id).collect();
        expected.sort();
        prop_assert_eq!(covered, expected);

        let mut turned: Vec<&Server> = servers.iter().collect();
        turned.rotate_left(rotation % servers.len());
        turned.push(turned[0]);
        prop_assert_eq!(strategy.waves(&turned), waves);
    }
}
