//! Gives each slot its place across the layers: near its neighbours, never nearer to the next than the room that a
//! box needs.

use super::{Layered, Slot};

const ROUNDS: usize = 12;

/// The centre of each slot, by slot. Passages need half of the room of a box.
pub(super) fn centres(graph: &Layered, room: f64, nodes: usize) -> Vec<f64> {
    let mut centres = vec![0.0; graph.slots];
    for layer in &graph.layers {
        spread(layer, &mut centres, room, nodes, |_| None);
    }
    for _ in 0..ROUNDS {
        for layer in &graph.layers {
            let wanted: Vec<(Slot, f64)> = layer
                .iter()
                .filter_map(|slot| mean_of_neighbours(graph, &centres, *slot).map(|mean| (*slot, mean)))
                .collect();
            spread(layer, &mut centres, room, nodes, |slot| {
                wanted.iter().find(|(other, _)| *other == slot).map(|(_, at)| *at)
            });
        }
    }
    centres
}

fn mean_of_neighbours(graph: &Layered, centres: &[f64], slot: Slot) -> Option<f64> {
    let mut sum = 0.0;
    let mut count = 0_u32;
    for (from, to) in &graph.links {
        let neighbour = match slot {
            _ if *from == slot => to,
            _ if *to == slot => from,
            _ => continue,
        };
        sum += centres.get(*neighbour).copied().unwrap_or_default();
        count += 1;
    }
    (count > 0).then(|| sum / f64::from(count))
}

/// Puts the slots of one layer where they are wanted, in their order, with enough room between them; what the order
/// pushed aside is shared evenly, so that the layer stays centred on its wishes.
fn spread(
    layer: &[Slot],
    centres: &mut [f64],
    room: f64,
    nodes: usize,
    wanted: impl Fn(Slot) -> Option<f64>,
) {
    let mut placed: Vec<f64> = Vec::with_capacity(layer.len());
    let mut pushed = 0.0;
    let mut before: Option<(f64, bool)> = None;
    for slot in layer {
        let is_box = *slot < nodes;
        let now = centres.get(*slot).copied().unwrap_or_default();
        let wish = wanted(*slot).unwrap_or(now);
        let at = match before {
            None => wish,
            Some((last, last_is_box)) => {
                let share = if is_box && last_is_box { 1.0 } else { 0.75 };
                wish.max(last + room * share)
            }
        };
        pushed += at - wish;
        before = Some((at, is_box));
        placed.push(at);
    }
    let back = if placed.is_empty() {
        0.0
    } else {
        pushed / placed.len() as f64
    };
    for (slot, at) in layer.iter().zip(placed) {
        if let Some(centre) = centres.get_mut(*slot) {
            *centre = at - back;
        }
    }
}
