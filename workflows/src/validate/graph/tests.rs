//! The graph of jobs: orders, circles, and properties of random graphs.

use super::*;
use crate::parse::Lines;
use clawd_model::Problem;
use proptest::prelude::{prop, prop_assert, prop_assert_eq, proptest};
use std::fmt::Write as _;

fn graph(jobs: &[(usize, Vec<usize>)]) -> (Graph, Vec<Problem>) {
    let mut source = "apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {name: x}\njobs:\n".to_owned();
    for (job, needs) in jobs {
        let needs: Vec<String> = needs.iter().map(|need| format!("j{need}")).collect();
        let _ = writeln!(
            source,
            "  j{job}: {{needs: [{}], steps: [{{uses: noop@v1}}]}}",
            needs.join(", ")
        );
    }
    let problems = Problems::default();
    let lines = Lines::new(&source);
    let runbook = crate::runbook::read(&source, &lines, &Problems::default()).unwrap();
    (build(&runbook.jobs, &problems), problems.into_sorted())
}

#[test]
fn jobs_come_after_those_that_they_need_and_in_the_order_of_the_document() {
    let (graph, problems) = graph(&[(0, vec![2]), (1, vec![]), (2, vec![]), (3, vec![0, 1])]);
    assert!(problems.is_empty());
    assert_eq!(graph.order, [1, 2, 0, 3]);
    assert_eq!(graph.ancestors[3], BTreeSet::from([0, 1, 2]));
    assert_eq!(graph.needs[3], [0, 1]);
}

#[test]
fn circles_are_named_by_their_jobs() {
    let (_, problems) = graph(&[
        (0, vec![2]),
        (1, vec![0]),
        (2, vec![1]),
        (3, vec![3]),
        (4, vec![0]),
    ]);
    let messages: Vec<&str> = problems.iter().map(|problem| problem.message.as_str()).collect();
    assert_eq!(
        messages,
        [
            "jobs need each other in a circle: `j0` needs `j2` needs `j1` needs `j0`",
            "job `j3` needs itself"
        ]
    );
}

proptest! {
    /// Any needs at all: the order holds every job once, and what is not in a circle comes after what it needs.
    #[test]
    fn the_order_respects_every_need(needs in prop::collection::vec(prop::collection::btree_set(0_usize..12, 0..4), 12)) {
        let jobs: Vec<(usize, Vec<usize>)> =
            needs.iter().enumerate().map(|(job, needs)| (job, needs.iter().copied().collect())).collect();
        let (graph, problems) = graph(&jobs);
        let mut sorted = graph.order.clone();
        sorted.sort_unstable();
        prop_assert_eq!(sorted, (0..12).collect::<Vec<_>>());
        let place = |job: usize| graph.order.iter().position(|at| *at == job).unwrap();
        let has_circle = (0..12).any(|job| graph.ancestors[job].contains(&job));
        prop_assert_eq!(has_circle, problems.iter().any(|problem| problem.code == "RB031"));
        for (job, needs) in &jobs {
            // Jobs behind a circle have no place in any order.
            let is_placed = graph.ancestors[*job].iter().all(|ancestor| !graph.ancestors[*ancestor].contains(ancestor));
            for need in needs {
                prop_assert!(!is_placed || place(*need) < place(*job), "{} before {}", need, job);
                prop_assert!(graph.ancestors[*job].contains(need));
            }
        }
    }

    /// Needs that only point backwards never make a circle, whatever the names' order in the document.
    #[test]
    fn a_graph_without_circles_has_no_problem(
        edges in prop::collection::vec((0_usize..15, 0_usize..15), 0..40),
        turn in 0_usize..15,
    ) {
        let mut jobs: Vec<(usize, Vec<usize>)> = (0..15).map(|job| (job, Vec::new())).collect();
        for (from, to) in edges {
            if from < to && !jobs[to].1.contains(&from) {
                jobs[to].1.push(from);
            }
        }
        jobs.rotate_left(turn);
        prop_assert!(graph(&jobs).1.is_empty());
    }
}
