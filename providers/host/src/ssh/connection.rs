//! One SSH connection, signed in, with a limited number of channels.

use std::borrow::Cow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use russh::client::{AuthResult, Config, Handle};
use russh::keys::{Algorithm, EcdsaCurve, PrivateKeyWithHashAlg, PublicKey};
use russh::{Disconnect, Preferred};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::handler::{Client, Expected, describe};
use super::identity::Identity;
use crate::address::Address;
use crate::transport::TransportError;

/// OpenSSH allows 10 sessions a connection (`MaxSessions`); the eleventh fails.
pub(super) const CHANNELS_MAX: u32 = 8;
/// How often a silent host is asked whether it is there.
const KEEPALIVE: Duration = Duration::from_secs(5);
/// How often it may fail to answer.
const KEEPALIVES_MAX: usize = 3;

/// How hosts are connected to.
#[derive(Clone, Debug)]
pub struct SshOptions {
    /// The limit for connecting, the key exchange and signing in together.
    pub connect_timeout: Duration,
    /// The limit for the answer to the request for one more channel.
    pub channel_timeout: Duration,
    /// An unused connection is closed after this.
    pub idle: Duration,
}

impl Default for SshOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(15),
            channel_timeout: Duration::from_secs(10),
            idle: Duration::from_secs(60),
        }
    }
}

/// A connection that is signed in.
pub(super) struct Connection {
    pub(super) handle: Handle<Client>,
    pub(super) channels: Arc<Semaphore>,
    /// How many channels there are in all; less than the maximum where the host allows fewer.
    capacity: AtomicU32,
}

impl Connection {
    /// Connects, checks the host's key, signs in.
    ///
    /// # Errors
    /// See [`TransportError`]; nothing has begun on the host.
    pub(super) async fn open(
        address: &Address,
        pinned: &PublicKey,
        identity: &Identity,
        options: &SshOptions,
    ) -> Result<Arc<Self>, TransportError> {
        let signed_in = async {
            let algorithms = vec![pinned.algorithm()];
            let expected = Expected::Pinned(pinned.clone());
            let mut handle = handshake(address, algorithms, expected, |error| {
                error.into_transport(pinned)
            })
            .await?;
            sign_in(&mut handle, address, identity).await?;
            Ok(handle)
        };
        let handle = timeout(options.connect_timeout, signed_in)
            .await
            .unwrap_or_else(|_| Err(no_answer(options.connect_timeout)))?;
        let connection = Arc::new(Self {
            handle,
            channels: Arc::new(Semaphore::new(CHANNELS_MAX as usize)),
            capacity: AtomicU32::new(CHANNELS_MAX),
        });
        tokio::spawn(close_when_idle(Arc::downgrade(&connection), options.idle));
        Ok(connection)
    }

    /// Whether no channel can be opened any more.
    pub(super) fn is_closed(&self) -> bool {
        self.handle.is_closed() || self.channels.is_closed()
    }

    /// The host refused a channel: from now on there is room for one less. False when it was the last one.
    pub(super) fn shrink(&self, room: OwnedSemaphorePermit) -> bool {
        let less = |capacity: u32| (capacity > 1).then(|| capacity - 1);
        let shrunk = self
            .capacity
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
            .is_ok();
        if shrunk {
            room.forget();
        }
        shrunk
    }

    /// Nothing new is sent over it. Whatever uses it goes on; then it ends.
    pub(super) fn retire(&self) {
        self.channels.close();
    }

    /// Says goodbye. Channels that are open end as if the connection were lost.
    pub(super) async fn close(&self) {
        self.channels.close();
        let _ = self.handle.disconnect(Disconnect::ByApplication, "", "en").await;
    }
}

/// The error for a host that is silent.
pub(super) fn no_answer(limit: Duration) -> TransportError {
    TransportError::Unreachable(format!("no answer within {} s", limit.as_secs()))
}

/// Connects and exchanges keys; the caller sets the limit of time.
pub(super) async fn handshake(
    address: &Address,
    host_keys: Vec<Algorithm>,
    expected: Expected,
    failed: impl Fn(super::handler::HandlerError) -> TransportError,
) -> Result<Handle<Client>, TransportError> {
    let socket = TcpStream::connect((address.host.as_str(), address.port))
        .await
        .map_err(|error| {
            TransportError::Unreachable(crate::text::line(&error.to_string().to_lowercase(), 200))
        })?;
    let _ = socket.set_nodelay(true);
    let config = Config {
        nodelay: true,
        keepalive_interval: Some(KEEPALIVE),
        keepalive_max: KEEPALIVES_MAX,
        preferred: Preferred {
            key: Cow::Owned(host_keys),
            ..Preferred::default()
        },
        ..Config::default()
    };
    russh::client::connect_stream(Arc::new(config), socket, Client(expected))
        .await
        .map_err(failed)
}

/// Key types of hosts that can be pinned, the best one first.
pub(super) fn host_key_algorithms() -> Vec<Algorithm> {
    let curve = |curve| Algorithm::Ecdsa { curve };
    vec![
        Algorithm::Ed25519,
        curve(EcdsaCurve::NistP256),
        curve(EcdsaCurve::NistP384),
        curve(EcdsaCurve::NistP521),
    ]
}

/// The certificate first, if there is one, then the bare key: as OpenSSH does.
async fn sign_in(
    handle: &mut Handle<Client>,
    address: &Address,
    identity: &Identity,
) -> Result<(), TransportError> {
    let failed = |error: russh::Error| TransportError::Unreachable(describe(&error));
    if let Some(certificate) = &identity.certificate {
        let answer = handle
            .authenticate_openssh_cert(&address.user, Arc::clone(&identity.key), certificate.clone())
            .await
            .map_err(failed)?;
        if answer.success() {
            return Ok(());
        }
    }
    let key = PrivateKeyWithHashAlg::new(Arc::clone(&identity.key), None);
    match handle
        .authenticate_publickey(&address.user, key)
        .await
        .map_err(failed)?
    {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { .. } if handle.is_closed() => Err(TransportError::Unreachable(
            "the host closed the connection while we signed in".to_owned(),
        )),
        AuthResult::Failure { .. } => Err(TransportError::Refused {
            user: address.user.clone(),
            key: identity.name.to_string(),
        }),
    }
}

/// Closes a connection that has had no channel for a whole period.
async fn close_when_idle(connection: Weak<Connection>, idle: Duration) {
    let mut was_idle = false;
    loop {
        tokio::time::sleep(idle / 2).await;
        let Some(connection) = connection.upgrade() else {
            return;
        };
        if connection.is_closed() {
            return;
        }
        let capacity = connection.capacity.load(Ordering::SeqCst);
        let all = Arc::clone(&connection.channels).try_acquire_many_owned(capacity);
        match (all, was_idle) {
            (Ok(_), true) => return connection.close().await,
            (all, _) => was_idle = all.is_ok(),
        }
    }
}
