//! Tokens and sign-in links, as people see them.

use crate::{PrincipalName, Timestamp, TokenId};

super::views! {
    /// A token, without its secret.
    pub struct TokenView {
        /// Its id.
        pub id: TokenId,
        /// Whose it is.
        pub principal: PrincipalName,
        /// What it is for, in its owner's words.
        pub label: String,
        /// The actions that it is limited to (`run.read`); empty means no limit.
        pub scopes: Vec<String>,
        /// When it was made.
        pub created_at: Timestamp,
        /// When it ends.
        pub expires_at: Timestamp,
        /// Whether somebody ended it before that.
        pub revoked: bool,
        /// Who made it, or something that it was made with, for somebody else; empty when it was the operator of the
        /// machine. Its holder does not vote on what one of them asks for.
        pub issued_by: Vec<PrincipalName>,
    }

    /// Makes a token.
    #[serde(deny_unknown_fields)]
    pub struct CreateToken {
        /// For whom; the caller when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub principal: Option<PrincipalName>,
        /// What it is for.
        pub label: String,
        /// The actions that it is limited to; empty means no limit. Never more than the caller's own.
        #[serde(default)]
        pub scopes: Vec<String>,
        /// For how long, in milliseconds; 90 days when absent, at most a year, and never longer than the credential
        /// that it is made with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub lifetime_ms: Option<u64>,
    }

    /// A token that was just made. The secret is shown this once.
    pub struct NewToken {
        /// The token.
        pub token: TokenView,
        /// What to sign in with.
        pub secret: String,
    }

    /// Makes a one-time link to sign in to the console.
    #[serde(deny_unknown_fields)]
    pub struct CreateSignInLink {
        /// For whom; the caller when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pub principal: Option<PrincipalName>,
    }

    /// A one-time link to sign in to the console.
    pub struct SignInLink {
        /// For whom.
        pub principal: PrincipalName,
        /// The link's path on the console: `/sign-in/…`.
        pub path: String,
        /// When it ends.
        pub expires_at: Timestamp,
    }
}
