//! Our key, and the OpenSSH certificate next to it (`KEY-cert.pub`). Read anew for every connection: short-lived
//! certificates are replaced while we run.

use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use clawd_model::KeyName;
use russh::keys::{Certificate, PrivateKey, decode_secret_key};

use crate::keys::KeyFile;
use crate::transport::TransportError;

/// No key file is longer.
const KEY_BYTES_MAX: u64 = 64 * 1024;

/// What we sign in with.
#[derive(Clone, Debug)]
pub(super) struct Identity {
    pub(super) name: KeyName,
    pub(super) key: Arc<PrivateKey>,
    pub(super) certificate: Option<Certificate>,
}

impl Identity {
    /// Reads a key, and its certificate if there is one: beside the key itself, wherever a link leads.
    ///
    /// # Errors
    /// `Identity`, naming the key and what is wrong with it. Which file it is stays between us and the operator.
    pub(super) async fn read(file: &KeyFile) -> Result<Self, TransportError> {
        let name = file.name();
        let fail = |what: &str| TransportError::Identity(format!("the key `{name}` {what}"));
        let absent = || fail("is not among those that were granted to the tenant");
        let path = match tokio::fs::canonicalize(file.path()).await {
            Ok(path) => path,
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(absent()),
            Err(error) => return Err(fail(&format!("cannot be read: {error}"))),
        };
        let text = read(&path, true, &fail).await?.ok_or_else(absent)?;
        let key = decode_secret_key(&text, None).map_err(|error| match error {
            russh::keys::Error::KeyIsEncrypted => {
                fail("has a passphrase: use one without, or a short-lived certificate")
            }
            _ => fail("cannot be read: it must be an ed25519 or ECDSA key in OpenSSH's format"),
        })?;
        let mut beside = path.into_os_string();
        beside.push("-cert.pub");
        let certificate = match read(Path::new(&beside), false, &fail).await? {
            Some(text) => Some(
                Certificate::from_openssh(text.trim())
                    .map_err(|_| fail("has a certificate that cannot be read"))?,
            ),
            None => None,
        };
        Ok(Self {
            name: name.clone(),
            key: Arc::new(key),
            certificate,
        })
    }
}

async fn read(
    path: &Path,
    secret: bool,
    fail: &(dyn Fn(&str) -> TransportError + Sync),
) -> Result<Option<String>, TransportError> {
    let about = match tokio::fs::metadata(path).await {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(&format!("cannot be read: {error}"))),
    };
    if about.len() > KEY_BYTES_MAX {
        return Err(fail("is too long to be a key"));
    }
    if secret && about.permissions().mode() & 0o077 != 0 {
        return Err(fail(
            "can be read by other users of the controller: `chmod 600` it",
        ));
    }
    match tokio::fs::read_to_string(path).await {
        Ok(text) => Ok(Some(text)),
        Err(error) => Err(fail(&format!("cannot be read: {error}"))),
    }
}
