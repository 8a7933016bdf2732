//! The first look at a server that is being added: what it is, and whether we may change it.

use std::sync::Arc;

use clawd_model::{DurationMs, ErrorKind, Server, StepError};
use clawd_provider::contract::host_facts;

use crate::host::script;
use crate::hosts::Hosts;
use crate::ops::facts;

/// What was learnt of a new server.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrolled {
    /// What it is.
    pub facts: host_facts::Output,
    /// Why nothing can be changed on it, if so: we may not become root. Looking works all the same.
    pub not_root: Option<StepError>,
}

/// Signs in under the pinned key, reads facts, and tries to become root. Changes nothing.
///
/// # Errors
/// `host-key`, `permission`, `connection` and so on, each with a hint.
pub async fn enroll(hosts: &Arc<Hosts>, server: &Server, limit: DurationMs) -> Result<Enrolled, StepError> {
    let host = hosts.of(server)?;
    let work = async {
        let facts = facts(&host).await?;
        let not_root = match host.ask_ok(&script(r#"[ "$(id -u)" = 0 ]"#, &[]), 1024).await {
            Ok(_) => None,
            Err(error) if matches!(error.kind, ErrorKind::Permission | ErrorKind::Failed) => Some(error),
            Err(error) => return Err(error),
        };
        Ok(Enrolled { facts, not_root })
    };
    tokio::time::timeout(limit.to_std(), work)
        .await
        .unwrap_or_else(|_| {
            let message = format!("{}: no answer within {limit}", host.place);
            Err(StepError::new(ErrorKind::Timeout, message))
        })
}
