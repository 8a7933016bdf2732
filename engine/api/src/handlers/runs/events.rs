//! Streams the events of a run.

use std::time::Duration;

use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event as SseEvent, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use clawd_control::{App, RunRead, RunRow, run_events};
use clawd_model::{Recorded, RunId};
use futures::{Stream, StreamExt};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::authorized::sign_in;
use crate::{Authorized, Failure, Query};

/// How often a silent stream shows that it lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How often the permission is asked for anew while a stream is open.
const ASK_AGAIN: Duration = Duration::from_secs(60);

/// Where to begin.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Params {
    /// Behind the event with this number; the header `Last-Event-ID` says the same.
    after: Option<u64>,
}

/// Streams the events of a run, as server-sent events.
///
/// Each has its number as `id`, `run` as `event`, and the recorded event as `data`. The stream ends behind the run's
/// last event; asked for what comes after that, the answer is 204, so that a browser does not ask again. A permission
/// that is taken away ends the stream within a minute.
#[utoipa::path(get, path = "/api/v1/runs/{run}/events", operation_id = "run_events", tag = "runs", params(("run" = RunId, Path, description = "its id"), Params, ("last-event-id" = Option<u64>, Header, description = "the number of the last event that was seen")), responses((status = 200, description = "the events", content_type = "text/event-stream", body = Recorded), (status = 204, description = "there are no more")))]
pub(crate) async fn handle(
    Authorized(permit): Authorized<RunRead, RunRow>,
    State(app): State<App>,
    Query(begin): Query<Params>,
    parts: Parts,
) -> Result<Response, Failure> {
    let after = after(&parts.headers, &begin)?;
    let place = permit.stream_place()?;
    // The place is given back with the stream.
    let mut events = Box::pin(run_events(&permit, after).inspect(move |_| {
        let _ = &place;
    }));
    if permit.on().finished_at.is_some() {
        // All events are there already: the first question shows whether any is left.
        let Some(first) = events.next().await else {
            return Ok(StatusCode::NO_CONTENT.into_response());
        };
        let events = futures::stream::iter([first])
            .chain(events)
            .map(|event| frame(event.ok()));
        return Ok(Sse::new(events).into_response());
    }
    let run = permit.on().id;
    let still_allowed = move || {
        let (app, parts) = (app.clone(), parts.clone());
        async move {
            match sign_in(&app, &parts).await {
                Ok(caller) => app.permit_on::<RunRead, RunRow>(&caller, &run).await.is_ok(),
                Err(_) => false,
            }
        }
    };
    let frames = while_allowed(events, still_allowed).map(|event| frame(event.ok()));
    let keep_alive = KeepAlive::new().interval(HEARTBEAT).text("heartbeat");
    Ok(Sse::new(frames).keep_alive(keep_alive).into_response())
}

fn after(headers: &HeaderMap, begin: &Params) -> Result<u64, Failure> {
    match headers.get("last-event-id") {
        None => Ok(begin.after.unwrap_or(0)),
        Some(value) => value
            .to_str()
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(|| {
                Failure::new(
                    StatusCode::BAD_REQUEST,
                    "invalid-last-event-id",
                    "`Last-Event-ID` is the number of an event",
                )
            }),
    }
}

/// An event on the wire; `Err` ends the stream, and the client asks again from where it was.
fn frame(recorded: Option<Recorded>) -> Result<SseEvent, std::io::Error> {
    let recorded = recorded.ok_or_else(|| std::io::Error::other("the journal could not be read"))?;
    let event = SseEvent::default().id(recorded.seq.to_string()).event("run");
    event.json_data(&recorded).map_err(std::io::Error::other)
}

/// Passes events on, and asks for the permission anew now and then.
fn while_allowed<T, A, F>(
    events: impl Stream<Item = T> + Send + Unpin,
    still_allowed: A,
) -> impl Stream<Item = T> + Send
where
    T: Send,
    A: Fn() -> F + Send,
    F: Future<Output = bool> + Send,
{
    let begin = tokio::time::Instant::now() + ASK_AGAIN;
    let timer = tokio::time::interval_at(begin, ASK_AGAIN);
    futures::stream::unfold(
        (events, timer, still_allowed),
        |(mut events, mut timer, still_allowed)| async move {
            loop {
                tokio::select! {
                    event = events.next() => return event.map(|event| (event, (events, timer, still_allowed))),
                    _ = timer.tick() => {
                        if !still_allowed().await {
                            return None;
                        }
                    }
                }
            }
        },
    )
}
