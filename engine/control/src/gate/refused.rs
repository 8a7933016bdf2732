//! Why there is no permit.

use clawd_model::Digest;
use clawd_policy::ControlAction;
use clawd_store::{ReadError, WriteError};

use crate::error::{Class, Explained};

/// Why there is no permit.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// There is no such thing in the caller's tenant. What another tenant has is no different from nothing.
    #[error("there is no {kind} `{key}`")]
    NotFound {
        /// What kind of thing.
        kind: &'static str,
        /// What was asked for.
        key: String,
    },
    /// The policies say no.
    #[error("you may not do `{}` here", action.as_str())]
    Denied {
        /// What was asked for.
        action: ControlAction,
        /// Why, in the policies' words.
        reasons: Vec<String>,
        /// The policies that stand in the way.
        policies: Vec<String>,
        /// The bundle that answered.
        bundle: Option<Digest>,
    },
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The refusal could not be recorded.
    #[error("the refusal could not be recorded")]
    Write(#[from] WriteError),
}

impl Explained for Refused {
    fn class(&self) -> Class {
        match self {
            Self::NotFound { .. } => Class::NotFound,
            Self::Denied { .. } => Class::Denied,
            Self::Read(_) | Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound { .. } => "not-found",
            Self::Denied { .. } => "denied",
            Self::Read(_) | Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Denied { action, .. } => Some(format!(
                "ask somebody who may publish policies, or see why with `clawd policy explain {}`",
                action.as_str()
            )),
            Self::NotFound { .. } => Some("check the spelling; the lists show what there is".to_owned()),
            Self::Read(_) | Self::Write(_) => None,
        }
    }

    fn reasons(&self) -> &[String] {
        match self {
            Self::Denied { reasons, .. } => reasons,
            _ => &[],
        }
    }
}
