//! The HTTP clients: their every name lookup passes the guard.

use std::error::Error;

use clawd_provider::egress::{Guard, Reach, Refused, ResolveError};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, redirect};

/// The HTTP client cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client of the checks cannot be made")]
pub struct ClientError(#[source] reqwest::Error);

/// One client per reach: a connection that was made for the lane's own server is never used for anybody else.
#[derive(Clone, Debug)]
pub(crate) struct Clients {
    elsewhere: Client,
    own_server: Client,
}

impl Clients {
    pub(crate) fn new(guard: &Guard) -> Result<Self, ClientError> {
        Ok(Self {
            elsewhere: client(guard, Reach::Elsewhere)?,
            own_server: client(guard, Reach::OwnServer)?,
        })
    }

    pub(crate) const fn of(&self, reach: Reach) -> &Client {
        match reach {
            Reach::Elsewhere => &self.elsewhere,
            Reach::OwnServer => &self.own_server,
        }
    }
}

fn client(guard: &Guard, reach: Reach) -> Result<Client, ClientError> {
    let resolver = Guarded {
        guard: guard.clone(),
        reach,
    };
    Client::builder()
        .user_agent(clawd_model::product::BINARY)
        // A proxy would look names up for us, behind the guard's back.
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        // A kept connection says nothing about a server that was restarted.
        .pool_max_idle_per_host(0)
        .dns_resolver(resolver)
        .build()
        .map_err(ClientError)
}

#[derive(Clone)]
struct Guarded {
    guard: Guard,
    reach: Reach,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let Self { guard, reach } = self.clone();
        Box::pin(async move {
            // Port 0 is replaced by that of the URL.
            let addresses = guard.resolve(name.as_str(), 0, reach).await?;
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
