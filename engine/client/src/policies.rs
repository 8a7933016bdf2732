//! Policies.

use clawd_model::api::{BundleView, Explain, ExplanationView, PublishPolicy, PublishedPolicy};

use crate::{Client, Error};

impl Client {
    /// The bundle in force.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn policies(&self) -> Result<BundleView, Error> {
        self.get(&["policies"], &[]).await
    }

    /// Publishes a bundle, or only checks and tests it.
    ///
    /// # Errors
    /// `invalid-policies` with all problems, `policy-tests-failed` with the tests that failed.
    pub async fn publish_policies(&self, bundle: &PublishPolicy) -> Result<PublishedPolicy, Error> {
        self.put(&["policies"], bundle).await
    }

    /// What the gate would say, and why.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn explain(&self, question: &Explain) -> Result<ExplanationView, Error> {
        self.post(&["policies", "explain"], question, None).await
    }
}
