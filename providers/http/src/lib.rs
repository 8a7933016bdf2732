//! Health checks from the controller: `check.http` and `check.tcp`.
//!
//! Both ask until the expectation holds or their time is up, so that a service may take a moment to come up. Every
//! address passes the guard of outgoing connections ([`clawd_provider::egress`]) after the name was looked up.
//! Nothing here changes anything, and nothing here follows a redirect to another host.
//!
//! A plan does not freeze what they see: a health check says something at its place in the run only.

mod ask;
mod check_http;
mod check_tcp;
mod client;
mod target;
mod until;

use std::sync::Arc;

use clawd_model::DurationMs;
use clawd_provider::egress::Guard;
use clawd_provider::{Registry, RegistryError, Serves};

pub use check_http::CheckHttp;
pub use check_tcp::CheckTcp;
pub use client::ClientError;

/// How checks are made.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which addresses may be talked to.
    pub guard: Guard,
    /// How long to wait between two looks.
    pub interval: DurationMs,
    /// The limit of one look.
    pub look_timeout: DurationMs,
}

impl Settings {
    /// A look each second, of at most ten seconds.
    #[must_use]
    pub const fn new(guard: Guard) -> Self {
        Self {
            guard,
            interval: DurationMs::from_secs(1),
            look_timeout: DurationMs::from_secs(10),
        }
    }
}

/// The operations could not be registered.
#[derive(Debug, thiserror::Error)]
pub enum RegisterError {
    /// The HTTP client cannot be made.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Another implementation contradicts these.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Registers both checks for everybody. The process must have a TLS crypto provider installed.
///
/// # Errors
/// See [`RegisterError`].
pub fn register(registry: &mut Registry, settings: &Settings) -> Result<(), RegisterError> {
    let http = CheckHttp::new(settings.clone())?;
    registry.register(Serves::Everywhere, Arc::new(http))?;
    let tcp = CheckTcp::new(settings.clone());
    registry.register(Serves::Everywhere, Arc::new(tcp))?;
    Ok(())
}
