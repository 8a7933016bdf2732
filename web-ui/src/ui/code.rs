//! Source text with line numbers that can be linked to and are not copied along.

use askama::Template;
use askama::filters::HtmlSafe;

/// A listing.
#[derive(Clone, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<div class="code" tabindex="0" role="region" aria-label="{{ label }}"><ol>{% for line in self.lines() %}<li><code>{% for (class, text) in crate::ui::code::tokens(line) %}{% if class.is_empty() %}{{ text }}{% else %}<span class="{{ class }}">{{ text }}</span>{% endif %}{% endfor %}
</code></li>{% endfor %}</ol></div>"#
)]
pub(crate) struct Code {
    label: String,
    text: String,
}

impl HtmlSafe for Code {}

impl Code {
    /// A listing of this text; the label names it for those who cannot see where it stands.
    pub(crate) fn new(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            text: text.into(),
        }
    }

    fn lines(&self) -> std::str::Lines<'_> {
        self.text.lines()
    }
}

/// A line in coloured pieces: comments, strings, and what stands before a colon at the beginning. Enough for YAML,
/// Cedar and JSON to be read with ease; never a parser.
pub(crate) fn tokens(line: &str) -> Vec<(&'static str, &str)> {
    let mut out = Vec::new();
    let indent = line.len() - line.trim_start().len();
    let (space, mut rest) = line.split_at(indent);
    out.push(("", space));
    let dash = rest.len() - rest.trim_start_matches("- ").len();
    if dash > 0 {
        let (dashes, after) = rest.split_at(dash);
        out.push(("", dashes));
        rest = after;
    }
    if let Some((key, _)) = rest.split_once(':').filter(|(key, _)| is_key(key)) {
        let (key, after) = rest.split_at(key.len());
        out.push(("tok-key", key));
        rest = after;
    }
    while let Some(at) = rest.find(['"', '#', '/', '@']) {
        let (plain, special) = rest.split_at(at);
        let length = special_length(special, plain);
        let class = special_class(special, plain, length);
        let (token, after) = special.split_at(length);
        out.push(("", plain));
        out.push((class, token));
        rest = after;
    }
    out.push(("", rest));
    out.retain(|(_, text)| !text.is_empty());
    out
}

fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'$'))
}

fn is_comment(special: &str, before: &str) -> bool {
    special.starts_with("//") || (special.starts_with('#') && (before.is_empty() || before.ends_with(' ')))
}

fn special_length(special: &str, before: &str) -> usize {
    if is_comment(special, before) {
        return special.len();
    }
    match special.as_bytes().first() {
        Some(b'"') => closing_quote(special).unwrap_or(special.len()),
        Some(b'@') => {
            let word = special.trim_start_matches('@');
            let end = word.find(|c: char| !c.is_alphanumeric() && c != '_');
            special.len() - word.len() + end.unwrap_or(word.len())
        }
        _ => 1,
    }
}

fn special_class(special: &str, before: &str, length: usize) -> &'static str {
    match special.as_bytes().first() {
        _ if is_comment(special, before) => "tok-note",
        Some(b'"') => "tok-text",
        Some(b'@') if length > 1 && before.trim().is_empty() => "tok-key",
        _ => "",
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_character_is_lost() {
        for line in [
            "",
            "   ",
            "  - {id: set, uses: pkg.plan@v1, with: {exclude: [\"docker-ce*\"]}} # why",
            "@id(\"prod-two-votes\")",
            "permit (principal in Group::\"sre\", action, resource); // all of it",
            "\"open",
            "κλειδί: \"τιμή\\\" ακόμα\" # σχόλιο",
            "a/b #not-a-note http://x",
        ] {
            let joined: String = tokens(line).into_iter().map(|(_, text)| text).collect();
            assert_eq!(joined, line);
        }
    }

    #[test]
    fn keys_strings_and_notes_are_told_apart() {
        assert_eq!(
            tokens("  name: \"x#y\" # note"),
            vec![
                ("", "  "),
                ("tok-key", "name"),
                ("", ": "),
                ("tok-text", "\"x#y\""),
                ("", " "),
                ("tok-note", "# note"),
            ]
        );
    }
}
