//! Which addresses the controller may talk to on behalf of a runbook.
//!
//! A runbook's author must not be able to turn the controller into a proxy to places that only it can reach: the
//! metadata service of its cloud, the loopback interface, the private network. Operations that connect from the
//! controller (`check.http`, `check.tcp`, `notify`) get their addresses from a [`Guard`], after the name was
//! looked up and just before the connection, so that a name that changes its answer in between wins nothing.
//!
//! ```text
//!                      elsewhere              the lane's own server
//! public               yes                    yes
//! loopback, private    when configured        yes
//! link-local, metadata, multicast, reserved   never
//! ```
//!
//! SSH has its own rule (pinned host keys) and does not pass here.

mod address;
mod network;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

pub use address::own_host;
pub use network::{InvalidNetwork, Network};

use address::{Class, classify};

/// On whose behalf an address is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reach {
    /// Anything that an author can write down.
    Elsewhere,
    /// The server of the lane, at the address that an operator gave it.
    OwnServer,
}

/// An address that may not be talked to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{address}` is {what}, which may not be connected to from here")]
pub struct Refused {
    /// The address.
    pub address: IpAddr,
    /// What kind of address it is.
    pub what: &'static str,
    /// Whether an entry in the configured list would allow it.
    pub configurable: bool,
}

impl Refused {
    /// What the reader can do about it.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        if self.configurable {
            "add its network to the allowed networks of the configuration, or check the lane's own server"
        } else {
            "no configuration allows this address"
        }
    }
}

/// A name did not lead to an address that may be talked to.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// All its addresses are refused; this is the first.
    #[error(transparent)]
    Refused(Refused),
    /// The name could not be looked up.
    #[error("`{host}` could not be looked up")]
    Lookup {
        /// The name.
        host: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The name has no address.
    #[error("`{host}` has no address")]
    Nothing {
        /// The name.
        host: String,
    },
}

/// Decides which addresses may be talked to.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    allowed: Arc<[Network]>,
}

impl Guard {
    /// A guard that, beside public addresses, lets through the loopback and private addresses in `allowed`.
    #[must_use]
    pub fn new(allowed: impl IntoIterator<Item = Network>) -> Self {
        Self {
            allowed: allowed.into_iter().collect(),
        }
    }

    /// Whether an address may be talked to.
    ///
    /// # Errors
    /// When it may not.
    pub fn permits(&self, address: IpAddr, reach: Reach) -> Result<(), Refused> {
        let refused = |what, configurable| Refused {
            address,
            what,
            configurable,
        };
        match classify(address) {
            Class::Public => Ok(()),
            Class::Forbidden(what) => Err(refused(what, false)),
            Class::Internal(_) if reach == Reach::OwnServer => Ok(()),
            Class::Internal(_) if self.allowed.iter().any(|network| network.contains(address)) => Ok(()),
            Class::Internal(what) => Err(refused(what, true)),
        }
    }

    /// Looks a host up (a name, or an address in its text form), and keeps the addresses that may be talked to.
    ///
    /// # Errors
    /// When none is left.
    pub async fn resolve(
        &self,
        host: &str,
        port: u16,
        reach: Reach,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let bare = host
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .unwrap_or(host);
        let found: Vec<SocketAddr> = match bare.parse::<IpAddr>() {
            Ok(address) => vec![SocketAddr::new(address, port)],
            Err(_) => tokio::net::lookup_host((bare, port))
                .await
                .map_err(|source| ResolveError::Lookup {
                    host: bare.to_owned(),
                    source,
                })?
                .collect(),
        };
        self.screen(bare, found, reach)
    }

    fn screen(
        &self,
        host: &str,
        found: Vec<SocketAddr>,
        reach: Reach,
    ) -> Result<Vec<SocketAddr>, ResolveError> {
        let mut first_refused = None;
        let mut kept = Vec::with_capacity(found.len());
        for address in found {
            match self.permits(address.ip(), reach) {
                Ok(()) => kept.push(address),
                Err(refused) => {
                    first_refused.get_or_insert(refused);
                }
            }
        }
        match (kept.is_empty(), first_refused) {
            (false, _) => Ok(kept),
            (true, Some(refused)) => Err(ResolveError::Refused(refused)),
            (true, None) => Err(ResolveError::Nothing {
                host: host.to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests;
