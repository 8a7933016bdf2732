//! Text that comes from hosts: untrusted, so it is cut to size and made harmless before anybody reads it.
//!
//! Never used for data that a program reads: only for messages, diffs and facts.

use std::fmt::Write as _;

use clawd_provider::{Redactor, STRUCK};

/// The longest line that an error message quotes.
const LINE_MAX: usize = 300;

/// Whether showing this character could mislead a reader or drive a terminal.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// The text with control and direction characters written as `\x1b`, line ends and tabs kept.
#[must_use]
pub(crate) fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '\n' | '\t') || !is_unsafe(c) {
            out.push(c);
        } else if u32::from(c) < 0x100 {
            let _ = write!(out, "\\x{:02x}", u32::from(c));
        } else {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        }
    }
    out
}

/// One harmless line of at most `max` bytes.
#[must_use]
pub(crate) fn line(text: &str, max: usize) -> String {
    let flat: String = text
        .chars()
        .map(|c| if matches!(c, '\n' | '\t') { ' ' } else { c })
        .collect();
    clip(harmless(flat.trim()), max)
}

/// At most `max` bytes of a text, marked when something is missing.
#[must_use]
pub(crate) fn clip(mut text: String, max: usize) -> String {
    if text.len() > max {
        let mut end = max.saturating_sub('…'.len_utf8());
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

/// The last line of output that says anything. Secrets are struck out of the output before.
#[must_use]
pub(crate) fn last_line(output: &str) -> Option<String> {
    let last = output.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line(last, LINE_MAX))
}

/// An argument list as people write it, without secrets: struck out before quotes make them look different. For reading
/// only: nothing is ever run from it.
#[must_use]
pub(crate) fn command(redactor: &Redactor, argv: &[String]) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-^~".contains(c);
    let words: Vec<String> = argv
        .iter()
        .map(|word| redactor.text(word))
        .map(|word| {
            if word == STRUCK {
                return word;
            }
            if !word.is_empty() && word.chars().all(plain) {
                word
            } else {
                format!("'{}'", word.replace('\'', r"'\''"))
            }
        })
        .collect();
    harmless(&words.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_cannot_be_driven() {
        assert_eq!(harmless("a\u{1b}[31mb\r\n\tc"), "a\\x1b[31mb\\x0d\n\tc");
        assert_eq!(harmless("x\u{202e}y\u{9b}"), "x\\u{202e}y\\x9b");
        assert_eq!(line("one\ntwo\u{7}", 100), "one two\\x07");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(clip("aäöü".to_owned(), 6), "aä…");
        assert_eq!(clip("abc".to_owned(), 3), "abc");
    }

    #[test]
    fn the_last_line_that_says_something() {
        assert_eq!(last_line("a\nE: no\n \n\n").as_deref(), Some("E: no"));
        assert_eq!(last_line(" \n"), None);
    }

    #[test]
    fn commands_are_shown_as_people_write_them() {
        let argv = ["sh", "-c", "echo 'a b'", ""].map(str::to_owned);
        assert_eq!(
            command(&Redactor::default(), &argv),
            r"sh -c 'echo '\''a b'\''' ''"
        );
    }
}
