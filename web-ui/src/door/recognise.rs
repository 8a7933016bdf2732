//! Who looks: the layer around every route. It reads the session, keeps the cookies fresh, refuses foreign forms, and
//! gives errors their page.

use axum::extract::{Request, State};
use axum::http::header::SET_COOKIE;
use axum::middleware::Next;
use axum::response::Response;
use clawd_control::{Resumed, SESSION_LIFETIME, SignInError};
use clawd_model::{Digest, DurationMs};

use super::failure::dress;
use super::{Cookies, Crumb, Failure, Visitor, Web, origin};
use crate::view::shell::Theme;

/// What a request's session came to.
#[derive(Default)]
struct Found {
    visitor: Option<Visitor>,
    /// Cookies to set with the answer.
    set: Vec<(Crumb, Option<(String, DurationMs)>)>,
}

/// The layer.
pub(crate) async fn recognise(State(web): State<Web>, mut request: Request, next: Next) -> Response {
    let cookies = Cookies::read(request.headers());
    let theme: Theme = cookies
        .get(Crumb::Theme, web.secure)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default();
    let here = request
        .uri()
        .path_and_query()
        .map_or_else(|| "/".to_owned(), ToString::to_string);
    let found = match find(&web, &cookies, theme, here).await {
        Ok(found) => found,
        Err(error) => return dress(&web, None, theme, Failure::from(error).into_quiet_response()).await,
    };
    let part = request.headers().contains_key("hx-request");
    request.extensions_mut().insert(theme);
    if let Some(visitor) = &found.visitor {
        request.extensions_mut().insert(visitor.clone());
    }
    let response = match origin::foreign(request.method(), request.headers(), web.origin.as_deref()) {
        Some(why) => Failure::foreign(why).into_quiet_response(),
        None => next.run(request).await,
    };
    let mut response = if part {
        super::failure::dress_part(response)
    } else {
        dress(&web, found.visitor.as_ref(), theme, response).await
    };
    // A page that has just signed somebody in or out knows better.
    if response.headers().contains_key(SET_COOKIE) {
        return response;
    }
    for (crumb, wanted) in found.set {
        let fresh = match wanted {
            Some((value, lasts)) => crumb.set(web.secure, &value, lasts),
            None => crumb.clear(web.secure),
        };
        response
            .headers_mut()
            .extend(fresh.map(|value| (SET_COOKIE, value)));
    }
    response
}

async fn find(web: &Web, cookies: &Cookies, theme: Theme, here: String) -> Result<Found, SignInError> {
    let Some(secret) = cookies.get(Crumb::Session, web.secure) else {
        return Ok(Found::default());
    };
    let Resumed { caller, replacement } = match web.app.resume_session(secret).await {
        Ok(resumed) => resumed,
        Err(error @ (SignInError::Read(_) | SignInError::Write(_))) => return Err(error),
        Err(_) => {
            return Ok(Found {
                visitor: None,
                set: vec![(Crumb::Session, None)],
            });
        }
    };
    let lasts = caller.expires_at().since(web.now());
    let mut set = Vec::new();
    if let Some(new) = replacement {
        set.push((Crumb::Session, Some((new.reveal().to_owned(), lasts))));
    }
    // Without its root a session would still be one, and no form of it would work.
    let root = match cookies.get(Crumb::Form, web.secure) {
        Some(root) => root.to_owned(),
        None => {
            let root = form_root(secret);
            set.push((Crumb::Form, Some((root.clone(), lasts))));
            root
        }
    };
    Ok(Found {
        visitor: Some(Visitor::new(web, caller, theme, &root, here)),
        set,
    })
}

/// What the tokens of a session's forms are derived from. The session's secret cannot be had from it.
fn form_root(secret: &str) -> String {
    Digest::of(format!("root\n{secret}").as_bytes()).to_hex()
}

/// The cookies of a session that just began.
pub(crate) fn start_session(web: &Web, secret: &str) -> Vec<axum::http::HeaderValue> {
    let session = Crumb::Session.set(web.secure, secret, SESSION_LIFETIME);
    let form = Crumb::Form.set(web.secure, &form_root(secret), SESSION_LIFETIME);
    session.into_iter().chain(form).collect()
}
