//! Draws a graph of jobs: layers along one axis, as few crossings and as straight lines as a few sweeps give.
//!
//! ```text
//! needs ──layer──▶ slots per layer ──order──▶ fewer crossings ──place──▶ coordinates ──▶ Drawing
//! ```
//!
//! Pure: the same graph always gives the same drawing. An edge over several layers passes through a slot of its own
//! in each of them, so that it never runs through a box. It never fails: whatever the input, there is a drawing.

mod layer;
mod order;
mod place;

#[cfg(test)]
mod tests;

/// Which way the graph reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Left to right, for wide screens.
    Across,
    /// Top to bottom, for phones.
    Down,
}

/// The sizes of a drawing, in its own units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Sizes {
    /// Width of a box.
    pub(crate) width: f64,
    /// Height of a box.
    pub(crate) height: f64,
    /// Space between layers.
    pub(crate) between_layers: f64,
    /// Space between boxes of a layer.
    pub(crate) between_boxes: f64,
    /// Space around the drawing.
    pub(crate) margin: f64,
}

/// Where a box stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Placed {
    /// Left edge.
    pub(crate) x: f64,
    /// Upper edge.
    pub(crate) y: f64,
}

/// A line from a box to one that needs it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Line {
    /// Where it begins: an index into the nodes.
    pub(crate) from: usize,
    /// Where it ends.
    pub(crate) to: usize,
    /// The `d` of an SVG path.
    pub(crate) path: String,
}

/// A drawn graph.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Drawing {
    /// Its whole width.
    pub(crate) width: f64,
    /// Its whole height.
    pub(crate) height: f64,
    /// Where each node stands, in the order of the input.
    pub(crate) boxes: Vec<Placed>,
    /// The lines.
    pub(crate) lines: Vec<Line>,
}

/// A slot: a node, or the passage of an edge through a layer.
type Slot = usize;

/// The graph with its layers.
struct Layered {
    /// Slots per layer, in drawing order. Slots below the number of nodes are these nodes.
    layers: Vec<Vec<Slot>>,
    /// Links between slots of neighbouring layers.
    links: Vec<(Slot, Slot)>,
    /// Each edge with the slots that it passes, both ends included.
    routes: Vec<(usize, usize, Vec<Slot>)>,
    /// How many slots there are.
    slots: usize,
}

/// Draws the graph whose node `i` needs the nodes `needs[i]`.
pub(crate) fn draw(needs: &[Vec<usize>], sizes: Sizes, direction: Direction) -> Drawing {
    let mut graph = layer::layered(needs);
    order::untangle(&mut graph);
    let (along_size, across_size) = match direction {
        Direction::Across => (sizes.width, sizes.height),
        Direction::Down => (sizes.height, sizes.width),
    };
    let centres = place::centres(&graph, across_size + sizes.between_boxes, needs.len());
    let lowest = centres.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = centres.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shift = sizes.margin + across_size / 2.0 - if lowest.is_finite() { lowest } else { 0.0 };
    let across_total = if lowest.is_finite() {
        highest - lowest + across_size + 2.0 * sizes.margin
    } else {
        0.0
    };
    let step = along_size + sizes.between_layers;
    let layers = u32::try_from(graph.layers.len()).unwrap_or(u32::MAX);
    let along_total = (f64::from(layers) * step - sizes.between_layers + 2.0 * sizes.margin).max(0.0);

    let mut along = vec![0.0; graph.slots];
    for (index, slots) in (0_u32..).zip(&graph.layers) {
        for slot in slots {
            if let Some(at) = along.get_mut(*slot) {
                *at = sizes.margin + f64::from(index) * step;
            }
        }
    }
    let at = |slot: Slot| -> (f64, f64) {
        let begin = along.get(slot).copied().unwrap_or_default();
        let centre = centres.get(slot).copied().unwrap_or_default() + shift;
        (begin, centre)
    };
    let turn = |(begin, centre): (f64, f64)| match direction {
        Direction::Across => Placed { x: begin, y: centre },
        Direction::Down => Placed { x: centre, y: begin },
    };
    let boxes = (0..needs.len())
        .map(|node| {
            let (begin, centre) = at(node);
            turn((begin, centre - across_size / 2.0))
        })
        .collect();
    let lines = graph
        .routes
        .iter()
        .map(|(from, to, slots)| {
            let stops: Vec<(f64, f64)> = slots.iter().map(|slot| at(*slot)).collect();
            Line {
                from: *from,
                to: *to,
                path: path(&stops, along_size, turn),
            }
        })
        .collect();
    let (width, height) = match direction {
        Direction::Across => (along_total, across_total),
        Direction::Down => (across_total, along_total),
    };
    Drawing {
        width,
        height,
        boxes,
        lines,
    }
}

/// A smooth line from the end of the first stop to the beginning of the last, straight through those between.
fn path(stops: &[(f64, f64)], length: f64, turn: impl Fn((f64, f64)) -> Placed) -> String {
    let mut out = String::new();
    for (index, pair) in stops.windows(2).enumerate() {
        let [(from, from_centre), (to, to_centre)] = pair else {
            continue;
        };
        let begin = from + length;
        let middle = f64::midpoint(begin, *to);
        if index == 0 {
            let start = turn((begin, *from_centre));
            out.push_str(&format!("M{} {}", round(start.x), round(start.y)));
        } else {
            // Through the passage of its own in the layer between.
            let through = turn((begin, *from_centre));
            out.push_str(&format!("L{} {}", round(through.x), round(through.y)));
        }
        let first = turn((middle, *from_centre));
        let second = turn((middle, *to_centre));
        let end = turn((*to, *to_centre));
        out.push_str(&format!(
            "C{} {} {} {} {} {}",
            round(first.x),
            round(first.y),
            round(second.x),
            round(second.y),
            round(end.x),
            round(end.y)
        ));
    }
    out
}

/// One digit after the point is finer than any screen.
pub(crate) fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}
