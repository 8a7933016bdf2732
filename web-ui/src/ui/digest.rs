//! A digest, short for people, whole for machines.

use std::borrow::Borrow;

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::Digest;

/// The first twelve digits; the button copies the whole.
#[derive(Clone, Copy, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<span class="digest"><code title="{{ digest }}">{{ digest.short() }}</code><button type="button" class="copy" data-copy="{{ digest }}" aria-label="copy digest {{ digest.short() }}">{{ crate::ui::Icon::Copy }}</button></span>"#
)]
pub(crate) struct DigestTag {
    digest: Digest,
}

impl HtmlSafe for DigestTag {}

impl DigestTag {
    /// This digest.
    pub(crate) fn new(digest: impl Borrow<Digest>) -> Self {
        Self {
            digest: *digest.borrow(),
        }
    }
}
