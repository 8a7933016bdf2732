//! Idempotency keys: a request that is sent twice is carried out once, and answered twice the same.
//!
//! A key belongs to the principal who sends it, and is remembered for a day together with the digest of the request
//! and its answer. While a request is under way its key is claimed. When the process died in the meantime the claim is
//! still there without an answer; then the request is carried out again, which is safe since every use case is: it
//! changes nothing the second time, or it finds what the first time has left (a run: by the audit record that was
//! committed with it).

use std::future::Future;

use clawd_model::api::RunSummary;
use clawd_model::{Digest, DurationMs, Problem};
use clawd_store::{AuditFilter, Claim, ReadError, WriteError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::error::{Class, Explained};
use crate::gate::{Act, Permit, Target};
use crate::list_runs::run_summary;

/// How long a key is remembered.
const REMEMBERED: DurationMs = DurationMs::from_secs(24 * 3600);
/// The longest key.
const KEY_MAX: usize = 255;

/// A request as the use cases see it: whether it may have been carried out already.
#[derive(Clone, Debug, Default)]
pub struct Request {
    mark: Option<Digest>,
    repeated: bool,
}

impl Request {
    /// A request without a key.
    #[must_use]
    pub fn unkeyed() -> Self {
        Self::default()
    }

    /// The subject of the audit record that the request leaves.
    pub(crate) fn subject(&self) -> Option<String> {
        self.mark.map(|mark| format!("request/{}", mark.to_hex()))
    }

    /// The run that the same request has started before the process died, if it has.
    pub(crate) async fn started<A: Act, On: Target>(
        &self,
        permit: &Permit<A, On>,
    ) -> Result<Option<RunSummary>, ReadError> {
        let Some(subject) = self.subject().filter(|_| self.repeated) else {
            return Ok(None);
        };
        let filter = AuditFilter {
            subject: Some(subject),
            kind: Some("run.requested".to_owned()),
            actor: Some(permit.caller().actor()),
            limit: 1,
            ..AuditFilter::default()
        };
        let Some(run) = permit
            .store()
            .audit(&filter)
            .await?
            .pop()
            .and_then(|record| record.run)
        else {
            return Ok(None);
        };
        Ok(permit.store().run(run).await?.as_ref().map(run_summary))
    }
}

/// A request with a key was not carried out, or failed.
#[derive(Debug, thiserror::Error)]
pub enum OnceError<E: std::error::Error + 'static> {
    /// The key is empty, too long, or holds more than visible ASCII.
    #[error("an idempotency key has 1 to {KEY_MAX} visible ASCII characters")]
    BadKey,
    /// It was used for another request.
    #[error("this idempotency key was used for another request")]
    Different,
    /// The same request is under way.
    #[error("the same request is under way")]
    UnderWay,
    /// The request itself failed. Its key is free again.
    #[error(transparent)]
    Failed(E),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl<E: Explained + 'static> Explained for OnceError<E> {
    fn class(&self) -> Class {
        match self {
            Self::BadKey | Self::Different => Class::Invalid,
            Self::UnderWay => Class::Conflict,
            Self::Failed(error) => error.class(),
            Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::BadKey => "idempotency-key-invalid",
            Self::Different => "idempotency-key-reused",
            Self::UnderWay => "idempotency-key-in-use",
            Self::Failed(error) => error.code(),
            Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::BadKey => None,
            Self::Different => Some("make a new key for each new request".to_owned()),
            Self::UnderWay => {
                Some("wait for the answer to the first one, or ask again in a moment".to_owned())
            }
            Self::Failed(error) => error.hint(),
            Self::Write(_) => None,
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::Failed(error) => error.problems(),
            _ => &[],
        }
    }

    fn reasons(&self) -> &[String] {
        match self {
            Self::Failed(error) => error.reasons(),
            _ => &[],
        }
    }

    fn more(&self) -> Option<(&'static str, serde_json::Value)> {
        match self {
            Self::Failed(error) => error.more(),
            _ => None,
        }
    }
}

impl<A: Act, On: Target> Permit<A, On> {
    /// Carries `work` out once per key. `what` is the digest of the whole request: the same key with another one is
    /// refused. Answers are stored, so they must hold no secrets.
    ///
    /// # Errors
    /// When the key does not fit, or the work fails; then the key is free again.
    pub async fn once<T, E, F>(
        &self,
        key: Option<&str>,
        what: Digest,
        work: impl FnOnce(Request) -> F,
    ) -> Result<T, OnceError<E>>
    where
        T: Serialize + DeserializeOwned,
        E: std::error::Error + 'static,
        F: Future<Output = Result<T, E>>,
    {
        let Some(key) = key else {
            return work(Request::unkeyed()).await.map_err(OnceError::Failed);
        };
        if key.is_empty() || key.len() > KEY_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(OnceError::BadKey);
        }
        let who = self.caller().principal().name.clone();
        let mark = Digest::of_value(&json!({"tenant": self.tenant(), "principal": who, "key": key}));
        // Held by whoever carries the request out in this process.
        let Some(_busy) = self.app().busy(mark) else {
            return Err(OnceError::UnderWay);
        };
        let repeated = match self.store().claim_key(&who, key, what, REMEMBERED).await? {
            Claim::New => false,
            Claim::UnderWay => true,
            Claim::Different => return Err(OnceError::Different),
            Claim::Answered(text) => match serde_json::from_str(&text) {
                Ok(answer) => return Ok(answer),
                Err(error) => return Err(OnceError::Write(error.into())),
            },
        };
        match work(Request {
            mark: Some(mark),
            repeated,
        })
        .await
        {
            Ok(answer) => {
                let text = serde_json::to_string(&answer).map_err(WriteError::from)?;
                self.store().finish_key(&who, key, &text).await?;
                Ok(answer)
            }
            Err(error) => {
                self.store().release_key(&who, key).await?;
                Err(OnceError::Failed(error))
            }
        }
    }
}
