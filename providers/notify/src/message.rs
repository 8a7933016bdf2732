//! What is sent.

use clawd_model::{AttemptId, Timestamp};
use clawd_provider::Context;
use serde_json::json;

/// A message under its attempt id: the same message whenever it is sent again.
pub(crate) struct Message {
    pub(crate) id: AttemptId,
    pub(crate) at: Timestamp,
    pub(crate) body: String,
}

impl Message {
    pub(crate) fn new(context: &Context, id: AttemptId, channel: &str, text: &str) -> Self {
        let at = context.clock.now();
        let server = context.server.as_ref().map(|server| server.name.as_str());
        let body = json!({
            "type": "notification",
            "timestamp": at.to_rfc3339(),
            // Where the receivers of chat systems look.
            "text": text,
            "data": {"tenant": context.tenant, "server": server, "channel": channel, "text": text},
        });
        Self {
            id,
            at,
            body: body.to_string(),
        }
    }
}

/// The words when the runbook gives none.
pub(crate) fn usual_text(context: &Context) -> String {
    match &context.server {
        Some(server) => format!(
            "a run of `{}` has come to this step on `{}`",
            context.tenant, server.name
        ),
        None => format!("a run of `{}` has come to this step", context.tenant),
    }
}
