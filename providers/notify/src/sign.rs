//! Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use sha2::Sha256;

/// What a signing secret begins with.
const PREFIX: &str = "whsec_";
/// How many bytes a signing key may have.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// The text is not a signing secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `whsec_` and 24 to 64 random bytes in base64")]
pub struct InvalidSecret;

/// A key to sign messages with.
#[derive(Debug)]
pub(crate) struct SigningKey(SecretSlice<u8>);

impl SigningKey {
    pub(crate) fn read(secret: &SecretString) -> Result<Self, InvalidSecret> {
        let encoded = secret
            .expose_secret()
            .trim()
            .strip_prefix(PREFIX)
            .ok_or(InvalidSecret)?;
        let key = STANDARD.decode(encoded).map_err(|_| InvalidSecret)?;
        if KEY_BYTES.contains(&key.len()) {
            Ok(Self(key.into()))
        } else {
            Err(InvalidSecret)
        }
    }

    /// The value of `webhook-signature`.
    pub(crate) fn sign(&self, id: &str, unix_seconds: i64, body: &str) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.0.expose_secret()).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{unix_seconds}.{body}").as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Examples that the libraries of Standard Webhooks test with.
    #[test]
    fn signatures_are_those_of_the_standard() {
        for (secret, id, at, body, signature) in [
            (
                "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                r#"{"email":"test@example.com","username":"test_user"}"#,
                "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            ),
            (
                "whsec_plJ3nmyCDGBKInavdOK15jsl",
                "msg_loFOjxBNrRLzqYUf",
                1_731_705_121,
                r#"{"event_type":"ping","data":{"success":true}}"#,
                "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=",
            ),
        ] {
            // One of the examples has a shorter key than we ask for.
            let key = STANDARD.decode(secret.strip_prefix(PREFIX).unwrap()).unwrap();
            assert_eq!(SigningKey(key.into()).sign(id, at, body), signature);
        }
    }

    #[test]
    fn other_secrets_are_refused() {
        for text in [
            "",
            "whsec_",
            "whsec_!!!",
            "whsec_YWJj",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
        ] {
            assert!(SigningKey::read(&text.into()).is_err(), "{text}");
        }
        assert!(SigningKey::read(&"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".into()).is_ok());
    }
}
