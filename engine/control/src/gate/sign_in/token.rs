//! With a personal access token.

use super::SignInError;
use crate::gate::app::App;
use crate::gate::caller::{Caller, Via};
use crate::gate::secret::{Purpose, read};

impl App {
    /// Signs in with a personal access token. The checksum is verified before the store is asked.
    ///
    /// # Errors
    /// When the token is not valid now.
    pub async fn sign_in_with_token(&self, token: &str) -> Result<Caller, SignInError> {
        let hash = read(Purpose::Token, token).ok_or(SignInError::Malformed)?;
        let known = self
            .parts
            .store
            .token_by_hash(hash)
            .await?
            .ok_or(SignInError::Unknown)?;
        let principal = self.member(known.tenant, &known.principal).await?;
        Ok(Caller {
            principal,
            via: Via::Token(known.id),
            scopes: known.scopes.into_iter().collect(),
            expires_at: known.expires_at,
            origin: known.origin,
        })
    }
}
