//! Our key, and the OpenSSH certificate next to it (`KEY-cert.pub`). Read anew for every connection: short-lived
//! certificates are replaced while we run.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use russh::keys::{Certificate, PrivateKey, decode_secret_key};

use crate::transport::TransportError;

/// No key file is longer.
const KEY_BYTES_MAX: u64 = 64 * 1024;

/// What we sign in with.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) path: PathBuf,
    pub(super) key: Arc<PrivateKey>,
    pub(super) certificate: Option<Certificate>,
}

impl Identity {
    /// Reads a key, and its certificate if there is one.
    ///
    /// # Errors
    /// `Identity`, naming the file and what is wrong with it.
    pub(super) async fn read(path: &Path) -> Result<Self, TransportError> {
        let shown = path.display();
        let fail = |what: &str| TransportError::Identity(format!("the key `{shown}` {what}"));
        let text = read(path, true).await?.ok_or_else(|| fail("does not exist"))?;
        let key = decode_secret_key(&text, None).map_err(|error| match error {
            russh::keys::Error::KeyIsEncrypted => {
                fail("has a passphrase: use one without, or a short-lived certificate")
            }
            _ => fail("cannot be read: it must be an ed25519 or ECDSA key in OpenSSH's format"),
        })?;
        let mut beside = path.as_os_str().to_owned();
        beside.push("-cert.pub");
        let beside = PathBuf::from(beside);
        let certificate = match read(&beside, false).await? {
            Some(text) => Some(Certificate::from_openssh(text.trim()).map_err(|_| {
                TransportError::Identity(format!("the certificate `{}` cannot be read", beside.display()))
            })?),
            None => None,
        };
        Ok(Self {
            path: path.to_owned(),
            key: Arc::new(key),
            certificate,
        })
    }
}

async fn read(path: &Path, secret: bool) -> Result<Option<String>, TransportError> {
    let shown = path.display();
    let fail = |what: String| TransportError::Identity(format!("the key `{shown}` {what}"));
    let about = match tokio::fs::metadata(path).await {
        Ok(about) => about,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(format!("cannot be read: {error}"))),
    };
    if about.len() > KEY_BYTES_MAX {
        return Err(fail("is too long to be a key".to_owned()));
    }
    if secret && about.permissions().mode() & 0o077 != 0 {
        return Err(fail(format!("can be read by other users: `chmod 600 {shown}`")));
    }
    match tokio::fs::read_to_string(path).await {
        Ok(text) => Ok(Some(text)),
        Err(error) => Err(fail(format!("cannot be read: {error}"))),
    }
}
