//! How far something is: a bar of segments, one per state, with the counts in words beside it.

use std::collections::BTreeMap;

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::StepStatus;

use super::{Status, Symbol, Tone};

/// How many of something are in which state. Keeps the order in which a reader wants to hear them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    counts: BTreeMap<u8, (StepStatus, u32)>,
}

/// What needs eyes first comes first.
const fn rank(status: StepStatus) -> u8 {
    match status {
        StepStatus::Failed => 0,
        StepStatus::Denied => 1,
        StepStatus::Unknown => 2,
        StepStatus::WaitingForVotes => 3,
        StepStatus::Running => 4,
        StepStatus::Checking => 5,
        StepStatus::WaitingForRetry => 6,
        StepStatus::Changed => 7,
        StepStatus::Succeeded => 8,
        StepStatus::Skipped => 9,
        StepStatus::Cancelled => 10,
        StepStatus::Pending => 11,
    }
}

impl FromIterator<StepStatus> for Tally {
    fn from_iter<I: IntoIterator<Item = StepStatus>>(statuses: I) -> Self {
        let mut tally = Self::default();
        for status in statuses {
            tally.add(status, 1);
        }
        tally
    }
}

impl Tally {
    /// Counts some more.
    pub(crate) fn add(&mut self, status: StepStatus, count: u32) {
        let entry = self.counts.entry(rank(status)).or_insert((status, 0));
        entry.1 = entry.1.saturating_add(count);
    }

    /// Each state that occurs, and how often, most urgent first.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (StepStatus, u32)> + '_ {
        self.counts.values().copied()
    }

    /// How many there are.
    pub(crate) fn total(&self) -> u32 {
        self.counts().map(|(_, count)| count).sum()
    }

    /// How many are in this state.
    pub(crate) fn of(&self, status: StepStatus) -> u32 {
        self.counts.get(&rank(status)).map_or(0, |(_, count)| *count)
    }

    /// How many need nothing more.
    pub(crate) fn done(&self) -> u32 {
        use StepStatus::{Cancelled, Changed, Denied, Failed, Skipped, Succeeded};
        [Changed, Succeeded, Skipped, Failed, Denied, Cancelled]
            .into_iter()
            .map(|status| self.of(status))
            .sum()
    }

    /// One state for all: what needs eyes first; `running` while some are done and others have not begun.
    pub(crate) fn overall(&self) -> StepStatus {
        let mut states = self.counts().map(|(status, _)| status);
        let Some(first) = states.next() else {
            return StepStatus::Pending;
        };
        let begun = self.done() > 0;
        let waits_for_turn = self.of(StepStatus::Pending) > 0;
        let quiet = matches!(
            first,
            StepStatus::Changed | StepStatus::Succeeded | StepStatus::Skipped
        );
        if begun && waits_for_turn && quiet {
            return StepStatus::Running;
        }
        first
    }

    /// The bar.
    pub(crate) fn bar(&self) -> Bar {
        let total = self.total().max(1);
        let mut at = 0;
        let mut segments = Vec::new();
        for (status, count) in self.in_order_of_progress() {
            let width = f64::from(count) * 100.0 / f64::from(total);
            let x = f64::from(at) * 100.0 / f64::from(total);
            segments.push(Segment {
                x: format!("{x:.2}"),
                width: format!("{width:.2}"),
                tone: status.symbol().tone(),
                outlined: status.symbol() == Symbol::Ok || status == StepStatus::Skipped,
            });
            at += count;
        }
        Bar { segments }
    }

    fn in_order_of_progress(&self) -> Vec<(StepStatus, u32)> {
        let mut counts: Vec<(StepStatus, u32)> = self.counts().collect();
        counts.sort_by_key(|(status, _)| match rank(*status) {
            7 => 0,
            8 => 1,
            9 => 2,
            early @ 0..=6 => 3 + early,
            late => late,
        });
        counts.retain(|(status, _)| *status != StepStatus::Pending);
        counts
    }
}

#[derive(Clone, Debug)]
struct Segment {
    x: String,
    width: String,
    tone: Tone,
    outlined: bool,
}

/// A picture of a tally; the words must stand beside it.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<svg class="bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true" focusable="false">{% for segment in segments %}<rect class="{{ segment.tone.class() }}{% if segment.outlined %} soft{% endif %}" x="{{ segment.x }}" y="0" width="{{ segment.width }}" height="6"></rect>{% endfor %}</svg>"#
)]
pub(crate) struct Bar {
    segments: Vec<Segment>,
}

impl HtmlSafe for Bar {}

#[cfg(test)]
mod tests {
    use super::*;
    use StepStatus::{Changed, Failed, Pending, Running, Skipped, Succeeded, WaitingForVotes};

    #[test]
    fn one_state_stands_for_all() {
        for (states, overall) in [
            (vec![], Pending),
            (vec![Pending, Pending], Pending),
            (vec![Changed, Pending], Running),
            (vec![Skipped, Pending], Running),
            (vec![Changed, Succeeded], Changed),
            (vec![Succeeded, Skipped], Succeeded),
            (vec![Changed, WaitingForVotes, Running], WaitingForVotes),
            (vec![Changed, Failed, WaitingForVotes], Failed),
        ] {
            let tally: Tally = states.iter().copied().collect();
            assert_eq!(tally.overall(), overall, "{states:?}");
        }
    }

    #[test]
    fn the_bar_shows_progress_from_the_left() {
        let tally: Tally = [Pending, Failed, Changed, Changed].into_iter().collect();
        let html = tally.bar().to_string();
        let good = html.find("tone-good").unwrap();
        let bad = html.find("tone-bad").unwrap();
        assert!(good < bad, "{html}");
        assert!(html.contains(r#"width="50.00""#), "{html}");
        assert_eq!((tally.done(), tally.total()), (3, 4));
    }
}
