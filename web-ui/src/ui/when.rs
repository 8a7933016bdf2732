//! Moments and lengths of time. The server writes the words; the page's script only keeps them fresh.

use std::borrow::Borrow;

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::{DurationMs, Timestamp};

/// A moment, as how long ago it was; the exact moment is its tooltip.
#[derive(Clone, Copy, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<time class="when" datetime="{{ at.to_rfc3339() }}" title="{{ at.to_rfc3339() }}" data-ago="{{ at.0 }}">{{ self.words() }}</time>"#
)]
pub(crate) struct Ago {
    at: Timestamp,
    now: Timestamp,
}

impl HtmlSafe for Ago {}

impl Ago {
    /// How long before `now` this was.
    pub(crate) fn new(at: impl Borrow<Timestamp>, now: impl Borrow<Timestamp>) -> Self {
        Self {
            at: *at.borrow(),
            now: *now.borrow(),
        }
    }

    fn words(&self) -> String {
        let ms = self.now.since(self.at).0;
        match ms {
            0..5_000 => "just now".to_owned(),
            _ => format!("{} ago", coarse(ms)),
        }
    }
}

/// The largest unit alone: lists want to be scanned.
fn coarse(ms: u64) -> String {
    match ms {
        0..60_000 => format!("{} s", ms / 1000),
        60_000..3_600_000 => format!("{} min", ms / 60_000),
        3_600_000..172_800_000 => format!("{} h", ms / 3_600_000),
        _ => format!("{} days", ms / 86_400_000),
    }
}

/// A moment on the clock, in UTC, to the second: for journals and audit records.
#[derive(Clone, Copy, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<time class="when clocked" datetime="{{ at.to_rfc3339() }}"><span class="date">{{ self.date() }}</span> <span class="clock">{{ self.clock() }}</span></time>"#
)]
pub(crate) struct Clocked {
    at: Timestamp,
}

impl HtmlSafe for Clocked {}

impl Clocked {
    /// This moment.
    pub(crate) fn new(at: impl Borrow<Timestamp>) -> Self {
        Self { at: *at.borrow() }
    }

    fn date(&self) -> String {
        self.at.to_rfc3339().chars().take(10).collect()
    }

    fn clock(&self) -> String {
        self.at.to_rfc3339().chars().skip(11).take(8).collect()
    }
}

/// How long something took, or takes until now.
#[derive(Clone, Copy, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<span class="took"{% if ended.is_none() %} data-since="{{ began.0 }}"{% endif %}>{{ self.words() }}</span>"#
)]
pub(crate) struct Took {
    began: Timestamp,
    ended: Option<Timestamp>,
    now: Timestamp,
}

impl HtmlSafe for Took {}

impl Took {
    /// From `began` to `ended`, or to now.
    pub(crate) fn new(
        began: impl Borrow<Timestamp>,
        ended: impl Borrow<Option<Timestamp>>,
        now: impl Borrow<Timestamp>,
    ) -> Self {
        Self {
            began: *began.borrow(),
            ended: *ended.borrow(),
            now: *now.borrow(),
        }
    }

    fn words(&self) -> String {
        took(self.ended.unwrap_or(self.now).since(self.began))
    }
}

/// Two units at most; tenths of a second where these matter.
fn took(length: DurationMs) -> String {
    match length.0 {
        ms @ 0..1000 => format!("{ms} ms"),
        ms @ 1000..10_000 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        ms @ 10_000..60_000 => format!("{} s", ms / 1000),
        ms @ 60_000..3_600_000 => format!("{} min {} s", ms / 60_000, ms / 1000 % 60),
        ms => format!("{} h {} min", ms / 3_600_000, ms / 60_000 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_short_and_exact_enough() {
        for (ms, words) in [
            (0, "0 ms"),
            (999, "999 ms"),
            (1250, "1.2 s"),
            (59_999, "59 s"),
            (61_000, "1 min 1 s"),
            (7_260_000, "2 h 1 min"),
        ] {
            assert_eq!(took(DurationMs(ms)), words);
        }
    }

    #[test]
    fn moments_are_told_from_now() {
        let at = Timestamp(1_772_357_400_250);
        let words = |ms| Ago::new(at, at.plus(DurationMs(ms))).words();
        assert_eq!(words(4_999), "just now");
        assert_eq!(words(59_000), "59 s ago");
        assert_eq!(words(3_599_000), "59 min ago");
        assert_eq!(words(172_800_000), "2 days ago");
        assert_eq!(Ago::new(at.plus(DurationMs(10)), at).words(), "just now");
        assert!(
            Clocked::new(at)
                .to_string()
                .contains(r#"<span class="clock">09:30:00</span>"#)
        );
    }
}
