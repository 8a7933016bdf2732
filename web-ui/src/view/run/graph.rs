//! The graph of a run's or a runbook's jobs, drawn on the server.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::dag::{Direction, Drawing, Sizes, draw, round};
use crate::ui::{Status, Symbol, Tally};

/// A job in the graph.
#[derive(Clone, Debug)]
pub(crate) struct GraphJob {
    pub(crate) name: String,
    /// Indices of the jobs that it needs.
    pub(crate) needs: Vec<usize>,
    /// How its steps stand; empty for a runbook that does not run.
    pub(crate) tally: Tally,
    /// One short line: `12 servers · 3 waves`.
    pub(crate) note: String,
}

/// The graph, in two shapes: across for wide screens, down for phones. The style sheet shows one of them.
#[derive(Clone, Debug, Template)]
#[template(path = "part/run_graph.html")]
pub(crate) struct RunGraph {
    pub(crate) jobs: Vec<GraphJob>,
}

impl HtmlSafe for RunGraph {}

/// A box with its words, ready to print.
struct Box_<'a> {
    job: &'a GraphJob,
    x: f64,
    y: f64,
    name: String,
    note: String,
    symbol: Option<Symbol>,
    word: &'static str,
}

const ACROSS: Sizes = Sizes {
    width: 196.0,
    height: 58.0,
    between_layers: 48.0,
    between_boxes: 18.0,
    margin: 6.0,
};

const DOWN: Sizes = Sizes {
    width: 176.0,
    height: 56.0,
    between_layers: 30.0,
    between_boxes: 12.0,
    margin: 4.0,
};

/// A drawing with its boxes.
struct Shape<'a> {
    class: &'static str,
    sizes: Sizes,
    drawing: Drawing,
    boxes: Vec<Box_<'a>>,
}

impl RunGraph {
    fn shapes(&self) -> [Shape<'_>; 2] {
        [
            self.shape("graph-across", ACROSS, Direction::Across),
            self.shape("graph-down", DOWN, Direction::Down),
        ]
    }

    fn shape(&self, class: &'static str, sizes: Sizes, direction: Direction) -> Shape<'_> {
        let needs: Vec<Vec<usize>> = self.jobs.iter().map(|job| job.needs.clone()).collect();
        let drawing = draw(&needs, sizes, direction);
        // Names are as wide as a proportional font makes them; this many characters fit for sure.
        let name_fits = ((sizes.width - 44.0) / 8.2) as usize;
        let note_fits = ((sizes.width - 22.0) / 7.0) as usize;
        let boxes = self
            .jobs
            .iter()
            .zip(&drawing.boxes)
            .map(|(job, placed)| {
                let status = (job.tally.total() > 0).then(|| job.tally.overall());
                Box_ {
                    job,
                    x: round(placed.x),
                    y: round(placed.y),
                    name: shortened(&job.name, name_fits),
                    note: shortened(&job.note, note_fits),
                    symbol: status.map(|status| status.symbol()),
                    word: status.map_or("", |status| status.word()),
                }
            })
            .collect();
        Shape {
            class,
            sizes,
            drawing,
            boxes,
        }
    }

    fn label(&self) -> String {
        let mut parts = Vec::new();
        for job in &self.jobs {
            let names: Vec<&str> = job
                .needs
                .iter()
                .filter_map(|index| self.jobs.get(*index))
                .map(|other| other.name.as_str())
                .collect();
            if names.is_empty() {
                parts.push(format!("{} comes first", job.name));
            } else {
                parts.push(format!("{} needs {}", job.name, names.join(" and ")));
            }
        }
        parts.join("; ")
    }
}

fn shortened(text: &str, fits: usize) -> String {
    if text.chars().count() <= fits {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(fits.saturating_sub(1)).collect();
    short.push('…');
    short
}
