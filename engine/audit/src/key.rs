//! Ed25519 keys of signed notes (C2SP `signed-note`): the secret key, and the line by which others know it.
//!
//! A verifier key is the text `name+hash+base64`. The hash ties the name to the key, so that a note says which
//! key signed it. One secret key signs for all logs of an installation; each log has its own name for it.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer as _};
use sha2::{Digest as _, Sha256};

/// C2SP's number for Ed25519.
const ALGORITHM: u8 = 1;

/// The secret key that signs checkpoints; wiped from memory when dropped, and never shown.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key of these 32 secret bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(bytes))
    }

    /// What others verify with, under this name.
    #[must_use]
    pub fn verifier(&self, name: &str) -> VerifierKey {
        VerifierKey::new(name, self.0.verifying_key())
    }

    pub(crate) fn sign(&self, text: &[u8]) -> [u8; 64] {
        self.0.sign(text).to_bytes()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(secret)")
    }
}

/// The text is not a verifier key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKey {
    /// Not `name+hash+base64`.
    #[error("`{0}` is not a verifier key: expected `name+hash+base64`")]
    Form(String),
    /// Another algorithm than Ed25519, or not a point of the curve.
    #[error("the verifier key of `{0}` is not an Ed25519 key")]
    Algorithm(String),
    /// The hash does not fit the name and the key.
    #[error(
        "the hash in the verifier key of `{0}` does not fit its name and key: it was mistyped or altered"
    )]
    Hash(String),
}

/// The public key that verifies checkpoints, with its name. Displays as `name+hash+base64`.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    id: [u8; 4],
    key: ed25519_dalek::VerifyingKey,
}

impl VerifierKey {
    fn new(name: &str, key: ed25519_dalek::VerifyingKey) -> Self {
        let digest = Sha256::new()
            .chain_update(name)
            .chain_update([b'\n', ALGORITHM])
            .chain_update(key.as_bytes())
            .finalize();
        let mut id = [0; 4];
        for (to, from) in id.iter_mut().zip(digest) {
            *to = from;
        }
        Self {
            name: name.to_owned(),
            id,
            key,
        }
    }

    /// The name that the key goes by.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first bytes of the hash of name and key: how a note names its key.
    #[must_use]
    pub const fn id(&self) -> [u8; 4] {
        self.id
    }

    pub(crate) fn verify(&self, text: &[u8], signature: &[u8; 64]) -> bool {
        self.key
            .verify_strict(text, &Signature::from_bytes(signature))
            .is_ok()
    }
}

/// Whether a text can be a key's name: not empty, no white space, no `+`.
#[must_use]
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c == '+')
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ALGORITHM];
        bytes.extend_from_slice(self.key.as_bytes());
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex::encode(self.id),
            STANDARD.encode(bytes)
        )
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for VerifierKey {
    type Err = InvalidKey;

    fn from_str(text: &str) -> Result<Self, InvalidKey> {
        let text = text.trim();
        let form = || InvalidKey::Form(text.to_owned());
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(form());
        };
        let bytes = STANDARD.decode(key).map_err(|_| form())?;
        let id: [u8; 4] = hex::decode(id)
            .ok()
            .and_then(|id| id.try_into().ok())
            .ok_or_else(form)?;
        if !is_key_name(name) {
            return Err(form());
        }
        let algorithm = || InvalidKey::Algorithm(name.to_owned());
        let (kind, key) = bytes.split_first().ok_or_else(form)?;
        let key: [u8; 32] = key.try_into().map_err(|_| algorithm())?;
        if *kind != ALGORITHM {
            return Err(algorithm());
        }
        let key = ed25519_dalek::VerifyingKey::from_bytes(&key).map_err(|_| algorithm())?;
        let read = Self::new(name, key);
        if read.id == id {
            Ok(read)
        } else {
            Err(InvalidKey::Hash(name.to_owned()))
        }
    }
}
