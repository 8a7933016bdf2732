//! Our side of an SSH connection: decides about the host key, and refuses whatever the host wants to open.

use std::sync::{Arc, OnceLock};

use russh::Channel;
use russh::client::{ChannelOpenHandle, Handler, Msg, Session};
use russh::keys::{HashAlg, PublicKey, PublicKeyOrCertificate};

use crate::transport::TransportError;

/// What is expected of the host's key.
#[derive(Clone, Debug)]
pub(super) enum Expected {
    /// Exactly this key.
    Pinned(PublicKey),
    /// Whatever it is: it is learnt, and nobody signs in.
    Learn(Arc<OnceLock<PublicKey>>),
}

/// Why the connection ended.
#[derive(Debug, thiserror::Error)]
pub(super) enum HandlerError {
    /// The host shows another key.
    #[error("the host shows the key {0}")]
    OtherKey(String),
    /// Whatever else.
    #[error(transparent)]
    Ssh(#[from] russh::Error),
}

/// Our side of an SSH connection.
pub(super) struct Client(pub(super) Expected);

/// The fingerprint as OpenSSH shows it: `SHA256:…`.
pub(super) fn fingerprint(key: &PublicKey) -> String {
    key.fingerprint(HashAlg::Sha256).to_string()
}

impl HandlerError {
    /// What it means for a connection that is being made under this pinned key.
    pub(super) fn into_transport(self, pinned: &PublicKey) -> TransportError {
        match self {
            Self::OtherKey(offered) => TransportError::HostKeyChanged {
                pinned: fingerprint(pinned),
                offered,
            },
            Self::Ssh(russh::Error::NoCommonAlgo {
                kind: russh::AlgorithmKind::Key,
                theirs,
                ..
            }) => TransportError::HostKeyChanged {
                pinned: fingerprint(pinned),
                offered: format!(
                    "a key of another type ({})",
                    crate::text::line(&theirs.join(", "), 200)
                ),
            },
            Self::Ssh(error) => TransportError::Unreachable(describe(&error)),
        }
    }
}

/// A harmless line for an error of the SSH library.
pub(super) fn describe(error: &russh::Error) -> String {
    match error {
        russh::Error::HUP | russh::Error::Disconnect => "the host closed the connection".to_owned(),
        russh::Error::KeepaliveTimeout => "the host does not answer any more".to_owned(),
        russh::Error::IO(error) => crate::text::line(&error.to_string(), 200),
        other => crate::text::line(&other.to_string().to_lowercase(), 200),
    }
}

/// Refuses a channel: the reply that is dropped says no.
macro_rules! refuse {
    ($($name:ident($($argument:ty),*);)*) => {$(
        async fn $name(
            &mut self,
            _: Channel<Msg>,
            $(_: $argument,)*
            _: ChannelOpenHandle,
            _: &mut Session,
        ) -> Result<(), HandlerError> {
            Ok(())
        }
    )*};
}

impl Handler for Client {
    type Error = HandlerError;

    async fn check_server_key(&mut self, offered: &PublicKeyOrCertificate) -> Result<bool, HandlerError> {
        let key = offered.public_key();
        match &self.0 {
            // Certificates of hosts are not asked for; one that comes all the same is not the pinned key.
            Expected::Pinned(pinned)
                if offered.certificate().is_none() && pinned.key_data() == key.key_data() =>
            {
                Ok(true)
            }
            Expected::Pinned(_) => Err(HandlerError::OtherKey(fingerprint(&key))),
            Expected::Learn(place) => Ok(place.set(key).is_ok()),
        }
    }

    refuse! {
        server_channel_open_forwarded_tcpip(&str, u32, &str, u32);
        server_channel_open_forwarded_streamlocal(&str);
        server_channel_open_agent_forward();
        server_channel_open_session();
        server_channel_open_direct_tcpip(&str, u32, &str, u32);
        server_channel_open_direct_streamlocal(&str);
        server_channel_open_x11(&str, u32);
    }
}
