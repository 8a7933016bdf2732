//! Signing in: the only way to a [`Caller`].
//!
//! With a token (programs, the CLI), with a one-time link (which begins a session), or with a session (the console).
//! Who calls is not known before, so these use cases have no permit; they give one answer to every wrong secret, so
//! that nobody learns which part of it was wrong.

mod link;
mod session;
mod token;

pub use link::{SESSION_LIFETIME, Session};
pub use session::Resumed;

use clawd_model::Principal;
use clawd_store::{ReadError, WriteError};

use super::app::App;
use crate::error::{Class, Explained};

/// Why somebody is not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// There was no secret at all.
    #[error("sign in first")]
    Missing,
    /// The secret is not one of ours: a part of it is missing, or it was mistyped.
    #[error("this is not a whole token: its checksum does not fit")]
    Malformed,
    /// Unknown, expired, revoked or used up; or its principal has left.
    #[error("this token or link is not valid, or is no longer")]
    Unknown,
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl Explained for SignInError {
    fn class(&self) -> Class {
        match self {
            Self::Missing | Self::Malformed | Self::Unknown => Class::Unauthenticated,
            Self::Read(_) | Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Missing => "sign-in-required",
            Self::Malformed => "token-malformed",
            Self::Unknown => "token-unknown",
            Self::Read(_) | Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Missing => Some("send `Authorization: Bearer` with a token".to_owned()),
            Self::Malformed => Some("copy the token again, from its first letter to its last".to_owned()),
            Self::Unknown => {
                Some("make a new one with `token create`, or ask an admin for a sign-in link".to_owned())
            }
            Self::Read(_) | Self::Write(_) => None,
        }
    }
}

impl App {
    /// The principal that a secret of the store names, if it is still here.
    async fn member(
        &self,
        tenant: clawd_model::TenantName,
        name: &clawd_model::PrincipalName,
    ) -> Result<Principal, SignInError> {
        let principal = self.parts.store.tenant(tenant).principal(name).await?;
        principal
            .filter(|principal| !principal.disabled)
            .ok_or(SignInError::Unknown)
    }
}

#[cfg(test)]
mod tests;
