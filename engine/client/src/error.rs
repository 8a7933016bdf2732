//! What can go wrong with a request.

use clawd_model::api::ProblemDetails;

/// What can go wrong with a request.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address is not an HTTP address.
    #[error("`{0}` is not an address such as `http://127.0.0.1:7650`")]
    Address(String),
    /// The client cannot be made: TLS has no trust anchors, for example.
    #[error("cannot make an HTTP client")]
    Build(#[source] reqwest::Error),
    /// No answer came, or it broke off.
    #[error("no answer from `{url}`")]
    Unreachable {
        /// Whom we asked.
        url: String,
        /// Why.
        source: reqwest::Error,
    },
    /// The server said what is wrong.
    #[error("{}", if .0.detail.is_empty() { &.0.title } else { &.0.detail })]
    Problem(Box<ProblemDetails>),
    /// Something that is not our server answered, or one of another version.
    #[error("`{url}` gave an answer that makes no sense here (status {status})")]
    Unexpected {
        /// Whom we asked.
        url: String,
        /// The HTTP status.
        status: u16,
        /// What is wrong with the body, when that is it.
        source: Option<serde_json::Error>,
    },
}

impl Error {
    /// The stable code of the server's problem.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.problem().map(|problem| problem.code.as_str())
    }

    /// The server's problem.
    #[must_use]
    pub fn problem(&self) -> Option<&ProblemDetails> {
        match self {
            Self::Problem(problem) => Some(problem),
            _ => None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Problem(problem) => problem.hint.clone(),
            Self::Unreachable { url, .. } => Some(format!(
                "is a server running at `{url}`, and is the address right?"
            )),
            Self::Unexpected { .. } => {
                Some("is the address that of a server of the same version?".to_owned())
            }
            Self::Address(_) | Self::Build(_) => None,
        }
    }
}
