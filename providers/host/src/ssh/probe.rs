//! Learns the key of a host that is about to be added. Trust on first use is explicit: a person compares the
//! fingerprint before the key is pinned.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use clawd_model::StepError;
use russh::keys::PublicKey;
use tokio::time::timeout;

use super::connection::{handshake, host_key_algorithms, no_answer};
use super::handler::{Expected, HandlerError, describe, fingerprint};
use crate::address::Address;
use crate::errors;
use crate::transport::TransportError;

/// The key that a host showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbedKey {
    /// OpenSSH's one-line form, for [`clawd_model::Server::host_key`].
    pub line: String,
    /// `SHA256:…`, as `ssh-keygen -l` shows it.
    pub fingerprint: String,
    /// `ssh-ed25519`.
    pub algorithm: String,
}

/// Asks a host for its key, and signs in nowhere.
///
/// # Errors
/// `invalid-input` for an address that is none, `connection` when the host cannot be reached.
pub async fn probe_host_key(address: &str, limit: Duration) -> Result<ProbedKey, StepError> {
    let parsed: Address = address.parse().map_err(|error| errors::invalid_address(&error))?;
    let place = Arc::new(OnceLock::new());
    let expected = Expected::Learn(Arc::clone(&place));
    let failed = |error: HandlerError| match error {
        HandlerError::Ssh(error) => TransportError::Unreachable(describe(&error)),
        HandlerError::OtherKey(_) => TransportError::NoHostKey,
    };
    let asked = timeout(limit, handshake(&parsed, host_key_algorithms(), expected, failed))
        .await
        .unwrap_or_else(|_| Err(no_answer(limit)));
    let learnt: Option<&PublicKey> = place.get();
    match (learnt, asked) {
        (Some(key), Ok(_)) => Ok(ProbedKey {
            line: key.to_openssh().unwrap_or_default(),
            fingerprint: fingerprint(key),
            algorithm: key.algorithm().to_string(),
        }),
        (_, Err(error)) => Err(errors::step_error(&error, &parsed.to_string())),
        (None, Ok(_)) => Err(errors::step_error(
            &TransportError::NoHostKey,
            &parsed.to_string(),
        )),
    }
}
