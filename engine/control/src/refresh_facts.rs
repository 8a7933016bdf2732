//! Reads a server's facts anew. That is the operation `host.facts`, so it passes the gate like any step.

use std::sync::Arc;

use clawd_model::api::ServerView;
use clawd_model::{Decision, Facts, OperationName, Server, StepError};
use clawd_policy::{Action, Approvals, Request, Resource};
use clawd_provider::Checked;
use clawd_store::WriteError;
use serde_json::json;

use crate::error::{Class, Explained};
use crate::gate::{Permit, ServerRead, Target};
use crate::look::Look;
use crate::show_server::server_view;

/// The operation that reads facts.
const OPERATION: &str = "host.facts@v1";

/// A server's facts were not read.
#[derive(Debug, thiserror::Error)]
pub enum RefreshFactsError {
    /// The policies do not let the caller read them.
    #[error("you may not do `host.facts` on server `{server}`")]
    Denied {
        /// Which server.
        server: String,
        /// Why.
        reasons: Vec<String>,
    },
    /// The server could not be asked.
    #[error("server `{server}` cannot be asked: {}", error.message)]
    Server {
        /// Which server.
        server: String,
        /// Why.
        error: StepError,
    },
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl Explained for RefreshFactsError {
    fn class(&self) -> Class {
        match self {
            Self::Denied { .. } => Class::Denied,
            Self::Server { .. } => Class::Unreachable,
            Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Denied { .. } => "denied",
            Self::Server { .. } => "unreachable",
            Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Server { error, .. } => error.hint.clone(),
            _ => None,
        }
    }

    fn reasons(&self) -> &[String] {
        match self {
            Self::Denied { reasons, .. } => reasons,
            _ => &[],
        }
    }
}

/// Reads the facts of the server that the permit is for.
///
/// # Errors
/// When the gate refuses, or the server does not answer.
pub async fn refresh_facts(permit: &Permit<ServerRead, Server>) -> Result<ServerView, RefreshFactsError> {
    let mut server = permit.on().clone();
    let facts = read_facts(permit, &server).await?;
    server.facts = Some(facts);
    Ok(server_view(&server))
}

/// Reads and keeps facts under any permit of a caller whom the gate allows to.
pub(crate) async fn read_facts<A: crate::gate::Act, On: Target>(
    permit: &Permit<A, On>,
    server: &Server,
) -> Result<Facts, RefreshFactsError> {
    let name = || server.name.to_string();
    let app = permit.app();
    let failed = |error| RefreshFactsError::Server {
        server: name(),
        error,
    };
    let missing = || {
        StepError::new(
            clawd_model::ErrorKind::InvalidInput,
            format!("`{OPERATION}` is not known here"),
        )
    };
    let operation: OperationName = OPERATION.parse().map_err(|_| failed(missing()))?;
    let spec = app.registry().spec(&operation).ok_or_else(|| failed(missing()))?;
    let decision = ask(permit, spec, server);
    if !decision.as_ref().is_some_and(Decision::is_allow) {
        let reasons = decision.map_or_else(Vec::new, |decision| decision.reasons);
        let data = json!({"action": "host.facts", "reasons": reasons});
        permit
            .store()
            .record(&[permit.record("access.refused", server.subject(), data)])
            .await?;
        return Err(RefreshFactsError::Denied {
            server: name(),
            reasons,
        });
    }
    let input = json!({});
    let look = Look {
        app,
        tenant: permit.tenant(),
        server: Some(Arc::new(server.clone())),
        spec,
        input: &input,
    };
    let Checked::Read(values) = look.run().await.map_err(failed)? else {
        return Err(failed(StepError::new(
            clawd_model::ErrorKind::Internal,
            "`host.facts` gave no facts",
        )));
    };
    let facts = Facts {
        values,
        at: app.now(),
    };
    let record = permit.record("facts.read", server.subject(), json!({"id": server.id}));
    permit.store().put_facts(server.id, &facts, &[record]).await?;
    Ok(facts)
}

fn ask<A: crate::gate::Act, On: Target>(
    permit: &Permit<A, On>,
    spec: &clawd_model::OperationSpec,
    server: &Server,
) -> Option<Decision> {
    let bundle = permit.app().policies().current(permit.tenant())?;
    let approvals = Approvals::none();
    let request = Request {
        principal: permit.caller().principal(),
        action: Action::Operation(spec),
        resource: Resource::Server(server),
        run: None,
        approvals: &approvals,
        now: permit.app().now(),
    };
    Some(bundle.decide(&request, &[]))
}
