//! A way in for the operator of this machine: the first sign-in, and the one after everybody was locked out.

use clawd_model::api::{NewToken, SignInLink};
use clawd_model::{DurationMs, Principal, PrincipalName, TenantName};
use clawd_store::{ReadError, WriteError};

use super::LocalOperator;
use crate::gate::issue::{Issuer, NewSecret, issue_link, issue_token};

/// No way in was made.
#[derive(Debug, thiserror::Error)]
pub enum LocalAccessError {
    /// Nobody of that name is there.
    #[error("tenant `{tenant}` has no principal `{principal}`")]
    Nobody {
        /// The tenant.
        tenant: TenantName,
        /// The name.
        principal: PrincipalName,
    },
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl LocalOperator {
    /// A one-time sign-in link to the console.
    ///
    /// # Errors
    /// When there is no such principal, or the store fails.
    pub async fn sign_in_link(
        &self,
        tenant: &TenantName,
        principal: &PrincipalName,
    ) -> Result<SignInLink, LocalAccessError> {
        let principal = self.member(tenant, principal).await?;
        Ok(issue_link(
            &self.0,
            &self.0.parts.store.tenant(tenant.clone()),
            &principal.name,
            Issuer::Local,
        )
        .await?)
    }

    /// A token without limits but those of the policies.
    ///
    /// # Errors
    /// When there is no such principal, or the store fails.
    pub async fn token(
        &self,
        tenant: &TenantName,
        principal: &PrincipalName,
        label: &str,
        lifetime: DurationMs,
    ) -> Result<NewToken, LocalAccessError> {
        let principal = self.member(tenant, principal).await?;
        let wanted = NewSecret {
            principal: principal.name,
            label: label.to_owned(),
            scopes: Vec::new(),
            lifetime,
        };
        Ok(issue_token(
            &self.0,
            &self.0.parts.store.tenant(tenant.clone()),
            wanted,
            Issuer::Local,
        )
        .await?)
    }

    async fn member(&self, tenant: &TenantName, name: &PrincipalName) -> Result<Principal, LocalAccessError> {
        let found = self.0.parts.store.tenant(tenant.clone()).principal(name).await?;
        found
            .filter(|principal| !principal.disabled)
            .ok_or_else(|| LocalAccessError::Nobody {
                tenant: tenant.clone(),
                principal: name.clone(),
            })
    }
}
