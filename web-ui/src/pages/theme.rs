//! Chooses light or dark.

use axum::extract::State;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect};
use clawd_model::DurationMs;

use crate::door::{Answer, Crumb, Failure, Sent, Visitor, Web};
use crate::view::shell::Theme;

const A_YEAR: DurationMs = DurationMs::from_secs(365 * 86_400);

/// Keeps the choice, and goes back.
pub(crate) async fn choose(State(web): State<Web>, _visitor: Visitor, sent: Sent) -> Answer {
    let theme: Theme = sent
        .text("theme")
        .parse()
        .map_err(|()| Failure::invalid("there is no such theme"))?;
    let cookie = Crumb::Theme.set(web.secure, theme.as_str(), A_YEAR);
    let cookies = AppendHeaders(cookie.map(|value| (SET_COOKIE, value)));
    Ok((cookies, Redirect::to(&sent.back("/"))).into_response())
}
