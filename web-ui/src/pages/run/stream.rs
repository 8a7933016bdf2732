//! The stream of a run's changes: after each group of events, the parts of the page that changed.
//!
//! A stream ends by itself after a minute; the page's script asks again, and is looked at anew then: a session that
//! ended or a permission that was taken away shows within that time. Nothing of a session's secret is renewed here,
//! since a stream's headers are long gone when it would be.

use std::convert::Infallible;
use std::time::Duration;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use clawd_control::{Permit, RunRead, RunRow, StreamPlace, run_events};
use clawd_model::Digest;
use futures::stream::unfold;
use futures::{Stream, StreamExt};
use serde::Deserialize;
use tokio::time::{Instant, timeout, timeout_at};

use super::parts::Parts;
use crate::door::{AllowedOn, Answer, Visitor, Web};
use crate::view::run::RunUpdate;

/// How long a stream lasts.
const LASTS: Duration = Duration::from_secs(60);
/// Events that follow each other this fast are shown together.
const GATHER: Duration = Duration::from_millis(120);
/// And no longer than this.
const GATHER_MAX: Duration = Duration::from_millis(400);

#[derive(Deserialize)]
pub(crate) struct From {
    #[serde(default)]
    after: u64,
}

/// Follows the run.
pub(crate) async fn stream(
    State(web): State<Web>,
    AllowedOn { visitor, permit }: AllowedOn<RunRead, RunRow>,
    Query(from): Query<From>,
    headers: HeaderMap,
) -> Answer {
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .and_then(|text| text.parse().ok());
    let after = last.unwrap_or(from.after);
    let place = permit.stream_place()?;
    let follow = Follow {
        _place: place,
        events: Box::pin(run_events(&permit, after).map(|event| event.is_ok()).fuse()),
        web,
        visitor,
        permit,
        sent: Sent::default(),
        until: Instant::now() + LASTS,
        over: false,
    };
    let updates = unfold(follow, |mut follow| async move {
        let event = follow.next().await?;
        Some((Ok::<Event, Infallible>(event), follow))
    });
    let response: Response = Sse::new(updates).keep_alive(KeepAlive::default()).into_response();
    Ok(response)
}

struct Follow<S> {
    _place: StreamPlace,
    /// Whether each event could be read.
    events: S,
    web: Web,
    visitor: Visitor,
    permit: Permit<RunRead, RunRow>,
    sent: Sent,
    until: Instant,
    over: bool,
}

/// The parts as they were last sent, by digest.
#[derive(Default)]
struct Sent {
    head: Option<Digest>,
    approvals: Option<Digest>,
    graph: Option<Digest>,
    grid: Option<Digest>,
    feed: Option<Digest>,
    waiting: Option<u32>,
}

/// The part, if it is not what was sent last.
fn changed<T: Template>(part: T, sent: &mut Option<Digest>) -> Option<T> {
    let digest = Digest::of(part.render().ok()?.as_bytes());
    let is_new = *sent != Some(digest);
    *sent = Some(digest);
    is_new.then_some(part)
}

impl<S: Stream<Item = bool> + Unpin> Follow<S> {
    /// The next message; `None` ends the stream.
    async fn next(&mut self) -> Option<Event> {
        if self.over {
            return None;
        }
        match timeout_at(self.until, self.events.next()).await {
            Ok(Some(true)) => self.gather().await,
            // The journal ended in the meantime: one last look, then the end.
            Ok(None) => {
                self.over = true;
                return Some(Event::default().event("end").data("over"));
            }
            Ok(Some(false)) | Err(_) => return None,
        }
        self.update().await
    }

    /// Takes the events that follow at once.
    async fn gather(&mut self) {
        let limit = Instant::now() + GATHER_MAX;
        while Instant::now() < limit && matches!(timeout(GATHER, self.events.next()).await, Ok(Some(true))) {}
    }

    async fn update(&mut self) -> Option<Event> {
        let parts = match Parts::look(&self.web, &self.visitor, &self.permit).await {
            Ok(parts) => parts,
            Err(error) => {
                tracing::warn!(?error, "a run could not be followed");
                return None;
            }
        };
        let now = self.web.now();
        let waiting = self.web.shell_count(&self.visitor).await;
        let update = RunUpdate {
            head: changed(parts.head(&self.visitor, now), &mut self.sent.head),
            approvals: changed(parts.approvals(&self.visitor, now), &mut self.sent.approvals),
            graph: changed(parts.graph(), &mut self.sent.graph),
            grid: changed(parts.grid(None, now), &mut self.sent.grid),
            feed: changed(parts.feed(), &mut self.sent.feed),
            waiting: (self.sent.waiting != Some(waiting.waiting)).then_some(waiting),
        };
        self.sent.waiting = Some(waiting.waiting);
        let html = update.render().ok()?;
        let event = Event::default().id(parts.run.last_seq.to_string()).data(html);
        Some(event)
    }
}
