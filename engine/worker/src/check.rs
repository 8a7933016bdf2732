//! Repeats a step's `check` before its first attempt, so that what is applied is what was planned.

use std::sync::Arc;

use clawd_model::{Change, Digest, DurationMs, ErrorKind, OperationName, Server, StepError, TenantName};
use clawd_provider::{Checked, Context, DiscardOutput, ProviderError};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::attempt::strike;
use crate::env::Env;
use crate::limits;
use crate::secrets::{Redactor, resolve};

/// A check takes no longer than this.
const LIMIT: DurationMs = DurationMs::from_secs(120);

/// What is to be checked.
pub(crate) struct Question {
    pub(crate) tenant: TenantName,
    pub(crate) uses: OperationName,
    pub(crate) input: Arc<Value>,
    pub(crate) server: Result<Option<Arc<Server>>, StepError>,
    pub(crate) epoch: u64,
    pub(crate) cancel: CancellationToken,
}

/// The fingerprint of the change that the step would make now, and its summary.
pub(crate) async fn run(env: &Env, question: Question) -> Result<(Digest, String), StepError> {
    let server = question.server?;
    let operation = env
        .deps
        .registry
        .resolve(&question.uses, server.as_deref())
        .ok_or_else(|| {
            StepError::new(
                ErrorKind::InvalidInput,
                format!("`{}` cannot be carried out on this server", question.uses),
            )
        })?;
    let mut used = Vec::new();
    let input = resolve(
        operation.spec(),
        &question.input,
        &question.tenant,
        &*env.deps.secrets,
        &mut used,
    )?;
    let redactor = Redactor::new(used);
    let context = Context {
        tenant: question.tenant,
        server,
        attempt: None,
        epoch: question.epoch,
        timeout: LIMIT,
        clock: Arc::clone(&env.deps.clock),
        redactor: redactor.clone(),
        output: Arc::new(DiscardOutput),
        cancel: question.cancel,
    };
    let checked = tokio::time::timeout(LIMIT.to_std(), operation.check(&context, &input)).await;
    match checked {
        // Struck out as in the plan: the fingerprint is compared with the plan's.
        Ok(Ok(Checked::Would(change))) => {
            let basis = redactor.value(change.basis);
            let summary = limits::text(redactor.text(&change.summary));
            Ok((Change { basis, ..change }.fingerprint(), summary))
        }
        Ok(Ok(Checked::Read(value))) => Ok((Digest::of_value(&value), "read".to_owned())),
        Ok(Ok(Checked::Unpredictable)) => Ok((Digest::of(b""), "cannot be predicted".to_owned())),
        Ok(Err(ProviderError::Failed(error) | ProviderError::OutcomeUnknown(error))) => {
            Err(limits::cut(strike(error, &redactor)))
        }
        Err(_) => Err(StepError::new(
            ErrorKind::Timeout,
            format!("the check gave no answer within {LIMIT}"),
        )),
    }
}
