//! The HTTP client: its every name lookup passes the guard.

use std::error::Error;

use clawd_provider::egress::{Guard, Reach, Refused, ResolveError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect};

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client of the notifications cannot be made")]
pub struct ClientError(#[source] reqwest::Error);

pub(crate) fn client(guard: &Guard) -> Result<Client, ClientError> {
    Client::builder()
        .user_agent(clawd_model::product::BINARY)
        // A proxy would look names up for us, behind the guard's back.
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .dns_resolver(Guarded(guard.clone()))
        .build()
        .map_err(ClientError)
}

#[derive(Clone)]
struct Guarded(Guard);

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let Self(guard) = self.clone();
        Box::pin(async move {
            // Port 0 is replaced by that of the URL.
            let addresses = guard.resolve(name.as_str(), 0, Reach::Elsewhere).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// The guard's refusal, if that is why a request failed.
pub(crate) fn refusal(error: &reqwest::Error) -> Option<Refused> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(ResolveError::Refused(refused)) = cause.downcast_ref::<ResolveError>() {
            return Some(refused.clone());
        }
        source = cause.source();
    }
    None
}
