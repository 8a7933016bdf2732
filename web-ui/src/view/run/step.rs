//! One step on one server: why it waits, what it would change, who allowed it, its attempts, its output.

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::{Digest, ErrorKind, StepStatus, Timestamp};

use crate::ui::{Ago, Clocked, Code, DecisionView, Diff, DigestTag, Icon, MissingView, Status, Took};

/// The address of a step within its run's page.
pub(crate) fn step_href(run: &str, key: &str) -> String {
    format!("/runs/{run}?step={key}")
}

/// Why a step does not go on.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// `waits for votes on this job`.
    pub(crate) what: String,
    /// What could lift it; any one is enough.
    pub(crate) missing: Vec<MissingView>,
    /// The page of the request.
    pub(crate) href: Option<String>,
}

/// What `check` said, when planned and just before the step was dispatched.
#[derive(Clone, Debug)]
pub(crate) struct CheckView {
    /// One line: `3 packages upgraded`.
    pub(crate) planned: String,
    pub(crate) diff: Option<Diff>,
    /// The fingerprint of the planned change.
    pub(crate) fingerprint: Option<Digest>,
    /// What it would change now, when that is not what was planned.
    pub(crate) drift: Option<Diff>,
    /// When it was repeated, and still the same.
    pub(crate) confirmed_at: Option<Timestamp>,
}

/// One try.
#[derive(Clone, Debug)]
pub(crate) struct AttemptView {
    pub(crate) number: u32,
    pub(crate) id: String,
    pub(crate) status: StepStatus,
    pub(crate) began: Timestamp,
    pub(crate) ended: Option<Timestamp>,
    pub(crate) error: Option<AttemptError>,
}

/// Why a try failed.
#[derive(Clone, Debug)]
pub(crate) struct AttemptError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
}

/// Which stream a line came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputStream {
    Stdout,
    Stderr,
    /// Words of the provider itself.
    Note,
}

impl OutputStream {
    const fn class(self) -> &'static str {
        match self {
            Self::Stdout => "out",
            Self::Stderr => "err",
            Self::Note => "note",
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Stdout => "",
            Self::Stderr => "stderr",
            Self::Note => "note",
        }
    }
}

/// A line of output.
#[derive(Clone, Debug)]
pub(crate) struct OutputLine {
    pub(crate) stream: OutputStream,
    pub(crate) text: String,
}

/// The output of the last try.
#[derive(Clone, Debug, Default)]
pub(crate) struct OutputView {
    pub(crate) lines: Vec<OutputLine>,
    /// How many lines stand before the first that is shown.
    pub(crate) before: usize,
}

/// The detail of one step.
#[derive(Clone, Debug, Template)]
#[template(path = "part/step_panel.html")]
pub(crate) struct StepPanel {
    pub(crate) run: String,
    pub(crate) key: String,
    pub(crate) job: String,
    pub(crate) server: String,
    pub(crate) step: String,
    pub(crate) uses: String,
    pub(crate) status: StepStatus,
    pub(crate) waiting: Option<Waiting>,
    /// Why it was skipped or could not begin.
    pub(crate) note: String,
    pub(crate) check: Option<CheckView>,
    pub(crate) decision: Option<DecisionView>,
    pub(crate) attempts: Vec<AttemptView>,
    pub(crate) output: OutputView,
    /// The input, secrets as references.
    pub(crate) input: Option<String>,
    /// What it returned.
    pub(crate) result: Option<String>,
    /// The attempt of which this person may decide what it came to, since nobody can know.
    pub(crate) can_resolve: Option<u32>,
    /// Whether more is to come.
    pub(crate) live: bool,
    pub(crate) csrf: String,
    pub(crate) now: Timestamp,
}

impl HtmlSafe for StepPanel {}

impl StepPanel {
    fn input_listing(&self) -> Option<Code> {
        self.input.as_ref().map(|text| Code::new("input", text))
    }

    fn result_listing(&self) -> Option<Code> {
        self.result.as_ref().map(|text| Code::new("result", text))
    }
}
