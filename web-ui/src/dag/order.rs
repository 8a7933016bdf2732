//! Orders the slots of each layer so that few lines cross: sweeps to and fro, each slot at the mean of its
//! neighbours; the best order seen is kept.

use std::collections::HashMap;

use super::{Layered, Slot};

const SWEEPS: usize = 8;

/// Reorders the layers.
pub(super) fn untangle(graph: &mut Layered) {
    let mut best = graph.layers.clone();
    let mut fewest = crossings(&graph.layers, &graph.links);
    for sweep in 0..SWEEPS {
        if fewest == 0 {
            break;
        }
        let forward = sweep % 2 == 0;
        sweep_once(&mut graph.layers, &graph.links, forward);
        let now = crossings(&graph.layers, &graph.links);
        if now < fewest {
            fewest = now;
            best.clone_from(&graph.layers);
        }
    }
    graph.layers = best;
}

fn sweep_once(layers: &mut [Vec<Slot>], links: &[(Slot, Slot)], forward: bool) {
    let indices: Vec<usize> = if forward {
        (1..layers.len()).collect()
    } else {
        (0..layers.len().saturating_sub(1)).rev().collect()
    };
    for index in indices {
        let beside = if forward { index - 1 } else { index + 1 };
        let places = layers.get(beside).map(|layer| places(layer)).unwrap_or_default();
        let Some(layer) = layers.get_mut(index) else {
            continue;
        };
        let own = self::places(layer);
        let mean = |slot: Slot| -> f64 {
            let around: Vec<f64> = links
                .iter()
                .filter_map(|(from, to)| match forward {
                    true => (*to == slot).then_some(from),
                    false => (*from == slot).then_some(to),
                })
                .filter_map(|neighbour| places.get(neighbour).copied())
                .collect();
            if around.is_empty() {
                own.get(&slot).copied().unwrap_or_default()
            } else {
                around.iter().sum::<f64>() / around.len() as f64
            }
        };
        layer.sort_by(|a, b| mean(*a).total_cmp(&mean(*b)));
    }
}

fn places(layer: &[Slot]) -> HashMap<Slot, f64> {
    (0_u32..)
        .zip(layer)
        .map(|(place, slot)| (*slot, f64::from(place)))
        .collect()
}

/// How many pairs of lines between neighbouring layers cross.
pub(super) fn crossings(layers: &[Vec<Slot>], links: &[(Slot, Slot)]) -> usize {
    let mut place: HashMap<Slot, (usize, usize)> = HashMap::new();
    for (depth, layer) in layers.iter().enumerate() {
        for (index, slot) in layer.iter().enumerate() {
            place.insert(*slot, (depth, index));
        }
    }
    let spots: Vec<(usize, usize, usize)> = links
        .iter()
        .filter_map(|(from, to)| {
            let (depth, begin) = place.get(from)?;
            let (_, end) = place.get(to)?;
            Some((*depth, *begin, *end))
        })
        .collect();
    let mut count = 0;
    for (index, (depth, begin, end)) in spots.iter().enumerate() {
        count += spots
            .iter()
            .skip(index + 1)
            .filter(|(other_depth, other_begin, other_end)| {
                other_depth == depth
                    && ((begin < other_begin && end > other_end) || (begin > other_begin && end < other_end))
            })
            .count();
    }
    count
}
