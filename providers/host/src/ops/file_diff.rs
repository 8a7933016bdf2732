//! The difference between two contents of a file, for people: whoever may see a plan may see it. So it shows contents
//! only where that tells nobody what they could not read on the host.

use std::time::Duration;

use clawd_model::Digest;
use similar::TextDiff;

use super::file_present::Present;
use crate::text;

/// The longest difference that is shown.
const DIFF_MAX: usize = 64 * 1024;
/// A file that was made to be hard to compare gets a coarse answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A unified diff. `old`: nothing when there is no file; `Some(None)` when it is too long to be compared.
pub(super) fn diff(path: &str, old: Option<Option<&[u8]>>, new: &str) -> String {
    let path = text::line(path, 300);
    let (before, old) = match old {
        None => ("/dev/null".to_owned(), ""),
        Some(None) => return format!("~ {path}: replaced; the present content is too long to show\n"),
        Some(Some(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) => (format!("a{path}"), text),
            Err(_) => return format!("~ {path}: replaced; the present content is no text\n"),
        },
    };
    let shown = TextDiff::configure()
        .timeout(PATIENCE)
        .diff_lines(old, new)
        .unified_diff()
        .context_radius(3)
        .header(&before, &format!("b{path}"))
        .to_string();
    if shown.is_empty() {
        // Two empty contents: the file is new.
        return format!("+ {path}: empty\n");
    }
    shorten(&text::harmless(&shown))
}

/// What is said of a content that is not shown. Lines are counted, not compared: telling how many are the same would
/// let anybody who can make a plan guess at a file line by line.
pub(super) fn hidden(path: &str, old: Option<(&Present, &str)>, new: &str) -> String {
    let path = text::line(path, 300);
    let (digest, new) = (Digest::of(new.as_bytes()), facts(new.len(), Some(new.as_bytes())));
    match old {
        None => format!("+ {path}: {new}, {digest}\n"),
        Some((old, why)) => format!(
            "~ {path}: {} → {new} ({why})\n~ {} → {digest}\n",
            facts(old.size, old.content.as_deref()),
            old.digest,
        ),
    }
}

/// `120 bytes, 4 lines`
fn facts(size: usize, content: Option<&[u8]>) -> String {
    match content {
        Some(content) => {
            let lines = content.split_inclusive(|byte| *byte == b'\n').count();
            format!("{size} bytes, {lines} lines")
        }
        None => format!("{size} bytes"),
    }
}

fn shorten(shown: &str) -> String {
    if shown.len() <= DIFF_MAX {
        return shown.to_owned();
    }
    let mut end = DIFF_MAX;
    while !shown.is_char_boundary(end) {
        end -= 1;
    }
    let (head, rest) = shown.split_at(end);
    let head = head.rsplit_once('\n').map_or(head, |(whole, _)| whole);
    format!("{head}\n… and {} more lines\n", rest.lines().count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_unified_and_harmless() {
        let shown = diff("/etc/x", Some(Some(b"a\nb\n")), "a\nc\u{1b}[1m\n");
        assert_eq!(
            shown,
            "--- a/etc/x\n+++ b/etc/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\\x1b[1m\n"
        );
        assert!(diff("/etc/x", None, "a\n").starts_with("--- /dev/null\n"));
        assert_eq!(diff("/etc/x", None, ""), "+ /etc/x: empty\n");
        assert!(diff("/x", Some(Some(b"\xff")), "a").contains("no text"));
        assert!(diff("/x", Some(None), "a").contains("too long"));
    }

    #[test]
    fn long_differences_are_cut() {
        let new = "a line of some length\n".repeat(20_000);
        let shown = diff("/x", None, &new);
        assert!(shown.len() < DIFF_MAX + 100);
        assert!(
            shown.ends_with(" more lines\n"),
            "{}",
            &shown[shown.len() - 100..]
        );
    }
}
