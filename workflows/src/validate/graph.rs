//! The graph of jobs: `needs` resolved, circles named, an order found.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use petgraph::Direction;
use petgraph::algo::{astar, tarjan_scc};
use petgraph::graph::{DiGraph, NodeIndex};

use crate::codes;
use crate::problems::Problems;
use crate::runbook::DeclaredJob;
use crate::suggest;

/// Jobs by their index in the document.
pub(super) struct Graph {
    /// What each job needs directly, sorted.
    pub(super) needs: Vec<Vec<usize>>,
    /// What each job needs, directly or through others.
    pub(super) ancestors: Vec<BTreeSet<usize>>,
    /// Every job once, after those that it needs; among several that could come next, the first of the document.
    pub(super) order: Vec<usize>,
}

/// Resolves `needs`; reports unknown jobs, jobs named twice, and circles.
pub(super) fn build(jobs: &[DeclaredJob], problems: &Problems) -> Graph {
    let index: BTreeMap<&str, usize> = jobs
        .iter()
        .enumerate()
        .map(|(index, job)| (job.key.as_str(), index))
        .collect();
    let mut graph = DiGraph::<(), ()>::new();
    let nodes: Vec<NodeIndex> = jobs.iter().map(|_| graph.add_node(())).collect();
    let mut needs: Vec<Vec<usize>> = vec![Vec::new(); jobs.len()];
    for ((job, needed), node) in jobs.iter().zip(&mut needs).zip(&nodes) {
        for need in &job.needs {
            let Some(other) = index.get(need.value.as_str()).copied() else {
                if problems.is_full() {
                    break;
                }
                let message = format!("there is no job `{}`", crate::parse::shortened(&need.value));
                let others = index.keys().copied().filter(|name| *name != job.key);
                problems.error_with_hint(
                    &codes::UNKNOWN_JOB,
                    need.span,
                    message,
                    suggest::hint(&need.value, others),
                );
                continue;
            };
            if needed.contains(&other) {
                let message = format!("`{}` is needed twice", need.value);
                problems.warning(&codes::REPEATED_NEED, need.span, message, "remove one of them");
                continue;
            }
            needed.push(other);
            if let Some(other) = nodes.get(other) {
                graph.add_edge(*other, *node, ());
            }
        }
        needed.sort_unstable();
    }
    report_circles(&graph, jobs, problems);
    let ancestors = nodes.iter().map(|node| ancestors(&graph, *node)).collect();
    let order = order(&graph);
    Graph {
        needs,
        ancestors,
        order,
    }
}

fn report_circles(graph: &DiGraph<(), ()>, jobs: &[DeclaredJob], problems: &Problems) {
    for mut component in tarjan_scc(graph) {
        component.sort_unstable();
        let Some(first) = component.first().copied() else {
            continue;
        };
        // A way from what `first` is needed by back to `first`; read backwards, each job needs the next.
        let way = graph
            .neighbors(first)
            .filter(|next| component.contains(next))
            .filter_map(|next| astar(graph, next, |at| at == first, |_| 1_u32, |_| 0).map(|(_, way)| way));
        let Some(mut way) = way.min_by_key(Vec::len) else {
            continue;
        };
        way.reverse();
        let name = |node: &NodeIndex| jobs.get(node.index()).map_or("?", |job| job.key.as_str());
        let Some(job) = jobs.get(first.index()) else {
            continue;
        };
        let next = way.get(1).map_or_else(|| name(&first), name);
        let span = job
            .needs
            .iter()
            .find(|need| need.value == next)
            .map_or(job.name.span, |need| need.span);
        let message = if way.len() == 1 {
            format!("job `{}` needs itself", name(&first))
        } else {
            let names = way.iter().chain([&first]).map(|node| format!("`{}`", name(node)));
            format!(
                "jobs need each other in a circle: {}",
                names.collect::<Vec<_>>().join(" needs ")
            )
        };
        problems.error_with_hint(
            &codes::CYCLE,
            span,
            message,
            "remove one `needs` from the circle".to_owned(),
        );
    }
}

fn ancestors(graph: &DiGraph<(), ()>, node: NodeIndex) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut open = vec![node];
    while let Some(at) = open.pop() {
        for earlier in graph.neighbors_directed(at, Direction::Incoming) {
            if found.insert(earlier.index()) {
                open.push(earlier);
            }
        }
    }
    found
}

/// Kahn's algorithm, taking the first job of the document whenever there is a choice. Jobs in a circle come last.
fn order(graph: &DiGraph<(), ()>) -> Vec<usize> {
    let mut missing: Vec<usize> = graph
        .node_indices()
        .map(|node| graph.neighbors_directed(node, Direction::Incoming).count())
        .collect();
    let mut ready: BinaryHeap<Reverse<usize>> = missing
        .iter()
        .enumerate()
        .filter(|(_, count)| **count == 0)
        .map(|(index, _)| Reverse(index))
        .collect();
    let mut order = Vec::with_capacity(missing.len());
    while let Some(Reverse(at)) = ready.pop() {
        order.push(at);
        for later in graph.neighbors(NodeIndex::new(at)) {
            if let Some(count) = missing.get_mut(later.index()) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    ready.push(Reverse(later.index()));
                }
            }
        }
    }
    let placed: BTreeSet<usize> = order.iter().copied().collect();
    order.extend((0..missing.len()).filter(|index| !placed.contains(index)));
    order
}

#[cfg(test)]
mod tests;
