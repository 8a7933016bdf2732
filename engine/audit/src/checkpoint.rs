//! Signed checkpoints: what a log's root was at a size, in the words of C2SP `tlog-checkpoint` and `signed-note`.
//!
//! ```text
//! clawd.dev/audit/demo                              origin
//! 3                                                 size
//! 3Zd5jBKMgMoLZF6gWEqULmcPmwcM5ZEaqVl8hRYFWi4=      root
//!                                                   an empty line
//! — clawd.dev/audit/demo hVDUKTq…                   key id and Ed25519 signature of all above
//! ```
//!
//! Any tool that knows these formats can verify them. Signatures of other keys are allowed and ignored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clawd_model::{TenantName, product};

use crate::hash::Hash;
use crate::key::{SigningKey, VerifierKey, is_key_name};

/// The origin line, and the name of the key, of a tenant's log.
#[must_use]
pub fn origin(tenant: &TenantName) -> String {
    format!("{}/{tenant}", product::AUDIT_ORIGIN)
}

/// The root of a log at a size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// How many records it held.
    pub size: u64,
    /// Its root then.
    pub root: Hash,
}

/// Why a checkpoint was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The text is not a signed note.
    #[error("not a signed note: {0}")]
    Note(&'static str),
    /// The signed text is not a checkpoint.
    #[error("not a checkpoint: {0}")]
    Form(&'static str),
    /// No signature is by the expected key.
    #[error("the note is not signed by the key of `{0}`")]
    Unsigned(String),
    /// The key's signature does not fit the text.
    #[error("the signature of `{0}` does not fit: the checkpoint was altered")]
    Signature(String),
}

impl Checkpoint {
    /// The text that is signed.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, self.root)
    }

    /// Reads the text that is signed. Extension lines are allowed and ignored.
    ///
    /// # Errors
    /// When it is not a checkpoint in its one spelling.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let body = text
            .strip_suffix('\n')
            .ok_or(CheckpointError::Form("no line feed at the end"))?;
        let mut lines = body.split('\n');
        let origin = lines
            .next()
            .filter(|origin| !origin.is_empty())
            .ok_or(CheckpointError::Form("no origin"))?;
        let size = lines.next().ok_or(CheckpointError::Form("no size"))?;
        let size: u64 = size
            .parse()
            .ok()
            .filter(|number: &u64| number.to_string() == size)
            .ok_or(CheckpointError::Form("the size is not a plain decimal number"))?;
        let root = lines
            .next()
            .and_then(Hash::from_base64)
            .ok_or(CheckpointError::Form("the root is not a SHA-256 hash in base64"))?;
        if lines.any(str::is_empty) {
            return Err(CheckpointError::Form("an extension line is empty"));
        }
        Ok(Self {
            origin: origin.to_owned(),
            size,
            root,
        })
    }

    /// The signed note.
    #[must_use]
    pub fn sign(&self, key: &SigningKey, name: &str) -> String {
        let text = self.text();
        let mut signature = key.verifier(name).id().to_vec();
        signature.extend_from_slice(&key.sign(text.as_bytes()));
        format!("{text}\n\u{2014} {name} {}\n", STANDARD.encode(signature))
    }

    /// Reads what a note says without asking who signed it: for comparing one's own notes with one's own log.
    ///
    /// # Errors
    /// When it is not a note, or not a checkpoint.
    pub fn read_unverified(note: &str) -> Result<Self, CheckpointError> {
        Self::parse(split(note)?.0)
    }

    /// Reads a signed note, if it is signed by this key.
    ///
    /// # Errors
    /// When it is not a signed note, not signed by the key, or not a checkpoint.
    pub fn verify(note: &str, key: &VerifierKey) -> Result<Self, CheckpointError> {
        let (text, signatures) = split(note)?;
        let signatures = signatures
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
            .filter(|lines| !lines.is_empty())
            .ok_or(CheckpointError::Note("no signatures, or no line feed at the end"))?;
        let mut verified = false;
        for line in signatures.split('\n') {
            let (name, id, signature) =
                parse_signature(line).ok_or(CheckpointError::Note("a signature line is malformed"))?;
            if name != key.name() || id != key.id() {
                continue;
            }
            let fits = <&[u8; 64]>::try_from(signature.as_slice())
                .is_ok_and(|signature| key.verify(text.as_bytes(), signature));
            if !fits {
                return Err(CheckpointError::Signature(key.name().to_owned()));
            }
            verified = true;
        }
        if !verified {
            return Err(CheckpointError::Unsigned(key.name().to_owned()));
        }
        Self::parse(text)
    }
}

/// The signed text, and what follows it.
fn split(note: &str) -> Result<(&str, &str), CheckpointError> {
    let end = note
        .rfind("\n\n")
        .ok_or(CheckpointError::Note("no empty line before the signatures"))?;
    Ok(note.split_at(end + 1))
}

fn parse_signature(line: &str) -> Option<(&str, [u8; 4], Vec<u8>)> {
    let (name, encoded) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(encoded).ok()?;
    let (id, signature) = bytes.split_first_chunk::<4>()?;
    (is_key_name(name) && !signature.is_empty()).then(|| (name, *id, signature.to_vec()))
}
