//! Strikes secrets out of what people read.
//!
//! Text must be struck before it is cut to size, quoted or escaped: a secret of which only a part is left, or that
//! looks different, is not recognised as a whole. Operations make such text themselves, so each is given the redactor
//! of its call ([`crate::Context::redactor`]). Whoever calls an operation strikes all of its answer once more.

use std::sync::Arc;

use serde_json::Value;

/// What stands in the place of a secret.
pub const STRUCK: &str = "[secret]";
/// What is shorter would tear ordinary text apart, and is no secret.
const LENGTH_MIN: usize = 4;
/// What cutters of text put in the place of what is missing.
const CUT: char = '…';

/// Strikes values of secrets out of text and documents. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Redactor {
    /// The values, their lines and their quoted forms, the longest first.
    forms: Arc<[String]>,
    used: bool,
}

impl Redactor {
    /// A redactor of these values. Values of fewer than four characters are left out.
    #[must_use]
    pub fn new(values: Vec<String>) -> Self {
        let used = !values.is_empty();
        // A multi-line value is struck out line by line as well, since output arrives in lines.
        let lines = values.iter().flat_map(|value| value.lines());
        let plain: Vec<&str> = values.iter().map(String::as_str).chain(lines).collect();
        let mut forms: Vec<String> = plain
            .into_iter()
            .filter(|value| value.len() >= LENGTH_MIN)
            .flat_map(forms)
            .collect();
        forms.sort_unstable_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        forms.dedup();
        Self {
            forms: forms.into(),
            used,
        }
    }

    /// Whether there is nothing to strike out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.forms.is_empty()
    }

    /// Whether secrets were put into the input, of whatever length.
    #[must_use]
    pub fn has_secrets(&self) -> bool {
        self.used
    }

    /// The text without secrets. One pass, the longest value first at each place, so that what stands in the place
    /// of a secret is never itself looked at. A beginning of a secret right before a mark of cut text goes too.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        self.strike(text, false)
    }

    /// The document without secrets, in values and in keys.
    #[must_use]
    pub fn value(&self, value: Value) -> Value {
        if self.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.value(item)).collect()),
            Value::Object(map) => Value::Object(
                map.into_iter()
                    .map(|(key, value)| (self.text(&key), self.value(value)))
                    .collect(),
            ),
            scalar => scalar,
        }
    }

    /// The beginning of something longer, as text: an end that may be the beginning of a secret is left out.
    #[must_use]
    pub fn head(&self, bytes: &[u8]) -> String {
        self.strike(&String::from_utf8_lossy(whole_characters(bytes)), true)
    }

    /// The end of something longer, as text: a beginning that may be the end of a secret is left out.
    #[must_use]
    pub fn tail(&self, bytes: &[u8]) -> String {
        // What is left of a character that was cut is no part of any secret that could be recognised.
        let broken = bytes.iter().take_while(|byte| **byte & 0xc0 == 0x80).count();
        let text = String::from_utf8_lossy(bytes.get(broken..).unwrap_or_default());
        let ends = |at: &usize| {
            let start = text.get(..*at);
            let is_end = |form: &String| form.len() > *at && start.is_some_and(|start| form.ends_with(start));
            self.forms.iter().any(is_end)
        };
        let longest = self.forms.first().map_or(0, String::len).min(text.len());
        let mut cut = (1..=longest).rev().find(ends).unwrap_or(0);
        // A secret that begins in what is left out goes as a whole.
        let mut at = 0;
        while at < cut {
            let whole = text.get(at..).and_then(|rest| self.whole(rest)).unwrap_or(0);
            cut = cut.max(at + whole);
            at += 1;
        }
        self.text(text.get(cut..).unwrap_or_default())
    }

    /// `is_cut`: more would follow.
    fn strike(&self, text: &str, is_cut: bool) -> String {
        if self.is_empty() {
            return text.to_owned();
        }
        let has_marks = text.contains(CUT);
        let mut struck = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let part = || has_marks.then(|| self.part(rest)).flatten();
            if let Some(length) = self.whole(rest).or_else(part) {
                struck.push_str(STRUCK);
                rest = rest.get(length..).unwrap_or_default();
            } else if is_cut && self.forms.iter().any(|form| form.starts_with(rest)) {
                break;
            } else {
                struck.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
        struck
    }

    /// How long the secret is that the text begins with.
    fn whole(&self, text: &str) -> Option<usize> {
        let found = self.forms.iter().find(|form| text.starts_with(form.as_str()));
        found.map(String::len)
    }

    /// How long the beginning of a secret is that the text begins with, when a mark says that it was cut there.
    fn part(&self, text: &str) -> Option<usize> {
        let first = text.chars().next()?;
        if !self.forms.iter().any(|form| form.starts_with(first)) {
            return None;
        }
        let at = text.find(CUT).filter(|at| *at >= LENGTH_MIN)?;
        let part = text.get(..at)?;
        self.forms.iter().any(|form| form.starts_with(part)).then_some(at)
    }
}

/// A value as it stands in a shell's quotes, in JSON and in a URL.
fn forms(value: &str) -> Vec<String> {
    let json = Value::from(value).to_string();
    let inner = json.get(1..json.len().saturating_sub(1)).unwrap_or_default();
    let percent = value.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    });
    vec![
        value.to_owned(),
        inner.to_owned(),
        value.escape_debug().to_string(),
        value.replace('\'', r"'\''"),
        percent,
    ]
}

/// Without the bytes of a character whose end is missing.
fn whole_characters(bytes: &[u8]) -> &[u8] {
    let back = (1..=3.min(bytes.len())).find(|back| {
        bytes
            .get(bytes.len() - back)
            .is_some_and(|byte| byte & 0xc0 != 0x80)
    });
    let Some(start) = back.map(|back| bytes.len() - back) else {
        return bytes;
    };
    let (head, last) = bytes.split_at_checked(start).unwrap_or((bytes, &[]));
    match std::str::from_utf8(last) {
        Err(error) if error.error_len().is_none() => head,
        _ => bytes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(values: &[&str]) -> Redactor {
        Redactor::new(values.iter().map(|value| (*value).to_owned()).collect())
    }

    #[test]
    fn the_longest_secret_is_struck_out_first() {
        let redactor = redactor(&["secret", "secret-long", "abc"]);
        assert_eq!(redactor.text("x secret-long y abc"), "x [secret] y abc");
        assert!(redactor.has_secrets() && !redactor.is_empty());
        let short = Redactor::new(vec!["abc".to_owned()]);
        assert!(short.has_secrets() && short.is_empty());
    }

    #[test]
    fn quoted_and_escaped_forms_are_struck_out() {
        let redactor = redactor(&["it's \"so\" & 1\n2nd line"]);
        for shown in [
            r#"{"a":"it's \"so\" & 1\n2nd line"}"#,
            r#"sh -c 'it'\''s "so" & 1"#,
            "https://x/?k=it%27s%20%22so%22%20%26%201%0A2nd%20line",
            "first it's \"so\" & 1",
            "then 2nd line",
        ] {
            let struck = redactor.text(shown);
            assert!(struck.contains("[secret]"), "{struck}");
            assert!(!struck.contains("so") && !struck.contains("2nd"), "{struck}");
        }
    }

    #[test]
    fn secrets_that_overlap_leave_nothing() {
        let redactor = redactor(&["xyzab", "abcdef", "1ab", "abxyz"]);
        assert_eq!(redactor.head(b"- xyzab"), "- [secret]");
        assert_eq!(redactor.head(b"- xyza"), "- ");
        assert_eq!(redactor.tail(b"abxyz -"), " -");
    }

    #[test]
    fn what_is_left_of_a_secret_that_was_cut_goes_too() {
        let redactor = redactor(&["correct-horse-battery", "pässword"]);
        for length in 1..=21 {
            let part = "correct-horse-battery".get(..length).unwrap();
            assert_eq!(
                redactor.head(format!("token {part}").as_bytes()),
                if length == 21 {
                    "token [secret]".to_owned()
                } else {
                    "token ".to_owned()
                }
            );
            let part = "correct-horse-battery".get(21 - length..).unwrap();
            let shown = redactor.tail(format!("{part} was it").as_bytes());
            assert!(
                shown == " was it" || (length == 21 && shown == "[secret] was it"),
                "{shown}"
            );
        }
        assert_eq!(redactor.text("run correct-ho… 'x'"), "run [secret]… 'x'");
        assert_eq!(redactor.head("so p\u{e4}".as_bytes().get(..5).unwrap()), "so ");
        assert_eq!(redactor.tail("\u{e4}ssword".as_bytes().get(1..).unwrap()), "");
        assert_eq!(redactor.head(b"plain"), "plain");
        assert_eq!(
            redactor.tail(b"y is plain"),
            " is plain",
            "the last letter of the first one"
        );
        assert_eq!(Redactor::default().head("pl\u{e4}".as_bytes()), "plä");
    }
}
