//! Who calls: a principal that has proven who it is. Only the functions of `sign_in` make one.

use std::collections::BTreeSet;

use clawd_model::{CredentialId, Digest, Origin, Principal, SessionId, TenantName, Timestamp, TokenId};
use clawd_policy::ControlAction;
use serde_json::{Value, json};

/// How a caller has proven who it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Via {
    /// With a personal access token.
    Token(TokenId),
    /// With a session of the console.
    Session {
        /// Which session.
        id: SessionId,
        /// What its present secret is known by.
        hash: Digest,
    },
}

/// An authenticated principal.
#[derive(Clone, Debug)]
pub struct Caller {
    pub(super) principal: Principal,
    pub(super) via: Via,
    /// What the token is limited to; empty means no limit.
    pub(super) scopes: BTreeSet<String>,
    pub(super) expires_at: Timestamp,
    /// Where the token or session comes from.
    pub(super) origin: Origin,
}

impl Caller {
    /// Who it is.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// Which tenant it belongs to. Nothing of another tenant can be reached with it.
    #[must_use]
    pub fn tenant(&self) -> &TenantName {
        &self.principal.tenant
    }

    /// How it has proven who it is.
    #[must_use]
    pub fn via(&self) -> &Via {
        &self.via
    }

    /// The actions that its token is limited to; empty means no limit.
    #[must_use]
    pub fn scopes(&self) -> &BTreeSet<String> {
        &self.scopes
    }

    /// When its token or session ends.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// What it has proven who it is with.
    #[must_use]
    pub fn credential(&self) -> CredentialId {
        match self.via {
            Via::Token(id) => CredentialId::Token(id),
            Via::Session { id, .. } => CredentialId::Session(id),
        }
    }

    /// Where that comes from.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// What it has proven who it is with, and where that comes from, as audit records say it. Issued by nobody means:
    /// by the operator of the machine.
    pub(crate) fn provenance(&self) -> Value {
        json!({"id": self.credential(), "issued_by": self.origin.issued_by, "made_with": self.origin.made_with})
    }

    /// Whether its token is not limited to other actions. What the policies say is another question.
    pub(crate) fn in_scope(&self, action: ControlAction) -> bool {
        self.scopes.is_empty() || self.scopes.contains(action.as_str())
    }

    /// How it has proven who it is, in a word.
    #[must_use]
    pub fn via_word(&self) -> &'static str {
        match self.via {
            Via::Token(_) => "token",
            Via::Session { .. } => "session",
        }
    }

    /// As audit records name it: `user:ana`.
    #[must_use]
    pub fn actor(&self) -> String {
        actor(&self.principal)
    }
}

/// As audit records name a principal: `user:ana`.
pub(crate) fn actor(principal: &Principal) -> String {
    format!(
        "{}:{}",
        principal.kind.as_str().to_ascii_lowercase(),
        principal.name
    )
}
