//! The gallery: every page with every sample, under the same headers as the real console. For those who work on the
//! console and for its tests; the binary never serves it.

use axum::Router;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;

use crate::sample::{Rendered, rendered};
use crate::view::shell::Theme;
use crate::{files, headers};

#[derive(Deserialize)]
struct Wish {
    theme: Option<String>,
}

/// Routes: `/` lists the samples, `/{name}?theme=dark` shows one.
pub fn gallery() -> Router {
    Router::new()
        .route("/", get(list))
        .route("/{name}", get(show))
        .merge(files::router())
        .layer(map_response(headers::add))
}

async fn list() -> Response {
    match rendered() {
        Ok(all) => index(&all).into_response(),
        Err(error) => broken(&error),
    }
}

fn index(all: &[Rendered]) -> Html<String> {
    let links: Vec<String> = all
        .iter()
        .map(|sample| format!("<li><a href=\"/{0}\">{0}</a></li>", sample.name))
        .collect();
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>Gallery</title><ul>{}</ul></html>",
        links.concat()
    ))
}

async fn show(Path(name): Path<String>, Query(wish): Query<Wish>) -> Response {
    let theme: Theme = wish.theme.and_then(|text| text.parse().ok()).unwrap_or_default();
    match rendered() {
        Ok(all) => match all.into_iter().find(|sample| sample.name == name) {
            Some(sample) => {
                let wanted = format!("data-theme=\"{theme}\"");
                Html(sample.html.replace("data-theme=\"auto\"", &wanted)).into_response()
            }
            None => (StatusCode::NOT_FOUND, "no such sample\n").into_response(),
        },
        Err(error) => broken(&error),
    }
}

fn broken(error: &askama::Error) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
}
