//! Sends requests to the router of a small world.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use clawd_control::testing::World;
use serde_json::Value;
use tower::ServiceExt;

/// A world with the API in front of it.
pub(crate) struct Site {
    pub(crate) world: World,
    router: Router,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn code(&self) -> String {
        assert_eq!(
            self.headers["content-type"], "application/problem+json",
            "{}",
            self.text
        );
        self.json()["code"].as_str().expect("a code").to_owned()
    }
}

impl Site {
    pub(crate) async fn new() -> Self {
        let world = World::new().await;
        let router = clawd_api::router(world.app.clone());
        Self { world, router }
    }

    pub(crate) fn request(method: &str, path: &str, token: Option<&str>) -> axum::http::request::Builder {
        let builder = Request::builder().method(method).uri(path);
        match token {
            Some(token) => builder.header("authorization", format!("Bearer {token}")),
            None => builder,
        }
    }

    pub(crate) async fn raw(&self, request: Request<Body>) -> axum::response::Response {
        self.router
            .clone()
            .oneshot(request)
            .await
            .expect("a router never fails")
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.raw(request).await;
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 64 << 20).await.expect("a whole body");
        let text = String::from_utf8(bytes.to_vec()).expect("text");
        Answer {
            status: parts.status,
            headers: parts.headers,
            text,
        }
    }

    pub(crate) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(
            Self::request("GET", path, Some(token))
                .body(Body::empty())
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn post(&self, token: &str, path: &str, body: &Value) -> Answer {
        let request = Self::request("POST", path, Some(token)).header("content-type", "application/json");
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }

    pub(crate) async fn post_keyed(&self, token: &str, path: &str, body: &Value, key: &str) -> Answer {
        let request = Self::request("POST", path, Some(token))
            .header("content-type", "application/json")
            .header("idempotency-key", key);
        self.send(request.body(Body::from(body.to_string())).unwrap())
            .await
    }
}
