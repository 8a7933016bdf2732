//! Assigns layers: each node one layer after the last of those that it needs.

use super::{Layered, Slot};

/// The layer of each node: the longest way to it. Needs that point nowhere or in a circle are left out.
fn depths(needs: &[Vec<usize>]) -> Vec<usize> {
    let mut depths = vec![0_usize; needs.len()];
    // As many rounds as nodes settle every graph without circles; one with circles stops there, still drawable.
    for _ in 0..needs.len() {
        let mut changed = false;
        for (node, before) in needs.iter().enumerate() {
            let deepest = before
                .iter()
                .filter(|other| **other != node)
                .filter_map(|other| depths.get(*other))
                .max();
            let wanted = deepest.map_or(0, |depth| depth + 1).min(needs.len());
            if let Some(depth) = depths.get_mut(node)
                && *depth < wanted
            {
                *depth = wanted;
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    depths
}

/// Builds layers, and gives each edge a slot in every layer that it passes.
pub(super) fn layered(needs: &[Vec<usize>]) -> Layered {
    let depths = depths(needs);
    let count = depths.iter().max().map_or(0, |deepest| deepest + 1);
    let mut layers: Vec<Vec<Slot>> = vec![Vec::new(); count];
    for (node, depth) in depths.iter().enumerate() {
        if let Some(layer) = layers.get_mut(*depth) {
            layer.push(node);
        }
    }
    let mut graph = Layered {
        layers,
        links: Vec::new(),
        routes: Vec::new(),
        slots: needs.len(),
    };
    for (to, before) in needs.iter().enumerate() {
        for from in before {
            let (Some(first), Some(last)) = (depths.get(*from), depths.get(to)) else {
                continue;
            };
            if first < last {
                route(&mut graph, *from, to, *first, *last);
            }
        }
    }
    graph.layers.retain(|layer| !layer.is_empty());
    graph
}

fn route(graph: &mut Layered, from: usize, to: usize, first: usize, last: usize) {
    let mut slots = vec![from];
    for layer in graph.layers.iter_mut().take(last).skip(first + 1) {
        let slot = graph.slots;
        graph.slots += 1;
        layer.push(slot);
        slots.push(slot);
    }
    slots.push(to);
    let links = slots.iter().copied().zip(slots.iter().copied().skip(1));
    graph.links.extend(links);
    graph.routes.push((from, to, slots));
}
