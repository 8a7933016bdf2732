//! Signing in and out.
//!
//! Opening a one-time link only shows whom it signs in: the button uses it up, since programs that preview links in
//! chats open them too. A token signs in by making such a link and using it at once, so that both ways leave the same
//! records, and a token that is limited to some actions does not grow into a session.

use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use clawd_control::{Class, Explained, Session, TokenCreate, create_sign_in_link};
use clawd_model::api::CreateSignInLink;
use serde::Deserialize;

use crate::door::{Answer, Crumb, Failure, Sent, Visitor, Web, own_path, render, sentence, start_session};
use crate::view::shell::Theme;
use crate::view::sign_in::{SignInLinkPage, SignInPage};

#[derive(Deserialize)]
pub(crate) struct Ask {
    next: Option<String>,
    out: Option<String>,
}

/// Asks for a token.
pub(crate) async fn ask(
    theme: Extension<Theme>,
    visitor: Option<Extension<Visitor>>,
    Query(ask): Query<Ask>,
) -> Answer {
    if visitor.is_some() {
        return Ok(Redirect::to("/").into_response());
    }
    render(&SignInPage {
        theme: *theme,
        problem: None,
        next: ask.next.unwrap_or_default(),
        signed_out: ask.out.is_some(),
    })
}

/// Shows whom a link signs in.
pub(crate) async fn look_at_link(
    State(web): State<Web>,
    theme: Extension<Theme>,
    Path(link): Path<String>,
) -> Answer {
    match web.app.look_at_link(&link).await {
        Ok(principal) => render(&SignInLinkPage {
            theme: *theme,
            person: if principal.display_name.is_empty() {
                principal.name.to_string()
            } else {
                principal.display_name
            },
            tenant: principal.tenant.to_string(),
            link,
        }),
        Err(error) => again(*theme, String::new(), error),
    }
}

/// Uses a link up.
pub(crate) async fn with_link(State(web): State<Web>, theme: Extension<Theme>, sent: Sent) -> Answer {
    match web.app.sign_in_with_link(sent.text("link")).await {
        Ok(session) => Ok(begin(&web, &session, "/")),
        Err(error) => again(*theme, String::new(), error),
    }
}

/// Signs in with a token.
pub(crate) async fn with_token(State(web): State<Web>, theme: Extension<Theme>, sent: Sent) -> Answer {
    let next = sent.text("next").to_owned();
    let caller = match web.app.sign_in_with_token(sent.text("token").trim()).await {
        Ok(caller) => caller,
        Err(error) => return again(*theme, next, error),
    };
    let permit = web
        .app
        .permit::<TokenCreate>(&caller)
        .await
        .map_err(Failure::refused)?;
    let link = match create_sign_in_link(&permit, CreateSignInLink { principal: None }).await {
        Ok(link) => link,
        Err(error) => return again(*theme, next, error),
    };
    let secret = link.path.rsplit('/').next().unwrap_or_default();
    let session = web.app.sign_in_with_link(secret).await?;
    Ok(begin(&web, &session, &next))
}

/// Signs out.
pub(crate) async fn out(State(web): State<Web>, visitor: Visitor, _sent: Sent) -> Answer {
    web.app.sign_out(&visitor.caller).await?;
    let cookies = [Crumb::Session, Crumb::Form].map(|crumb| crumb.clear(web.secure));
    let cookies = cookies.into_iter().flatten().map(|value| (SET_COOKIE, value));
    Ok((AppendHeaders(cookies), Redirect::to("/sign-in?out=1")).into_response())
}

fn begin(web: &Web, session: &Session, next: &str) -> Response {
    let cookies = start_session(web, session.secret.reveal());
    let cookies = cookies.into_iter().map(|value| (SET_COOKIE, value));
    (
        AppendHeaders(cookies),
        Redirect::to(own_path(next).unwrap_or("/")),
    )
        .into_response()
}

/// The form again, with what was wrong.
fn again(theme: Theme, next: String, error: impl Explained + 'static) -> Answer {
    if error.class() == Class::Internal {
        return Err(Failure::broken(&error));
    }
    let page = render(&SignInPage {
        theme,
        problem: Some(sentence(&error.to_string())),
        next,
        signed_out: false,
    })?;
    Ok((StatusCode::UNAUTHORIZED, page).into_response())
}
