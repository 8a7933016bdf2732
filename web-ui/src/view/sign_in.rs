//! Signing in: the page behind a one-time link, and the form that takes a token.

use askama::Template;

use super::shell::Theme;

/// Asks for a token, or says why a link did not work.
#[derive(Clone, Debug, Template)]
#[template(path = "page/sign_in.html")]
pub(crate) struct SignInPage {
    pub(crate) theme: Theme,
    /// Why the last try failed.
    pub(crate) problem: Option<String>,
    /// Where to go afterwards.
    pub(crate) next: String,
    /// Whether somebody has just signed out.
    pub(crate) signed_out: bool,
}

/// The page behind a one-time link. Opening it uses nothing up: previews of links in chats open pages too. The button
/// does.
#[derive(Clone, Debug, Template)]
#[template(path = "page/sign_in_link.html")]
pub(crate) struct SignInLinkPage {
    pub(crate) theme: Theme,
    /// Whom it signs in, and where.
    pub(crate) person: String,
    pub(crate) tenant: String,
    /// The link's secret part.
    pub(crate) link: String,
}
