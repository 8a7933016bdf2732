//! What would change, line by line: unified diffs, and lines that begin with `+`, `-` or `~`.

use askama::Template;
use askama::filters::HtmlSafe;

/// What a line of a diff means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineKind {
    /// It would be there.
    Added,
    /// It would be gone.
    Removed,
    /// It would be another.
    Altered,
    /// Where the following lines stand.
    Place,
    /// Stays as it is.
    Same,
}

/// A line of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DiffLine {
    /// What it means.
    pub(crate) kind: LineKind,
    /// Its text without the sign.
    pub(crate) text: String,
}

impl DiffLine {
    fn read(line: &str) -> Self {
        let (kind, text) = match line.as_bytes().first() {
            _ if line.starts_with("@@") || line.starts_with("+++") || line.starts_with("---") => {
                (LineKind::Place, line)
            }
            Some(b'+') => (LineKind::Added, line.get(1..).unwrap_or_default()),
            Some(b'-') => (LineKind::Removed, line.get(1..).unwrap_or_default()),
            Some(b'~') => (LineKind::Altered, line.get(1..).unwrap_or_default()),
            Some(b' ') => (LineKind::Same, line.get(1..).unwrap_or_default()),
            _ => (LineKind::Same, line),
        };
        Self {
            kind,
            text: text.to_owned(),
        }
    }

    fn class(&self) -> &'static str {
        match self.kind {
            LineKind::Added => "add",
            LineKind::Removed => "del",
            LineKind::Altered => "mod",
            LineKind::Place => "at",
            LineKind::Same => "same",
        }
    }

    fn sign(&self) -> &'static str {
        match self.kind {
            LineKind::Added => "+",
            LineKind::Removed => "−",
            LineKind::Altered => "~",
            LineKind::Place | LineKind::Same => " ",
        }
    }
}

/// A diff. Signs stand in a column of their own: colour is never the only mark.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<div class="diff" tabindex="0" role="region" aria-label="{{ label }}">{% for line in lines %}<div class="{{ line.class() }}"><span class="sign">{{ line.sign() }}</span><code>{{ line.text }}
</code></div>{% endfor %}{% if cut > 0 %}<div class="at"><span class="sign"></span><code>{{ cut }} more lines
</code></div>{% endif %}</div>"#
)]
pub(crate) struct Diff {
    label: String,
    lines: Vec<DiffLine>,
    cut: usize,
}

impl HtmlSafe for Diff {}

/// A page shows no more lines of one diff than this.
const LINES_MAX: usize = 400;

impl Diff {
    /// Reads a diff; the label says of what.
    pub(crate) fn read(label: impl Into<String>, text: &str) -> Self {
        Self {
            label: label.into(),
            lines: text.lines().take(LINES_MAX).map(DiffLine::read).collect(),
            cut: text.lines().count().saturating_sub(LINES_MAX),
        }
    }

    /// Whether nothing is to be shown.
    pub(crate) fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_known_by_their_sign() {
        let diff = Diff::read(
            "x",
            "--- a\n+++ b\n@@ -1 +1 @@\n same\n-old\n+new\n~ openssl 1 → 2\nplain",
        );
        let kinds: Vec<LineKind> = diff.lines.iter().map(|line| line.kind).collect();
        use LineKind::{Added, Altered, Place, Removed, Same};
        assert_eq!(kinds, [Place, Place, Place, Same, Removed, Added, Altered, Same]);
    }

    #[test]
    fn hostile_text_stays_text_and_long_text_is_cut() {
        let html = Diff::read("x", "+<script>alert(1)</script>").to_string();
        assert!(!html.contains("<script>"), "{html}");
        let long = Diff::read("x", &"+a\n".repeat(1000));
        assert_eq!(long.lines.len(), LINES_MAX);
        assert!(long.to_string().contains("600 more lines"));
    }
}
