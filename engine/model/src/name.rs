//! Names that people write: parsed once, at the edge, each kind its own type.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A text that cannot be a name of that kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a {kind} name: {rule}")]
pub struct InvalidName {
    /// What was read.
    pub text: String,
    /// Which kind of name was expected.
    pub kind: &'static str,
    /// What such a name looks like.
    pub rule: &'static str,
}

fn is_slug(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes
            .first()
            .is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        && bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.'))
}

fn is_identifier(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= 63
        && bytes
            .first()
            .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_')
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

fn is_operation(text: &str) -> bool {
    let Some((name, version)) = text.split_once("@v") else {
        return false;
    };
    is_slug(name) && version.parse::<u16>().is_ok_and(|v| v > 0)
}

const SLUG: &str = "1 to 63 of a-z 0-9 - _ . beginning with a letter or a digit";
const IDENTIFIER: &str = "1 to 63 letters, digits or _ beginning with a letter";
const OPERATION: &str = "a dotted name and a version, such as `pkg.apply@v1`";

macro_rules! names {
    ($($(#[$doc:meta])* $name:ident $kind:literal $rule:ident $check:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The name's text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", &*self.0)
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;
            fn from_str(text: &str) -> Result<Self, InvalidName> {
                if $check(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(InvalidName { text: text.to_owned(), kind: $kind, rule: $rule })
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        #[cfg(feature = "openapi")]
        crate::openapi::text_schema!($name, $rule);
    )*};
}

names! {
    /// A set of people that policies count votes of: `sre`.
    GroupName "group" IDENTIFIER is_identifier;
    /// A job of a runbook; an identifier, since expressions name it (`jobs.plan`).
    JobName "job" IDENTIFIER is_identifier;
    /// An operation with its version: `pkg.apply@v1`.
    OperationName "operation" OPERATION is_operation;
    /// A private key that was granted to a tenant, by name. Which file it is only the operator of the machine decides.
    KeyName "key" SLUG is_slug;
    /// Who asks: the short name of a user, agent, trigger or service token.
    PrincipalName "principal" SLUG is_slug;
    /// A runbook: `patch-security`.
    RunbookName "runbook" SLUG is_slug;
    /// A secret, by name; its value is never part of any document.
    SecretName "secret" IDENTIFIER is_identifier;
    /// A server: `web-1`.
    ServerName "server" SLUG is_slug;
    /// A step of a job; an identifier, since expressions name it (`steps.apply`).
    StepName "step" IDENTIFIER is_identifier;
    /// A client of an agency, or a whole small team: the isolation boundary.
    TenantName "tenant" SLUG is_slug;
}

impl OperationName {
    /// The name without its version: what Cedar calls the action (`pkg.apply`).
    #[must_use]
    pub fn action(&self) -> &str {
        self.0.split_once('@').map_or(&self.0, |(name, _)| name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_at_the_edge() {
        assert!("web-1".parse::<ServerName>().is_ok());
        assert!("Web 1".parse::<ServerName>().is_err());
        assert!("".parse::<ServerName>().is_err());
        assert!("apply_set".parse::<StepName>().is_ok());
        assert!("apply-set".parse::<StepName>().is_err());
        let operation: OperationName = "pkg.apply@v1".parse().unwrap();
        assert_eq!(operation.action(), "pkg.apply");
        assert!("pkg.apply".parse::<OperationName>().is_err());
        assert!("pkg.apply@v0".parse::<OperationName>().is_err());
    }
}
