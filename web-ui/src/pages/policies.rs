//! The policies in force.

use axum::extract::State;
use clawd_control::{PolicyRead, show_policy};

use crate::door::{Allowed, Answer, Web, render};
use crate::view::policies::{PoliciesPage, PolicyFile, PolicyRow};
use crate::view::shell::Section;

/// Shows them.
pub(crate) async fn show(State(web): State<Web>, Allowed { visitor, permit }: Allowed<PolicyRead>) -> Answer {
    let bundle = show_policy(&permit).await?;
    render(&PoliciesPage {
        shell: web.shell(&visitor, Section::Policies).await,
        digest: bundle.digest,
        published_by: bundle.published_by.to_string(),
        published_at: bundle.published_at,
        policies: bundle
            .policies
            .into_iter()
            .map(|policy| PolicyRow {
                place: policy
                    .file
                    .map(|file| format!("{file}:{}", policy.line))
                    .unwrap_or_default(),
                id: policy.id,
                kind: policy.kind,
                reason: policy.reason.unwrap_or_default(),
            })
            .collect(),
        files: bundle
            .files
            .into_iter()
            .map(|(name, text)| PolicyFile { name, text })
            .collect(),
    })
}
