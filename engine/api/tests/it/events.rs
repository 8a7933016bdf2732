//! Server-sent events of a run: none missing, none twice, resumable, ending with the run.

use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use futures::StreamExt;
use serde_json::{Value, json};

use crate::support::Site;

/// Reads frames until `enough`.
async fn frames(stream: &mut BodyDataStream, enough: impl Fn(&[(u64, Value)]) -> bool) -> Vec<(u64, Value)> {
    let mut text = String::new();
    loop {
        let events: Vec<(u64, Value)> = text
            .split("\n\n")
            .filter_map(|frame| {
                let field = |name: &str| frame.lines().find_map(|line| line.strip_prefix(name));
                Some((
                    field("id: ")?.parse().ok()?,
                    serde_json::from_str(field("data: ")?).ok()?,
                ))
            })
            .collect();
        if enough(&events) {
            return events;
        }
        match stream.next().await {
            Some(piece) => text.push_str(std::str::from_utf8(&piece.unwrap()).unwrap()),
            None => return events,
        }
    }
}

async fn open(site: &Site, token: &str, run: &str, after: Option<u64>) -> axum::response::Response {
    let mut request = Site::request("GET", &format!("/api/v1/runs/{run}/events"), Some(token));
    if let Some(after) = after {
        request = request.header("last-event-id", after.to_string());
    }
    site.raw(request.body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_stream_follows_a_run_to_its_end_and_resumes_where_it_was() {
    let site = Site::new().await;
    let run = site.world.start_patch().await.id.to_string();
    let vic = site.world.token("vic").await;
    let response = open(&site, &vic, &run, None).await;
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut stream = response.into_body().into_data_stream();
    let waits = |events: &[(u64, Value)]| {
        events
            .iter()
            .any(|(_, recorded)| recorded["event"]["type"] == "approval_requested")
    };
    let first = frames(&mut stream, waits).await;
    assert_eq!(first[0].1["event"]["type"], "run_started");
    let seen = first.last().unwrap().0;

    let approvals = site.get(&vic, "/api/v1/approvals?open=true").await.json();
    let approval = &approvals["items"][0];
    let id = approval["id"].as_str().unwrap();
    let vote = json!({"verdict": "approve", "subject": approval["subject_digest"]});
    for name in ["ben", "cho"] {
        let token = site.world.token(name).await;
        let answer = site
            .post(&token, &format!("/api/v1/approvals/{id}/votes"), &vote)
            .await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{}", answer.text);
    }
    let rest = frames(&mut stream, |_| false).await;
    assert_eq!(rest.last().unwrap().1["event"]["type"], "run_finished");
    let numbers: Vec<u64> = first.iter().chain(&rest).map(|(id, _)| *id).collect();
    let mut unique = numbers.clone();
    unique.sort_unstable();
    unique.dedup();
    let last = *unique.last().unwrap();
    assert_eq!(unique, (1..=last).collect::<Vec<_>>(), "none missing");

    let mut stream = open(&site, &vic, &run, Some(seen))
        .await
        .into_body()
        .into_data_stream();
    let resumed = frames(&mut stream, |_| false).await;
    assert_eq!(resumed.first().unwrap().0, seen + 1);
    assert_eq!(resumed.last().unwrap().0, last);
    assert_eq!(
        open(&site, &vic, &run, Some(last)).await.status(),
        StatusCode::NO_CONTENT
    );
    let request = Site::request("GET", &format!("/api/v1/runs/{run}/events"), Some(&vic));
    let bad = site
        .send(request.header("last-event-id", "x").body(Body::empty()).unwrap())
        .await;
    assert_eq!(bad.code(), "invalid-last-event-id");
}

#[tokio::test]
async fn output_is_found_by_the_name_of_its_step() {
    let site = Site::new().await;
    let run = site.world.start_patch().await;
    let vic = site.world.token("vic").await;
    let view = site.get(&vic, &format!("/api/v1/runs/{}", run.id)).await.json();
    let step = &view["jobs"][1]["lanes"][0]["steps"][0];
    assert_eq!(
        (step["path"].as_str(), step["status"].as_str()),
        (Some("rollout/stage-1/apply"), Some("changed"))
    );
    let attempt = step["attempt_id"].as_str().unwrap().parse().unwrap();
    let store = &site.world.store;
    let demo = "demo".parse().unwrap();
    let at = clawd_model::Timestamp(1);
    let out = clawd_control::testing::OUT;
    store
        .append_output(
            &demo,
            run.id,
            attempt,
            out,
            b"unpacking \xffopenssl\n".to_vec(),
            at,
        )
        .await
        .unwrap();
    store
        .append_output(&demo, run.id, attempt, out, b"done\n".to_vec(), at)
        .await
        .unwrap();
    // Output is durable no later than what is written after it.
    site.post(&vic, "/api/v1/tokens", &json!({"label": "later"}))
        .await;
    let path = format!("/api/v1/runs/{}/output?step=rollout/stage-1/apply", run.id);
    let output = site.get(&vic, &path).await.json();
    let text: String = output["chunks"]
        .as_array()
        .unwrap()
        .iter()
        .map(|chunk| chunk["text"].as_str().unwrap())
        .collect();
    assert_eq!(text, "unpacking \u{fffd}openssl\ndone\n");
    assert_eq!(
        (output["next"].as_u64(), output["complete"].as_bool()),
        (Some(24), Some(true))
    );
    let rest = site.get(&vic, &format!("{path}&from=19")).await.json();
    assert_eq!(rest["chunks"][0]["text"], "done\n");
    let none = site
        .get(
            &vic,
            &format!("/api/v1/runs/{}/output?step=rollout/web-9/apply", run.id),
        )
        .await;
    assert_eq!(
        (none.status, none.code().as_str()),
        (StatusCode::NOT_FOUND, "no-such-step")
    );
    let none = site.get(&vic, &format!("{path}&attempt=2")).await;
    assert_eq!(none.code(), "no-such-attempt");
}

#[tokio::test]
async fn one_person_does_not_open_streams_without_end() {
    let site = Site::new().await;
    let run = site.world.start_patch().await.id.to_string();
    let vic = site.world.token("vic").await;
    let mut streams = Vec::new();
    for _ in 0..clawd_control::STREAMS_MAX {
        let response = open(&site, &vic, &run, None).await;
        assert_eq!(response.status(), StatusCode::OK);
        streams.push(response);
    }
    let events = Site::request("GET", &format!("/api/v1/runs/{run}/events"), Some(&vic));
    let refused = site.send(events.body(Body::empty()).unwrap()).await;
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (StatusCode::TOO_MANY_REQUESTS, "too-many-streams")
    );
    // Others are not concerned, and a stream that is closed makes room.
    let ben = site.world.token("ben").await;
    assert_eq!(open(&site, &ben, &run, None).await.status(), StatusCode::OK);
    streams.pop();
    assert_eq!(open(&site, &vic, &run, None).await.status(), StatusCode::OK);
    drop(streams);
    assert_eq!(site.world.app.open_streams(), 0);
}
