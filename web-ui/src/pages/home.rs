//! The beginning: the first part of the console that the visitor may see.

use axum::response::{IntoResponse, Redirect};

use crate::door::{Answer, Visitor};
use crate::view::shell::Section;

/// Goes there.
pub(crate) async fn go(visitor: Visitor) -> Answer {
    let first = Section::NAVIGATION
        .into_iter()
        .find(|section| visitor.may(section.action()))
        .unwrap_or(Section::Fleet);
    Ok(Redirect::to(first.path()).into_response())
}
