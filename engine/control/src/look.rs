//! Looks, through an operation's `check`: the one place where control calls a provider. Nothing is changed.

use std::sync::Arc;

use clawd_model::{Change, DurationMs, ErrorKind, OperationSpec, Server, StepError, TenantName};
use clawd_provider::secrets::resolve;
use clawd_provider::{Checked, Context, DiscardOutput, ProviderError, Redactor};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::bounds::{bounded, bounded_error};
use crate::gate::App;

/// A look takes no longer than this.
const LIMIT: DurationMs = DurationMs::from_secs(120);

/// What is to be looked at.
pub(crate) struct Look<'a> {
    pub(crate) app: &'a App,
    pub(crate) tenant: &'a TenantName,
    pub(crate) server: Option<Arc<Server>>,
    pub(crate) spec: &'a OperationSpec,
    /// Secrets as references.
    pub(crate) input: &'a Value,
}

impl Look<'_> {
    /// What is seen, secrets struck out.
    pub(crate) async fn run(self) -> Result<Checked, StepError> {
        let mut used = Vec::new();
        let input = resolve(self.spec, self.input, self.tenant, self.app.secrets(), &mut used)?;
        let redactor = Redactor::new(used);
        let operation = self
            .app
            .registry()
            .resolve(&self.spec.name, self.server.as_deref())
            .ok_or_else(|| {
                let message = format!("`{}` cannot be carried out on this server", self.spec.name);
                StepError::new(ErrorKind::InvalidInput, message)
            })?;
        let limit = self.spec.timeout_ms.min(LIMIT);
        let cancel = CancellationToken::new();
        let context = Context {
            tenant: self.tenant.clone(),
            server: self.server.clone(),
            attempt: None,
            epoch: 0,
            timeout: limit,
            clock: Arc::clone(self.app.clock()),
            redactor: redactor.clone(),
            output: Arc::new(DiscardOutput),
            cancel: cancel.clone(),
        };
        // Ends what the operation began when the time is up, or the caller goes away.
        let _guard = cancel.drop_guard();
        match tokio::time::timeout(limit.to_std(), operation.check(&context, &input)).await {
            Ok(Ok(checked)) => bounded(redact(checked, &redactor)),
            Ok(Err(ProviderError::Failed(error) | ProviderError::OutcomeUnknown(error))) => {
                Err(bounded_error(StepError {
                    message: redactor.text(&error.message),
                    hint: error.hint.map(|hint| redactor.text(&hint)),
                    ..error
                }))
            }
            Err(_) => Err(StepError::new(
                ErrorKind::Timeout,
                format!("there was no answer within {limit}"),
            )),
        }
    }
}

fn redact(checked: Checked, redactor: &Redactor) -> Checked {
    match checked {
        Checked::Read(value) => Checked::Read(redactor.value(value)),
        Checked::Would(change) => Checked::Would(Change {
            needed: change.needed,
            summary: redactor.text(&change.summary),
            diff: redactor.text(&change.diff),
            basis: redactor.value(change.basis),
        }),
        Checked::Unpredictable => Checked::Unpredictable,
    }
}
