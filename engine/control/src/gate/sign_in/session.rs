//! With a session of the console.

use std::collections::BTreeSet;

use clawd_model::DurationMs;
use clawd_store::WriteError;

use super::SignInError;
use crate::gate::app::App;
use crate::gate::caller::{Caller, Via};
use crate::gate::secret::{Purpose, Secret, mint, read};

/// A session's secret is replaced after so long.
const ROTATE_AFTER: DurationMs = DurationMs::from_secs(3600);
/// The old one goes on working for so long, for requests that are under way.
const GRACE: DurationMs = DurationMs::from_secs(60);

/// Who is signed in, and sometimes another secret.
#[derive(Debug)]
pub struct Resumed {
    /// Who is signed in.
    pub caller: Caller,
    /// The session's new secret, to be kept in place of the one that was sent.
    pub replacement: Option<Secret>,
}

impl App {
    /// Signs in with a session's secret. Once an hour the session gets another secret.
    ///
    /// # Errors
    /// When the session has ended.
    pub async fn resume_session(&self, secret: &str) -> Result<Resumed, SignInError> {
        let hash = read(Purpose::Session, secret).ok_or(SignInError::Malformed)?;
        let known = self
            .parts
            .store
            .session_by_hash(hash)
            .await?
            .ok_or(SignInError::Unknown)?;
        let principal = self.member(known.tenant.clone(), &known.principal).await?;
        let expires_at = known.expires_at;
        let now = self.now();
        let mut caller = Caller {
            principal,
            via: Via::Session { id: known.id, hash },
            scopes: BTreeSet::new(),
            expires_at,
            origin: known.origin,
        };
        let young = now.since(known.created_at) < ROTATE_AFTER || expires_at.since(now) <= GRACE;
        if young {
            return Ok(Resumed {
                caller,
                replacement: None,
            });
        }
        let new = mint(Purpose::Session, self.entropy());
        let tenant = self.parts.store.tenant(known.tenant);
        match tenant
            .rotate_session(hash, new.hash(), now.plus(GRACE), &[])
            .await
        {
            Ok(()) => {
                caller.via = Via::Session {
                    id: known.id,
                    hash: new.hash(),
                };
                Ok(Resumed {
                    caller,
                    replacement: Some(new),
                })
            }
            // Another request was faster: this one goes on with the old secret.
            Err(WriteError::Missing(_)) => Ok(Resumed {
                caller,
                replacement: None,
            }),
            Err(error) => Err(error.into()),
        }
    }
}
