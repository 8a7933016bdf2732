//! Listening: HTTP/1.1 with or without TLS, and the limits that keep one client from taking everything.
//!
//! | what | limit |
//! |---|---|
//! | open connections | [`Limits::connections`]; one more is closed at once |
//! | a TLS handshake | [`Limits::head`] |
//! | the head of a request, and the time without one on an open connection | [`Limits::head`] |
//! | a whole body | [`Limits::body`] |
//! | streams of events, by principal | `clawd_control::STREAMS_MAX` |
//!
//! HTTP/2 is not spoken: the API and the console gain nothing by it, and its connections have no such limits.

use std::future::{Ready, ready};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum_server::Handle;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use futures::StreamExt as _;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tower::Service;

/// What one listener bears.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Open connections at once.
    pub(crate) connections: usize,
    /// How long the head of a request may take, and how long an open connection may be silent before it.
    pub(crate) head: Duration,
    /// How long a whole body may take.
    pub(crate) body: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 512,
            head: Duration::from_secs(10),
            body: Duration::from_secs(60),
        }
    }
}

/// A listener at work.
pub(crate) struct Listener {
    handle: Handle<SocketAddr>,
    pub(crate) serving: JoinHandle<io::Result<()>>,
}

impl Listener {
    /// Serves the router on a socket that listens.
    pub(crate) fn start(
        socket: TcpListener,
        router: Router,
        tls: Option<RustlsConfig>,
        limits: Limits,
        connections: Arc<Connections>,
    ) -> io::Result<Self> {
        let handle = Handle::new();
        let router = router.layer(axum::middleware::map_request(move |request: Request| {
            ready(in_time(request, limits.body))
        }));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let mut server = axum_server::from_tcp(socket)?
            .handle(handle.clone())
            .http1_only()
            .acceptor(Doorman(connections));
        server.http_builder().http1().header_read_timeout(limits.head);
        let serving = match tls {
            Some(config) => {
                let config = http1(config);
                let secured = |inner| {
                    RustlsAcceptor::new(config)
                        .handshake_timeout(limits.head)
                        .acceptor(inner)
                };
                tokio::spawn(server.map(secured).serve(service))
            }
            None => tokio::spawn(server.serve(service)),
        };
        Ok(Self { handle, serving })
    }

    /// Takes no more connections, and ends those that are open, at the latest after `grace`.
    pub(crate) async fn stop(self, grace: Duration) {
        self.handle.graceful_shutdown(Some(grace));
        let _ = self.serving.await;
    }
}

/// The same certificate, offered for HTTP/1.1 only.
fn http1(config: RustlsConfig) -> RustlsConfig {
    let mut inner = (*config.get_inner()).clone();
    inner.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.reload_from_config(Arc::new(inner));
    config
}

/// The connections of a listener.
#[derive(Debug)]
pub(crate) struct Connections {
    max: usize,
    free: Arc<Semaphore>,
    refused: AtomicU64,
}

impl Connections {
    pub(crate) fn new(max: usize) -> Self {
        Self {
            max,
            free: Arc::new(Semaphore::new(max)),
            refused: AtomicU64::new(0),
        }
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.max.saturating_sub(self.free.available_permits())
    }

    /// How many were closed at once, since all places were taken.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }
}

/// Lets connections in while there is a place.
#[derive(Clone)]
struct Doorman(Arc<Connections>);

impl<S> Accept<TcpStream, S> for Doorman {
    type Stream = TcpStream;
    type Service = Placed<S>;
    type Future = Ready<io::Result<(TcpStream, Placed<S>)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let Ok(place) = Arc::clone(&self.0.free).try_acquire_owned() else {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
            return ready(Err(io::Error::other("all connections are taken")));
        };
        let place = Arc::new(place);
        ready(Ok((
            stream,
            Placed {
                service,
                _place: place,
            },
        )))
    }
}

/// The service of one connection, which lives as long as it does, and holds its place.
#[derive(Clone)]
struct Placed<S> {
    service: S,
    _place: Arc<OwnedSemaphorePermit>,
}

impl<R, S: Service<R>> Service<R> for Placed<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.service.poll_ready(context)
    }

    fn call(&mut self, request: R) -> S::Future {
        self.service.call(request)
    }
}

/// The request with a body that breaks off when it takes too long.
fn in_time(request: Request, limit: Duration) -> Request {
    if request.body().is_end_stream() {
        return request;
    }
    let until = Instant::now() + limit;
    request.map(|body| {
        let pieces = futures::stream::unfold(body.into_data_stream(), move |mut pieces| async move {
            let piece = match timeout_at(until, pieces.next()).await {
                Ok(piece) => piece?.map_err(io::Error::other),
                Err(_) => Err(io::ErrorKind::TimedOut.into()),
            };
            Some((piece, pieces))
        });
        Body::from_stream(pieces)
    })
}

#[cfg(test)]
mod tests;
