//! What is sent.

use clawd_model::{AttemptId, Timestamp};
use clawd_provider::Context;
use serde_json::json;

use crate::news::News;

/// A message under its id: the same message whenever it is sent again.
pub(crate) struct Message {
    pub(crate) id: String,
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
            id: id.to_string(),
            at,
            body: body.to_string(),
        }
    }

    /// News of a tenant, which belong to no attempt.
    pub(crate) fn news(news: &News<'_>, at: Timestamp) -> Self {
        let body = json!({
            "type": news.kind,
            "timestamp": at.to_rfc3339(),
            "text": format!("{} ({})", news.text, news.path),
            "data": {
                "tenant": news.tenant, "channel": news.channel, "text": news.text, "id": news.id, "path": news.path,
            },
        });
        Self {
            id: news.id.to_owned(),
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
