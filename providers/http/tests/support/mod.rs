//! What the tests share: a tiny HTTP server with scripted answers, a context, settings that do not wait.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "shared by test files, each of which uses a part"
)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use clawd_model::{
    DurationMs, ErrorKind, FixedClock, SeededEntropy, Server, ServerId, ServerProvider, Timestamp,
};
use clawd_provider::egress::Guard;
use clawd_provider::{Context, DiscardOutput, ProviderError};
use clawd_provider_http::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

/// An answer: everything after the status line's `HTTP/1.1 `.
type Answer = Box<dyn Fn(&str) -> Vec<u8> + Send + Sync>;

/// A server on the loopback interface that answers one request per connection.
pub(crate) struct TinyHttp {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
}

impl TinyHttp {
    /// Answers by the path of the request.
    pub(crate) async fn start(answer: impl Fn(&str) -> Vec<u8> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (answer, log): (Arc<Answer>, _) = (Arc::new(Box::new(answer)), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(serve(connection, Arc::clone(&answer), Arc::clone(&log)));
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The paths that were asked for.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().unwrap().clone()
    }
}

async fn serve(mut connection: TcpStream, answer: Arc<Answer>, seen: Arc<Mutex<Vec<String>>>) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        match connection.read_u8().await {
            Ok(byte) => request.push(byte),
            Err(_) => return,
        }
    }
    let text = String::from_utf8(request).unwrap();
    let path = text.split(' ').nth(1).unwrap().to_owned();
    seen.lock().unwrap().push(path.clone());
    let bytes = [b"HTTP/1.1 ".as_slice(), &answer(&path)].concat();
    // The client may have seen enough.
    let _ = connection.write_all(&bytes).await;
    let _ = connection.shutdown().await;
}

pub(crate) fn reply(status: &str, body: &str) -> Vec<u8> {
    format!("{status}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

pub(crate) fn redirect(to: &str) -> Vec<u8> {
    format!("302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// Looks again after a millisecond.
pub(crate) fn settings(allowed: &[&str]) -> Settings {
    // The other tests of this process may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Settings {
        guard: Guard::new(allowed.iter().map(|network| network.parse().unwrap())),
        interval: DurationMs(1),
        look_timeout: DurationMs::from_secs(10),
    }
}

/// A lane of the controller, or of a server at this address.
pub(crate) fn context(address: Option<&str>) -> Context {
    let server = address.map(|address| {
        Arc::new(Server {
            id: ServerId::new(Timestamp(0), &SeededEntropy::new(1)),
            tenant: "demo".parse().unwrap(),
            name: "web-1".parse().unwrap(),
            provider: ServerProvider::Ssh,
            address: address.to_owned(),
            env: "prod".to_owned(),
            labels: Default::default(),
            protected: false,
            host_key: None,
            identity: None,
            facts: None,
            version: 1,
        })
    });
    Context {
        tenant: "demo".parse().unwrap(),
        server,
        attempt: None,
        epoch: 1,
        timeout: DurationMs::from_secs(30),
        clock: Arc::new(FixedClock::at(Timestamp(1_772_357_400_000))),
        redactor: clawd_provider::Redactor::default(),
        output: Arc::new(DiscardOutput),
        cancel: CancellationToken::new(),
    }
}

pub(crate) fn kind<T: std::fmt::Debug>(result: Result<T, ProviderError>) -> ErrorKind {
    match result.unwrap_err() {
        ProviderError::Failed(error) | ProviderError::OutcomeUnknown(error) => error.kind,
    }
}
