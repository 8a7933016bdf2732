//! What goes wrong on the way to a page, and the page that says so.

use askama::Template;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use clawd_control::{Class, Explained, Refused};
use clawd_model::Digest;

use super::{Visitor, Web};
use crate::view::error::{BareErrorPage, ErrorFragment, ErrorPage, ErrorText, Refusal};
use crate::view::shell::{Section, Theme};

/// What a page answers.
pub(crate) type Answer = Result<Response, Failure>;

/// Why there is no page.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error page says it.
    Page(Box<ErrorText>),
    /// Somebody has to sign in first, and comes back to this path then.
    SignIn(Option<String>),
}

/// Renders a template.
pub(crate) fn render(template: &impl Template) -> Answer {
    match template.render() {
        Ok(html) => Ok(Html(html).into_response()),
        Err(error) => Err(Failure::broken(&error)),
    }
}

impl<E: Explained + 'static> From<E> for Failure {
    fn from(error: E) -> Self {
        if error.class() == Class::Internal {
            return Self::broken(&error);
        }
        let (status, title) = words(error.class());
        let refusal = (!error.reasons().is_empty()).then(|| Refusal {
            action: String::new(),
            reasons: error.reasons().to_vec(),
            policies: Vec::new(),
            bundle: None,
        });
        Self::Page(Box::new(ErrorText {
            status: status.as_u16(),
            title: title.to_owned(),
            what: sentence(&error.to_string()),
            hint: error.hint().map(|hint| sentence(&hint)).unwrap_or_default(),
            refusal,
            trace: None,
        }))
    }
}

const fn words(class: Class) -> (StatusCode, &'static str) {
    match class {
        Class::Invalid => (StatusCode::BAD_REQUEST, "That does not work as it stands"),
        Class::Unauthenticated => (StatusCode::UNAUTHORIZED, "Sign in first"),
        Class::Denied => (StatusCode::FORBIDDEN, "The policies say no"),
        Class::NotFound => (StatusCode::NOT_FOUND, "There is nothing here"),
        Class::Conflict => (StatusCode::CONFLICT, "It does not fit any more"),
        Class::Unreachable => (StatusCode::BAD_GATEWAY, "The server did not answer"),
        Class::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "Not now"),
        Class::TooMany => (StatusCode::TOO_MANY_REQUESTS, "Too much at once"),
        Class::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "Something of ours broke"),
    }
}

/// Messages begin with a small letter and end without a period; a page shows sentences.
pub(crate) fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let Some(first) = chars.next() else {
        return String::new();
    };
    let mut out: String = first.to_uppercase().chain(chars).collect();
    if !out.ends_with(['.', '?', '!']) {
        out.push('.');
    }
    out
}

impl Failure {
    fn page(status: StatusCode, title: &str, what: String, hint: &str) -> Self {
        Self::Page(Box::new(ErrorText {
            status: status.as_u16(),
            title: title.to_owned(),
            what,
            hint: hint.to_owned(),
            refusal: None,
            trace: None,
        }))
    }

    /// The gate said no, or there is no such thing.
    pub(crate) fn refused(refused: Refused) -> Self {
        match refused {
            Refused::Denied {
                action,
                reasons,
                policies,
                bundle,
            } => Self::Page(Box::new(ErrorText {
                status: 403,
                title: words(Class::Denied).1.to_owned(),
                what: "You may not do this here.".to_owned(),
                hint: String::new(),
                refusal: Some(Refusal {
                    action: action.as_str().to_owned(),
                    reasons,
                    policies,
                    bundle,
                }),
                trace: None,
            })),
            other => Self::from(other),
        }
    }

    /// Something of ours broke: the log says what, the page says where in the log.
    pub(crate) fn broken(error: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            chain.push_str(": ");
            chain.push_str(&cause.to_string());
            source = cause.source();
        }
        let trace = Digest::of(chain.as_bytes()).short();
        tracing::error!(trace, error = chain, "a page could not be made");
        Self::Page(Box::new(ErrorText {
            status: 500,
            title: words(Class::Internal).1.to_owned(),
            what: "The page could not be made.".to_owned(),
            hint: "Try again; if it stays, the log says more.".to_owned(),
            refusal: None,
            trace: Some(trace),
        }))
    }

    /// A form that is not ours.
    pub(crate) fn foreign(why: &str) -> Self {
        Self::page(
            StatusCode::FORBIDDEN,
            "This form came from elsewhere",
            format!("The request was refused: {why}."),
            "Open the page again and repeat it there.",
        )
    }

    /// A request that makes no sense.
    pub(crate) fn invalid(what: impl AsRef<str>) -> Self {
        let (status, title) = words(Class::Invalid);
        Self::page(status, title, sentence(what.as_ref()), "")
    }

    /// Nothing at this address.
    pub(crate) fn nothing_here() -> Self {
        let (status, title) = words(Class::NotFound);
        Self::page(status, title, "There is no page at this address.".to_owned(), "")
    }

    /// No such thing in this tenant.
    pub(crate) fn no_such(kind: &str, key: &str) -> Self {
        let (status, title) = words(Class::NotFound);
        Self::page(status, title, format!("There is no {kind} `{key}`."), "")
    }

    /// Somebody has to sign in first.
    pub(crate) fn sign_in_first(method: &Method, uri: &Uri) -> Self {
        let next = method
            .is_safe()
            .then(|| uri.path_and_query().map(ToString::to_string));
        Self::SignIn(next.flatten())
    }

    /// The answer before it is dressed.
    pub(crate) fn into_quiet_response(self) -> Response {
        match self {
            Self::SignIn(next) => {
                let address = match next {
                    Some(next) if next != "/" => format!("/sign-in?next={}", encoded(&next)),
                    _ => "/sign-in".to_owned(),
                };
                Redirect::to(&address).into_response()
            }
            Self::Page(text) => {
                let status = StatusCode::from_u16(text.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                let mut response = status.into_response();
                response.extensions_mut().insert(*text);
                response
            }
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.into_quiet_response()
    }
}

/// Percent-encodes what may not stand in a query.
pub(crate) fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// Gives an error its page, within the frame for somebody who is signed in.
pub(super) async fn dress(
    web: &Web,
    visitor: Option<&Visitor>,
    theme: Theme,
    mut response: Response,
) -> Response {
    let Some(error) = response.extensions_mut().remove::<ErrorText>() else {
        return response;
    };
    let html = match visitor {
        Some(visitor) => ErrorPage {
            shell: web.shell(visitor, Section::Elsewhere).await,
            error,
        }
        .render(),
        None => BareErrorPage { theme, error }.render(),
    };
    with_html(response, html.unwrap_or_default())
}

/// Gives an error its fragment, for a part of a page; and makes the whole page go where a part cannot.
pub(super) fn dress_part(mut response: Response) -> Response {
    if let Some(error) = response.extensions_mut().remove::<ErrorText>() {
        let html = ErrorFragment { error }.render();
        return with_html(response, html.unwrap_or_default());
    }
    if response.status().is_redirection()
        && let Some(address) = response.headers_mut().remove(header::LOCATION)
    {
        *response.status_mut() = StatusCode::UNAUTHORIZED;
        response.headers_mut().insert("hx-redirect", address);
    }
    response
}

fn with_html(response: Response, html: String) -> Response {
    let (mut parts, _) = response.into_parts();
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, html.into())
}
