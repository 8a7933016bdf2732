//! A browser of a few lines: it keeps cookies, sends where a form comes from, and reads the token of a page's forms.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{COOKIE, HOST, LOCATION, ORIGIN, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use clawd_control::testing::{TENANT, World};
use tower::ServiceExt;

use crate::console::{Front, router};
use crate::door::encoded;

/// What came back.
pub(super) struct Seen {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn location(&self) -> &str {
        self.headers
            .get(LOCATION)
            .map_or("", |value| value.to_str().unwrap())
    }

    /// The value of a hidden field: the first of that name.
    pub(super) fn field(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let (_, rest) = self
            .body
            .split_once(&mark)
            .unwrap_or_else(|| panic!("no field {name} in {}", self.body));
        rest.split_once('"').unwrap().0.to_owned()
    }

    /// What follows a text, up to the next quote.
    pub(super) fn after(&self, mark: &str) -> String {
        let (_, rest) = self
            .body
            .split_once(mark)
            .unwrap_or_else(|| panic!("no {mark} in {}", self.body));
        rest.split_once('"').unwrap().0.to_owned()
    }
}

pub(super) struct Browser {
    router: Router,
    pub(super) cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Somebody who is not signed in.
    pub(super) fn new(world: &World) -> Self {
        Self {
            router: router(world.app.clone(), Arc::clone(&world.clock) as _, Front::default()),
            cookies: BTreeMap::new(),
        }
    }

    /// Somebody of the tenant, signed in with a one-time link.
    pub(super) async fn of(world: &World, name: &str) -> Self {
        Self::of_tenant(world, TENANT, name).await
    }

    /// Somebody of any tenant.
    pub(super) async fn of_tenant(world: &World, tenant: &str, name: &str) -> Self {
        let link = world
            .operator
            .sign_in_link(&tenant.parse().unwrap(), &name.parse().unwrap())
            .await
            .unwrap();
        let mut browser = Self::new(world);
        let secret = link.path.rsplit('/').next().unwrap().to_owned();
        let seen = browser.post("/sign-in/link", &[("link", &secret)]).await;
        assert_eq!(seen.status, StatusCode::SEE_OTHER, "{}", seen.body);
        browser
    }

    pub(super) async fn get(&mut self, path: &str) -> Seen {
        self.send(Request::get(path), Body::empty()).await
    }

    /// As a part of a page, by htmx.
    pub(super) async fn get_part(&mut self, path: &str) -> Seen {
        self.send(Request::get(path).header("hx-request", "true"), Body::empty())
            .await
    }

    /// As a form of a page of ours.
    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let request = Request::post(path)
            .header(ORIGIN, "http://console.example:8080")
            .header("sec-fetch-site", "same-origin");
        self.send_form(request, fields).await
    }

    /// As a form of a page of ours, with the token of that page.
    pub(super) async fn submit(&mut self, from: &str, path: &str, fields: &[(&str, &str)]) -> Seen {
        let token = self.get(from).await.field("csrf");
        let mut all = vec![("csrf", token.as_str())];
        all.extend_from_slice(fields);
        self.post(path, &all).await
    }

    pub(super) async fn send_form(
        &mut self,
        request: axum::http::request::Builder,
        fields: &[(&str, &str)],
    ) -> Seen {
        let body: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)))
            .collect();
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        self.send(request, Body::from(body.join("&"))).await
    }

    pub(super) async fn send(&mut self, request: axum::http::request::Builder, body: Body) -> Seen {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = request
            .header(HOST, "console.example:8080")
            .header(COOKIE, cookies.join("; "))
            .body(body)
            .unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, rest) = text.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let bytes = axum::body::to_bytes(body, 64 << 20).await.unwrap();
        Seen {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}
