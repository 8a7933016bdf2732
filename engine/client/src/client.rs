//! Sending a request and reading its answer.

use std::fmt;
use std::time::Duration;

use clawd_model::api::ProblemDetails;
use reqwest::{Method, RequestBuilder, Response, Url, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

/// How long to wait for a connection.
const CONNECT: Duration = Duration::from_secs(10);
/// How long to wait for a whole answer. Plans ask servers, so this is generous; streams of events have no limit.
const ANSWER: Duration = Duration::from_secs(600);

/// A connection to one server as one principal. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    token: String,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Client({})", self.base)
    }
}

impl Client {
    /// A client of the server at this address (`http://127.0.0.1:7650`), signing in with this token.
    ///
    /// # Errors
    /// When the address is none, or no HTTP client can be made.
    pub fn new(address: &str, token: &str) -> Result<Self, Error> {
        // Fails when a provider is installed already: then that one is used.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let base = Url::parse(address)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && !url.cannot_be_a_base())
            .ok_or_else(|| Error::Address(address.to_owned()))?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(Error::Build)?;
        Ok(Self {
            http,
            base,
            token: token.to_owned(),
        })
    }

    /// The server's address.
    #[must_use]
    pub fn address(&self) -> &str {
        self.base.as_str()
    }

    /// The address of a route: segments are escaped, so that no name can leave its place.
    pub(crate) fn url(&self, segments: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(["api", "v1"]).extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).bearer_auth(&self.token)
    }

    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        query: &[(&str, String)],
    ) -> Result<T, Error> {
        let url = self.url(segments, query);
        read(send(self.request(Method::GET, url).timeout(ANSWER)).await?).await
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &impl Serialize,
        key: Option<&str>,
    ) -> Result<T, Error> {
        let mut request = self
            .request(Method::POST, self.url(segments, &[]))
            .timeout(ANSWER)
            .json(body);
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        read(send(request).await?).await
    }

    pub(crate) async fn put<T: DeserializeOwned>(
        &self,
        segments: &[&str],
        body: &impl Serialize,
    ) -> Result<T, Error> {
        read(
            send(
                self.request(Method::PUT, self.url(segments, &[]))
                    .timeout(ANSWER)
                    .json(body),
            )
            .await?,
        )
        .await
    }

    pub(crate) async fn delete(&self, segments: &[&str]) -> Result<(), Error> {
        send(
            self.request(Method::DELETE, self.url(segments, &[]))
                .timeout(ANSWER),
        )
        .await
        .map(drop)
    }
}

/// Sends, and turns a refusal into the problem that the server describes.
pub(crate) async fn send(request: RequestBuilder) -> Result<Response, Error> {
    let response = request.send().await.map_err(unreachable)?;
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let url = response.url().to_string();
    let is_problem = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/problem+json"));
    if !is_problem {
        return Err(Error::Unexpected {
            url,
            status: status.as_u16(),
            source: None,
        });
    }
    let bytes = response.bytes().await.map_err(unreachable)?;
    match serde_json::from_slice::<ProblemDetails>(&bytes) {
        Ok(problem) => Err(Error::Problem(Box::new(problem))),
        Err(source) => Err(Error::Unexpected {
            url,
            status: status.as_u16(),
            source: Some(source),
        }),
    }
}

pub(crate) async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Error> {
    let (url, status) = (response.url().to_string(), response.status().as_u16());
    let bytes = response.bytes().await.map_err(unreachable)?;
    serde_json::from_slice(&bytes).map_err(|source| Error::Unexpected {
        url,
        status,
        source: Some(source),
    })
}

pub(crate) fn unreachable(source: reqwest::Error) -> Error {
    let mut url = source.url().cloned();
    if let Some(url) = &mut url {
        url.set_path("");
        url.set_query(None);
    }
    let url = url.map(|url| url.to_string()).unwrap_or_default();
    Error::Unreachable {
        url,
        source: source.without_url(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_place() {
        let client = Client::new("http://127.0.0.1:1/base/", "t").unwrap();
        let url = client.url(&["servers", "../runs?x=1"], &[("on", "role=web&x".to_owned())]);
        assert_eq!(
            url.as_str(),
            "http://127.0.0.1:1/base/api/v1/servers/..%2Fruns%3Fx=1?on=role%3Dweb%26x"
        );
    }

    #[test]
    fn an_address_is_an_http_address() {
        for bad in ["", "localhost:80", "ftp://x", "mailto:a@b"] {
            assert!(matches!(Client::new(bad, "t"), Err(Error::Address(_))), "{bad}");
        }
    }
}
