//! Identifiers: each kind its own type, printed with its own constant prefix (`run_01J…`).
//!
//! An id is a ULID: 48 bits of time, 80 bits of chance, so that ids sort by when they were made. Attempt ids
//! are different: they are derived, so that a restarted engine names the same attempt the same way.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{Digest, Entropy, StepRef, TenantName, Timestamp};

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an id: expected `{prefix}_` and 26 letters or digits")]
pub struct InvalidId {
    text: String,
    prefix: &'static str,
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(u128);

        impl $name {
            /// What the id's text begins with, before the underscore.
            pub const PREFIX: &'static str = $prefix;

            /// A fresh id for this moment.
            #[must_use]
            pub fn new(now: Timestamp, entropy: &dyn Entropy) -> Self {
                let mut chance = [0_u8; 16];
                chance.copy_from_slice(entropy.bytes().split_at(16).0);
                let ms = u64::try_from(now.0).unwrap_or(0);
                Self(ulid::Ulid::from_parts(ms, u128::from_be_bytes(chance)).0)
            }

            /// An id for this moment that follows from a digest: the same facts give the same id.
            #[must_use]
            pub fn derive(now: Timestamp, digest: &Digest) -> Self {
                let mut half = [0_u8; 16];
                half.copy_from_slice(digest.as_bytes().split_at(16).0);
                let ms = u64::try_from(now.0).unwrap_or(0);
                Self(ulid::Ulid::from_parts(ms, u128::from_be_bytes(half)).0)
            }

            /// The id's 128 bits.
            #[must_use]
            pub const fn to_u128(self) -> u128 {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut buffer = [0; ulid::ULID_LEN];
                f.write_str(concat!($prefix, "_"))?;
                f.write_str(ulid::Ulid(self.0).array_to_str(&mut buffer))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = || InvalidId { text: text.to_owned(), prefix: $prefix };
                let rest = text.strip_prefix(concat!($prefix, "_")).ok_or_else(invalid)?;
                ulid::Ulid::from_string(rest).map(|ulid| Self(ulid.0)).map_err(|_| invalid())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <std::borrow::Cow<'de, str>>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
            }
        }

        #[cfg(feature = "openapi")]
        crate::openapi::text_schema!($name, concat!($prefix, "_ and a ULID"));
    )*};
}

ids! {
    /// A request for votes.
    ApprovalId "apr";
    /// A stored plan.
    PlanId "pln";
    /// One execution of a workflow.
    RunId "run";
    /// A managed machine.
    ServerId "srv";
    /// A session of the console, the same however often its secret changes.
    SessionId "ses";
    /// A token that a person or a program signs in with.
    TokenId "tok";
    /// One person's vote.
    VoteId "vot";
}

/// The name of one try of one step, the same however often it is computed: `att_` and 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(u128);

impl AttemptId {
    /// key = hash(tenant, run, step, attempt).
    #[must_use]
    pub fn derive(tenant: &TenantName, run: RunId, step: StepRef, attempt: u32) -> Self {
        let text = format!(
            "attempt\n{tenant}\n{run}\n{}.{}.{}\n{attempt}",
            step.job, step.lane, step.step
        );
        let mut half = [0_u8; 16];
        half.copy_from_slice(Digest::of(text.as_bytes()).as_bytes().split_at(16).0);
        Self(u128::from_be_bytes(half))
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut digits = [0; 32];
        hex::encode_to_slice(self.0.to_be_bytes(), &mut digits).expect("16 bytes are 32 digits");
        f.write_str("att_")?;
        f.write_str(std::str::from_utf8(&digits).expect("digits are text"))
    }
}

impl fmt::Debug for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for AttemptId {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = || InvalidId {
            text: text.to_owned(),
            prefix: "att",
        };
        let rest = text
            .strip_prefix("att_")
            .filter(|rest| rest.len() == 32)
            .ok_or_else(invalid)?;
        u128::from_str_radix(rest, 16).map(Self).map_err(|_| invalid())
    }
}

impl Serialize for AttemptId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for AttemptId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <std::borrow::Cow<'de, str>>::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SeededEntropy;

    #[test]
    fn an_id_survives_its_text_and_refuses_another_kind() {
        let id = RunId::new(Timestamp(1_772_357_400_250), &SeededEntropy::new(7));
        let text = id.to_string();
        assert!(text.starts_with("run_01"), "{text}");
        assert_eq!(text.parse::<RunId>(), Ok(id));
        assert!(text.parse::<ServerId>().is_err());
    }

    #[test]
    fn an_attempt_has_one_name() {
        let tenant: TenantName = "demo".parse().unwrap();
        let run = RunId::new(Timestamp(1), &SeededEntropy::new(7));
        let step = StepRef {
            job: 0,
            lane: 3,
            step: 1,
        };
        let id = AttemptId::derive(&tenant, run, step, 1);
        assert_eq!(id, AttemptId::derive(&tenant, run, step, 1));
        assert_ne!(id, AttemptId::derive(&tenant, run, step, 2));
        assert_eq!(id.to_string().parse::<AttemptId>(), Ok(id));
    }
}
