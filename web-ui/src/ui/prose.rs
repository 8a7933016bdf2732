//! A sentence of ours: user values stand in backticks, and are shown as code.

use std::fmt;

use askama::filters::{Escaper, Html, HtmlSafe};

/// A sentence with backticks.
#[derive(Clone, Debug)]
pub(crate) struct Prose(String);

impl HtmlSafe for Prose {}

impl Prose {
    /// This sentence.
    pub(crate) fn new(text: impl AsRef<str>) -> Self {
        Self(text.as_ref().to_owned())
    }
}

impl fmt::Display for Prose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<&str> = self.0.split('`').collect();
        // An odd tick belongs to the text: then nothing is code.
        if parts.len().is_multiple_of(2) {
            return Html.write_escaped_str(&mut *f, &self.0);
        }
        for (index, part) in parts.iter().enumerate() {
            if index.is_multiple_of(2) {
                Html.write_escaped_str(&mut *f, part)?;
            } else {
                f.write_str("<code>")?;
                Html.write_escaped_str(&mut *f, part)?;
                f.write_str("</code>")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_become_code_and_text_stays_text() {
        assert_eq!(
            Prose::new("`a<b>` is & no `c`").to_string(),
            "<code>a&#60;b&#62;</code> is &#38; no <code>c</code>"
        );
        assert_eq!(Prose::new("a ` b").to_string(), "a ` b");
        assert_eq!(Prose::new("<i>").to_string(), "&#60;i&#62;");
    }
}
