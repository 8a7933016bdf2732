//! Pictures that stand beside words: navigation and buttons. They never stand alone for a status.

use askama::Template;
use askama::filters::HtmlSafe;

/// A picture of the sprite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r##"<svg class="icon" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" focusable="false"><use href="#{{ self.id() }}"></use></svg>"##
)]
pub(crate) enum Icon {
    /// Racks.
    Fleet,
    /// A graph.
    Runs,
    /// A hexagon with a tick.
    Approvals,
    /// A book.
    Runbooks,
    /// A shield.
    Policies,
    /// A tree of hashes.
    Audit,
    /// A head.
    Person,
    /// A cross.
    Close,
    /// Two sheets.
    Copy,
    /// A padlock.
    Lock,
    /// An arrow head.
    Chevron,
    /// A plus.
    Plus,
    /// An arrow into a tray.
    Download,
}

impl HtmlSafe for Icon {}

impl Icon {
    /// Its id in the sprite.
    pub(crate) const fn id(self) -> &'static str {
        match self {
            Self::Fleet => "i-fleet",
            Self::Runs => "i-runs",
            Self::Approvals => "i-approvals",
            Self::Runbooks => "i-runbooks",
            Self::Policies => "i-policies",
            Self::Audit => "i-audit",
            Self::Person => "i-person",
            Self::Close => "i-close",
            Self::Copy => "i-copy",
            Self::Lock => "i-lock",
            Self::Chevron => "i-chevron",
            Self::Plus => "i-plus",
            Self::Download => "i-download",
        }
    }
}
