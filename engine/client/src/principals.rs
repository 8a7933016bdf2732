//! People, tokens, sign-in links.

use clawd_model::api::{
    CreateSignInLink, CreateToken, NewToken, Page, PutPrincipal, SignInLink, TokenView, Whoami,
};
use clawd_model::{Principal, PrincipalName, TokenId};

use crate::{Client, Error};

impl Client {
    /// Who the token belongs to, and what it may do.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn whoami(&self) -> Result<Whoami, Error> {
        self.get(&["whoami"], &[]).await
    }

    /// All principals.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn principals(&self) -> Result<Page<Principal>, Error> {
        self.get(&["principals"], &[]).await
    }

    /// Creates or changes a principal.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn put_principal(
        &self,
        name: &PrincipalName,
        principal: &PutPrincipal,
    ) -> Result<Principal, Error> {
        self.put(&["principals", name.as_str()], principal).await
    }

    /// The caller's own tokens, or all tokens for somebody who may change principals.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn tokens(&self) -> Result<Page<TokenView>, Error> {
        self.get(&["tokens"], &[]).await
    }

    /// Makes a token. Its secret is in this answer and nowhere else.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_token(&self, token: &CreateToken) -> Result<NewToken, Error> {
        self.post(&["tokens"], token, None).await
    }

    /// Ends a token.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn revoke_token(&self, id: TokenId) -> Result<(), Error> {
        self.delete(&["tokens", &id.to_string()]).await
    }

    /// Makes a one-time link to sign in to the console.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn create_sign_in_link(&self, link: &CreateSignInLink) -> Result<SignInLink, Error> {
        self.post(&["sign-in-links"], link, None).await
    }
}
