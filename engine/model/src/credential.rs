//! Where tokens, sign-in links and sessions come from.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{InvalidId, PrincipalName, SessionId, TokenId};

/// What somebody signs in with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CredentialId {
    /// A token.
    Token(TokenId),
    /// A session of the console.
    Session(SessionId),
}

impl fmt::Display for CredentialId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Token(id) => fmt::Display::fmt(id, f),
            Self::Session(id) => fmt::Display::fmt(id, f),
        }
    }
}

impl FromStr for CredentialId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        match text.parse() {
            Ok(id) => Ok(Self::Session(id)),
            Err(_) => text.parse().map(Self::Token),
        }
    }
}

impl Serialize for CredentialId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for CredentialId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

/// Where a token, a sign-in link or a session comes from. What is made with it inherits it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Who made it, or something that it was made with, for somebody else than themselves, and so may know its secret.
    /// Nobody: the operator of the machine made it.
    pub issued_by: BTreeSet<PrincipalName>,
    /// The tokens and sessions that it was made with, the first one first. It ends with each of them.
    pub made_with: Vec<CredentialId>,
}

impl Origin {
    /// The origin of what is made for `whom` with a credential of `who` that has this origin.
    #[must_use]
    pub fn child(&self, credential: CredentialId, who: &PrincipalName, whom: &PrincipalName) -> Self {
        let mut child = self.clone();
        child.made_with.push(credential);
        if who != whom {
            child.issued_by.insert(who.clone());
        }
        child
    }

    /// What it was made with directly; nothing when the operator of the machine made it.
    #[must_use]
    pub fn parent(&self) -> Option<CredentialId> {
        self.made_with.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SeededEntropy, Timestamp};

    #[test]
    fn what_is_made_inherits_everybody_who_had_a_hand_in_it() {
        let entropy = SeededEntropy::new(7);
        let name = |text: &str| text.parse::<PrincipalName>().unwrap();
        let token = CredentialId::Token(TokenId::new(Timestamp(1), &entropy));
        let session = CredentialId::Session(SessionId::new(Timestamp(2), &entropy));
        let own = Origin::default().child(token, &name("mia"), &name("mia"));
        assert_eq!((own.issued_by.len(), own.parent()), (0, Some(token)));
        let of_eve = own.child(session, &name("mia"), &name("eve"));
        let of_ben = of_eve.child(token, &name("eve"), &name("ben"));
        assert_eq!(of_ben.issued_by, BTreeSet::from([name("eve"), name("mia")]));
        assert_eq!(of_ben.made_with, [token, session, token]);
        let text = serde_json::to_string(&of_ben).unwrap();
        assert_eq!(serde_json::from_str::<Origin>(&text).unwrap(), of_ben);
    }
}
