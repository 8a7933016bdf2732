//! Few connections per server, each used by several commands at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use russh::keys::PublicKey;
use tokio::sync::{Mutex as AsyncMutex, OwnedSemaphorePermit};
use tokio::time::sleep;

use super::connection::{Connection, SshOptions};
use super::exec::{self, NoChannel};
use super::identity::Identity;
use crate::address::Address;
use crate::keys::{KeyFile, Stamp};
use crate::transport::{Exit, Receive, Request, Transport, TransportError};

/// More commands than this many connections carry have to wait.
const CONNECTIONS_MAX: usize = 4;

/// The pause before a host that refused a session is asked again, and how often it is.
const REFUSED_PAUSE: Duration = Duration::from_millis(250);
const REFUSALS_MAX: u32 = 40;

/// What makes a connection the same: where, under which pinned key, with which key of ours.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Destination {
    address: Address,
    host_key: String,
    key: KeyFile,
    /// A connection outlives neither the key nor the certificate that it was opened with.
    as_of: Stamp,
}

type Connections = Arc<AsyncMutex<Vec<Arc<Connection>>>>;

/// The connections of this process.
#[derive(Default)]
pub struct SshPool {
    options: SshOptions,
    connections: Mutex<HashMap<Destination, Connections>>,
}

impl SshPool {
    /// A pool without connections.
    #[must_use]
    pub fn new(options: SshOptions) -> Arc<Self> {
        Arc::new(Self {
            options,
            connections: Mutex::default(),
        })
    }

    /// The way to one host. Connects when it is first used.
    ///
    /// # Errors
    /// `NoHostKey` when no readable key is pinned, `Identity` when no key of ours is named.
    pub fn transport(
        self: &Arc<Self>,
        address: Address,
        host_key: Option<&str>,
        key: Option<KeyFile>,
    ) -> Result<SshTransport, TransportError> {
        let host_key = host_key.ok_or(TransportError::NoHostKey)?;
        let pinned = PublicKey::from_openssh(host_key.trim()).map_err(|_| TransportError::NoHostKey)?;
        let key = key
            .ok_or_else(|| TransportError::Identity("no private key is named for this server".to_owned()))?;
        let destination = Destination {
            address,
            host_key: host_key.trim().to_owned(),
            as_of: key.stamp(),
            key,
        };
        let mut all = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let connections = Arc::clone(all.entry(destination.clone()).or_default());
        Ok(SshTransport {
            options: self.options.clone(),
            destination,
            pinned,
            connections,
        })
    }
}

/// The way to one host over SSH.
pub struct SshTransport {
    options: SshOptions,
    destination: Destination,
    pinned: PublicKey,
    connections: Connections,
}

impl SshTransport {
    /// A connection with room for one more channel, and that room.
    async fn connection(&self) -> Result<(Arc<Connection>, OwnedSemaphorePermit), TransportError> {
        loop {
            let waited_for = {
                // Holding this while connecting: one connection at a time is made to a server.
                let mut open = self.connections.lock().await;
                open.retain(|connection| !connection.is_closed());
                for connection in open.iter() {
                    if let Ok(room) = Arc::clone(&connection.channels).try_acquire_owned() {
                        return Ok((Arc::clone(connection), room));
                    }
                }
                match open.first() {
                    Some(first) if open.len() >= CONNECTIONS_MAX => Arc::clone(first),
                    _ => {
                        let identity = Identity::read(&self.destination.key).await?;
                        let address = &self.destination.address;
                        let connection =
                            Connection::open(address, &self.pinned, &identity, &self.options).await?;
                        open.push(Arc::clone(&connection));
                        connection
                    }
                }
            };
            // Fails when the connection was closed meanwhile: look again.
            if let Ok(room) = Arc::clone(&waited_for.channels).acquire_owned().await {
                return Ok((waited_for, room));
            }
        }
    }
}

#[async_trait]
impl Transport for SshTransport {
    async fn exec(&self, request: &Request, receive: &mut dyn Receive) -> Result<Exit, TransportError> {
        let mut retried = false;
        let mut refusals = 0;
        loop {
            let (connection, room) = self.connection().await?;
            match exec::open(&connection, self.options.channel_timeout).await {
                Ok(channel) => {
                    let user = &self.destination.address.user;
                    return exec::run(channel, room, user, request, receive).await;
                }
                // Elsewhere there may be room, or here when a command has ended.
                Err(NoChannel::Refused) => {
                    if !connection.shrink(room) {
                        refusals += 1;
                        sleep(REFUSED_PAUSE).await;
                    }
                    if refusals > REFUSALS_MAX {
                        let why = "the host opens no more sessions (`MaxSessions` of its sshd)";
                        return Err(TransportError::Unreachable(why.to_owned()));
                    }
                }
                // It died since it was last used, or is about to: nothing was sent, so another one may be tried.
                Err(NoChannel::Dead(error)) => {
                    connection.close().await;
                    if std::mem::replace(&mut retried, true) {
                        return Err(error);
                    }
                }
                // Its commands may be well: should it be dead, then its keepalives will find out.
                Err(NoChannel::Slow(error)) => {
                    connection.retire();
                    if std::mem::replace(&mut retried, true) {
                        return Err(error);
                    }
                }
            }
        }
    }

    async fn ready(&self) -> Result<(), TransportError> {
        self.connection().await.map(drop)
    }

    async fn reset(&self) {
        let open = std::mem::take(&mut *self.connections.lock().await);
        for connection in open {
            connection.close().await;
        }
    }
}
