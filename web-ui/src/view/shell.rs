//! The frame around every page: navigation, tenant, person, theme, the token that forms carry.

use std::fmt;
use std::str::FromStr;

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::Timestamp;

use crate::ui::Icon;

/// Light, dark, or what the device prefers. Kept in a cookie of its own; no script is needed for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) enum Theme {
    /// As the device prefers.
    #[default]
    Auto,
    Light,
    Dark,
}

impl Theme {
    pub(crate) const ALL: [Self; 3] = [Self::Auto, Self::Light, Self::Dark];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

impl FromStr for Theme {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|theme| theme.as_str() == text)
            .ok_or(())
    }
}

impl fmt::Display for Theme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The parts of the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Fleet,
    Runs,
    Approvals,
    Runbooks,
    Policies,
    Audit,
    /// None of them: error pages.
    Elsewhere,
}

impl Section {
    pub(crate) const NAVIGATION: [Self; 6] = [
        Self::Fleet,
        Self::Runs,
        Self::Approvals,
        Self::Runbooks,
        Self::Policies,
        Self::Audit,
    ];

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Fleet => "Fleet",
            Self::Runs => "Runs",
            Self::Approvals => "Approvals",
            Self::Runbooks => "Runbooks",
            Self::Policies => "Policies",
            Self::Audit => "Audit",
            Self::Elsewhere => "",
        }
    }

    /// The action that one needs to see it.
    pub(crate) const fn action(self) -> &'static str {
        match self {
            Self::Fleet => "server.read",
            Self::Runs => "run.read",
            Self::Approvals => "approval.read",
            Self::Runbooks => "runbook.read",
            Self::Policies => "policy.read",
            Self::Audit => "audit.read",
            Self::Elsewhere => "",
        }
    }

    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Fleet => "/fleet",
            Self::Runs => "/runs",
            Self::Approvals => "/approvals",
            Self::Runbooks => "/runbooks",
            Self::Policies => "/policies",
            Self::Audit => "/audit",
            Self::Elsewhere => "/",
        }
    }

    pub(crate) const fn icon(self) -> Icon {
        match self {
            Self::Fleet | Self::Elsewhere => Icon::Fleet,
            Self::Runs => Icon::Runs,
            Self::Approvals => Icon::Approvals,
            Self::Runbooks => Icon::Runbooks,
            Self::Policies => Icon::Policies,
            Self::Audit => Icon::Audit,
        }
    }
}

/// Who looks at the page.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) name: String,
    pub(crate) display_name: String,
    pub(crate) groups: Vec<String>,
}

impl Person {
    /// The name that people know, else the short one.
    pub(crate) fn shown(&self) -> &str {
        if self.display_name.is_empty() {
            &self.name
        } else {
            &self.display_name
        }
    }
}

/// A word on top of the page after a form was sent: what was done.
#[derive(Clone, Debug)]
pub(crate) struct Notice {
    pub(crate) text: String,
}

impl Notice {
    /// The notice of a code in the address, so that nobody can put words of theirs on our page.
    pub(crate) fn of(code: &str) -> Option<Self> {
        let text = match code {
            "started" => "The run has started.",
            "voted" => "Your vote is recorded.",
            "cancelled" => "The run is being cancelled.",
            "resolved" => "Your decision is recorded.",
            "facts" => "The facts were read anew.",
            _ => return None,
        };
        Some(Self {
            text: text.to_owned(),
        })
    }
}

/// The frame around a page.
#[derive(Clone, Debug)]
pub(crate) struct Shell {
    pub(crate) section: Section,
    pub(crate) tenant: String,
    pub(crate) person: Person,
    pub(crate) theme: Theme,
    /// Bound to the session; every form carries it.
    pub(crate) csrf: String,
    /// Where a form that returns here goes back to.
    pub(crate) here: String,
    /// The parts that this person may see.
    pub(crate) sections: Vec<Section>,
    /// How many requests wait for this person's vote.
    pub(crate) approvals: u32,
    pub(crate) notice: Option<Notice>,
    pub(crate) now: Timestamp,
}

impl Shell {
    pub(crate) fn is_current(&self, section: &Section) -> bool {
        self.section == *section
    }

    pub(crate) const fn count(&self) -> NavCount {
        NavCount {
            waiting: self.approvals,
        }
    }
}

/// How many requests wait for this person's vote, beside the navigation's word.
#[derive(Clone, Copy, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<span class="count" id="nav-count"{% if self.waiting == 0 %} hidden{% endif %}>{{ waiting }}<span class="visually-hidden"> waiting for your vote</span></span>"#
)]
pub(crate) struct NavCount {
    pub(crate) waiting: u32,
}

impl HtmlSafe for NavCount {}
