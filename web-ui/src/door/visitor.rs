//! Who looks at a page, and the frame that the page gets for them.

use std::sync::Arc;

use clawd_control::{ApprovalRead, Caller, ListApprovals, list_approvals, may_on_tenant};
use clawd_model::Digest;

use super::Web;
use crate::view::shell::{NavCount, Notice, Person, Section, Shell, Theme};

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub(crate) struct Visitor {
    pub(crate) caller: Caller,
    pub(crate) theme: Theme,
    /// The token that this person's forms carry.
    pub(crate) csrf: String,
    /// The path and query that was asked for.
    pub(crate) here: String,
    /// Control actions that the policies allow on the tenant as a whole.
    may: Arc<Vec<String>>,
}

impl Visitor {
    pub(crate) fn new(web: &Web, caller: Caller, theme: Theme, root: &str, here: String) -> Self {
        let may = Arc::new(may_on_tenant(&web.app, &caller));
        Self {
            caller,
            theme,
            csrf: form_token(root),
            here,
            may,
        }
    }

    /// Whether an action is allowed on the tenant as a whole. Asked quietly: for what to show, never for what to do.
    pub(crate) fn may(&self, action: &str) -> bool {
        self.may.iter().any(|allowed| allowed == action)
    }

    /// The short name.
    pub(crate) fn name(&self) -> &str {
        self.caller.principal().name.as_str()
    }

    /// A value of the address's query. For plain words only: nothing is decoded.
    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        let (_, query) = self.here.split_once('?')?;
        query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    }
}

/// The root cannot be had from the token.
fn form_token(root: &str) -> String {
    Digest::of(format!("form\n{root}").as_bytes()).to_hex()
}

impl Web {
    /// The frame of a page.
    pub(crate) async fn shell(&self, visitor: &Visitor, section: Section) -> Shell {
        let principal = visitor.caller.principal();
        Shell {
            section,
            tenant: principal.tenant.to_string(),
            person: Person {
                name: principal.name.to_string(),
                display_name: principal.display_name.clone(),
                groups: principal.groups.iter().map(ToString::to_string).collect(),
            },
            theme: visitor.theme,
            csrf: visitor.csrf.clone(),
            here: visitor.here.clone(),
            sections: Section::NAVIGATION
                .into_iter()
                .filter(|section| visitor.may(section.action()))
                .collect(),
            approvals: self.waiting_for(visitor).await,
            notice: visitor.query("done").and_then(Notice::of),
            now: self.now(),
        }
    }

    /// The number beside the navigation's word.
    pub(crate) async fn shell_count(&self, visitor: &Visitor) -> NavCount {
        NavCount {
            waiting: self.waiting_for(visitor).await,
        }
    }

    /// How many requests wait for this person's vote.
    async fn waiting_for(&self, visitor: &Visitor) -> u32 {
        if !visitor.may("approval.read") {
            return 0;
        }
        let Ok(permit) = self.app.permit::<ApprovalRead>(&visitor.caller).await else {
            return 0;
        };
        let which = ListApprovals {
            open_only: true,
            limit: Some(200),
            ..ListApprovals::default()
        };
        match list_approvals(&permit, which).await {
            Ok(page) => {
                let waiting = page
                    .items
                    .iter()
                    .filter(|approval| approval.may_vote && approval.own_vote.is_none());
                u32::try_from(waiting.count()).unwrap_or(u32::MAX)
            }
            Err(error) => {
                tracing::warn!(%error, "approvals could not be counted");
                0
            }
        }
    }
}
