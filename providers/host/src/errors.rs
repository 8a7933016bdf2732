//! What went wrong on the way to a host, in words: what, where, and what to do about it.

use clawd_model::product::BINARY;
use clawd_model::{ErrorKind, StepError};

use crate::address::InvalidAddress;
use crate::transport::TransportError;

/// An address that is none.
pub(crate) fn invalid_address(error: &InvalidAddress) -> StepError {
    StepError::new(ErrorKind::InvalidInput, error.to_string())
}

/// The error of a step, for a failure of a transport; `place` says which server at which address.
pub(crate) fn step_error(error: &TransportError, place: &str) -> StepError {
    let (kind, hint) = match error {
        TransportError::Unreachable(_) => (
            ErrorKind::Connection,
            "check that the host is up, that its SSH port is open, and that the address is right".to_owned(),
        ),
        TransportError::HostKeyChanged { .. } => (
            ErrorKind::HostKey,
            format!(
                "somebody may be in between; if the host was rebuilt, compare the fingerprint on its own console \
                 (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), then `{BINARY} server add` it again"
            ),
        ),
        TransportError::NoHostKey => (
            ErrorKind::HostKey,
            format!("`{BINARY} server add` shows the host's fingerprint and pins its key"),
        ),
        TransportError::Identity(_) => (
            ErrorKind::Permission,
            format!(
                "on the controller, `{BINARY} server add … --identity FILE` grants a private key and names it; a key \
                 that was granted is named with `--identity NAME`"
            ),
        ),
        TransportError::Refused { user, key } => (
            ErrorKind::Permission,
            format!(
                "add the public half of `{key}` to ~{user}/.ssh/authorized_keys on the host; a certificate next to the \
                 key may have expired: `ssh-keygen -Lf KEY-cert.pub`"
            ),
        ),
        TransportError::NoRoot { user, .. } => (
            ErrorKind::Permission,
            format!("sign in as root, or allow it in /etc/sudoers.d: `{user} ALL=(root) NOPASSWD: ALL`"),
        ),
        TransportError::NoShell(_) => (
            ErrorKind::Permission,
            "the user needs a login shell that runs commands, and the host needs `sh`".to_owned(),
        ),
        TransportError::Lost(_) => (
            ErrorKind::Connection,
            "the command may have taken effect: look before trying again".to_owned(),
        ),
        TransportError::TooMuch => (
            ErrorKind::Failed,
            "the host answers with more than such an answer can hold: do not trust it".to_owned(),
        ),
        TransportError::Unsendable(_) => (ErrorKind::InvalidInput, String::new()),
    };
    let error = StepError::new(kind, format!("{place}: {error}"));
    if hint.is_empty() {
        error
    } else {
        error.with_hint(hint)
    }
}
