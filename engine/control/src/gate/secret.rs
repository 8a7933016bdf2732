//! The texts that people and programs sign in with: 256 bits of chance and a checksum, `clawd_pat_<hex>_<crc>`.
//!
//! The checksum tells a mistyped or cut-off secret from a wrong one without asking the store, and lets a scanner find
//! leaked ones. The store keeps the SHA-256 of the text only; with that much chance in it nothing slower is needed.

use std::fmt::Write as _;

use clawd_model::{Digest, Entropy, product};

/// What a secret is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A personal access token.
    Token,
    /// A one-time sign-in link.
    Link,
    /// A session of the console.
    Session,
}

impl Purpose {
    fn prefix(self) -> String {
        match self {
            Self::Token => product::TOKEN_PREFIX.to_owned(),
            Self::Link => format!("{}_lnk_", product::BINARY),
            Self::Session => format!("{}_ses_", product::BINARY),
        }
    }
}

/// A secret that was just made. Shown once; `Debug` does not show it.
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// The text.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// What the store knows it by.
    pub(super) fn hash(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }
}

/// Makes a secret.
pub(super) fn mint(purpose: Purpose, entropy: &dyn Entropy) -> Secret {
    let mut text = purpose.prefix();
    for byte in entropy.bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    let checksum = crc32(text.as_bytes());
    let _ = write!(text, "_{checksum:08x}");
    Secret(text)
}

/// The digest that the store knows a text by; `None` when it is no such secret, or was mistyped.
pub(super) fn read(purpose: Purpose, text: &str) -> Option<Digest> {
    let (body, checksum) = text.rsplit_once('_')?;
    let chance = body.strip_prefix(&purpose.prefix())?;
    let well_formed = chance.len() == 64
        && checksum.len() == 8
        && chance
            .bytes()
            .chain(checksum.bytes())
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        && u32::from_str_radix(checksum, 16).ok()? == crc32(body.as_bytes());
    well_formed.then(|| Digest::of(text.as_bytes()))
}

/// CRC-32 as in gzip (IEEE 802.3).
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use clawd_model::SeededEntropy;

    use super::*;

    #[test]
    fn the_checksum_is_crc_32() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn a_secret_is_read_back_and_nothing_else_is() {
        let secret = mint(Purpose::Token, &SeededEntropy::new(7));
        let text = secret.reveal();
        assert!(text.starts_with("clawd_pat_"), "{text}");
        assert_eq!(read(Purpose::Token, text), Some(secret.hash()));
        assert_eq!(read(Purpose::Session, text), None);
        for position in 10..text.len() {
            let mut broken = text.to_owned().into_bytes();
            broken[position] = if broken[position] == b'0' { b'1' } else { b'0' };
            assert_eq!(
                read(Purpose::Token, &String::from_utf8(broken).unwrap()),
                None,
                "at {position}"
            );
        }
        for bad in [
            "",
            "_",
            "clawd_pat_",
            "clawd_pat__00000000",
            &text.to_uppercase(),
            &text[..text.len() - 1],
        ] {
            assert_eq!(read(Purpose::Token, bad), None, "{bad}");
        }
        assert!(!format!("{secret:?}").contains(text));
    }
}
