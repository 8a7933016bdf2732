//! One look: a request, perhaps a few redirects on the same host, and what the answer holds.

use std::net::IpAddr;

use clawd_model::{DurationMs, ErrorKind, StepError};
use clawd_provider::egress::{Guard, Reach, Refused};
use reqwest::header::LOCATION;
use reqwest::{Response, Url};
use tokio::time::Instant;

use crate::client::{Clients, refusal};
use crate::target::invalid;
use crate::until::Unmet;

/// How much of an answer is read.
const BODY_MAX: usize = 1024 * 1024;
/// How many redirects are followed.
const REDIRECTS_MAX: usize = 5;

/// What is asked, and what is expected.
#[derive(Clone, Debug)]
pub(crate) struct Question {
    pub(crate) url: Url,
    pub(crate) reach: Reach,
    pub(crate) status: Option<u16>,
    pub(crate) contains: Option<String>,
}

/// What was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) elapsed: DurationMs,
}

/// Asks once.
pub(crate) async fn ask(
    clients: &Clients,
    guard: &Guard,
    question: &Question,
    limit: DurationMs,
) -> Result<Answer, Unmet> {
    let began = Instant::now();
    match tokio::time::timeout(limit.to_std(), exchange(clients, guard, question)).await {
        Ok(status) => Ok(Answer {
            status: status?,
            elapsed: DurationMs(u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)),
        }),
        Err(_) => {
            let message = format!("`{}` did not answer in {limit}", shown(&question.url));
            Err(Unmet::Yet(StepError::new(ErrorKind::Timeout, message)))
        }
    }
}

async fn exchange(clients: &Clients, guard: &Guard, question: &Question) -> Result<u16, Unmet> {
    let mut url = question.url.clone();
    for _ in 0..=REDIRECTS_MAX {
        permit_literal(guard, &url, question.reach)?;
        let sent = clients.of(question.reach).get(url.clone()).send().await;
        let response = sent.map_err(|error| not_connected(&url, &error))?;
        match followed(question, &url, &response) {
            Some(next) => url = next,
            None => return judge(question, &url, response).await,
        }
    }
    let message = format!(
        "`{}` redirects more than {REDIRECTS_MAX} times",
        shown(&question.url)
    );
    Err(Unmet::Yet(StepError::new(ErrorKind::NotVerified, message)))
}

/// An address in the URL never passes the resolver, hence is looked at here.
fn permit_literal(guard: &Guard, url: &Url, reach: Reach) -> Result<(), Unmet> {
    let Some(address) = literal(url) else {
        return Ok(());
    };
    guard
        .permits(address, reach)
        .map_err(|error| Unmet::Ever(refused(&error)))
}

fn literal(url: &Url) -> Option<IpAddr> {
    let host = url.host_str()?;
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

/// Where a redirect leads, if it is to be followed: on the same host, when no redirect was expected.
fn followed(question: &Question, url: &Url, response: &Response) -> Option<Url> {
    let expected = question.status.is_some_and(|status| (300..400).contains(&status));
    if !response.status().is_redirection() || expected {
        return None;
    }
    let location = response.headers().get(LOCATION)?.to_str().ok()?;
    let next = url.join(location).ok()?;
    let stays = next.host_str() == url.host_str() && matches!(next.scheme(), "http" | "https");
    stays.then_some(next)
}

async fn judge(question: &Question, url: &Url, response: Response) -> Result<u16, Unmet> {
    let status = response.status().as_u16();
    let wanted = match question.status {
        Some(wanted) => wanted == status,
        None => (200..300).contains(&status),
    };
    let unmet = |message: String| Unmet::Yet(StepError::new(ErrorKind::NotVerified, message));
    if !wanted {
        let mut message = format!("`{}` answered {status}", shown(url));
        if response.status().is_redirection() && question.status.is_none() {
            message.push_str(", a redirect that is not followed: it leads to another host, or nowhere");
        }
        return Err(unmet(message));
    }
    if let Some(text) = &question.contains
        && !holds(url, response, text).await?
    {
        return Err(unmet(format!(
            "the answer of `{}` does not hold `{text}` (in its first {} KiB)",
            shown(url),
            BODY_MAX / 1024
        )));
    }
    Ok(status)
}

/// Whether the first mebibyte of the body holds a text.
async fn holds(url: &Url, mut response: Response, text: &str) -> Result<bool, Unmet> {
    let mut body: Vec<u8> = Vec::new();
    while body.len() < BODY_MAX {
        let chunk = response
            .chunk()
            .await
            .map_err(|error| not_connected(url, &error))?;
        let Some(chunk) = chunk else {
            break;
        };
        let room = BODY_MAX - body.len();
        body.extend(chunk.iter().take(room));
    }
    Ok(text.is_empty() || body.windows(text.len()).any(|window| window == text.as_bytes()))
}

fn not_connected(url: &Url, error: &reqwest::Error) -> Unmet {
    if let Some(error) = refusal(error) {
        return Unmet::Ever(refused(&error));
    }
    let what = if error.is_connect() {
        "cannot be connected to"
    } else {
        "broke the connection off"
    };
    let message = format!("`{}` {what}: {}", shown(url), cause(error));
    Unmet::Yet(StepError::new(ErrorKind::Connection, message))
}

fn refused(error: &Refused) -> StepError {
    invalid(error.to_string()).with_hint(error.hint())
}

/// The innermost cause, which names no URL.
fn cause(error: &reqwest::Error) -> String {
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// A URL for people: without what may hold a secret (user, password, query).
pub(crate) fn shown(url: &Url) -> String {
    let mut shown = format!("{}://{}", url.scheme(), url.host_str().unwrap_or_default());
    if let Some(port) = url.port() {
        shown.push_str(&format!(":{port}"));
    }
    shown.push_str(url.path());
    shown
}
