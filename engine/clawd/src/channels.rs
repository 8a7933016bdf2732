//! The channels of `@notify`: those that runbooks tell too.

use std::sync::Arc;

use clawd_model::{Clock, StepError};
use clawd_provider_notify::{News, Notify};
use clawd_worker::{Announce, Announcement};
use futures::FutureExt as _;
use futures::future::BoxFuture;

/// The configured channels, as the worker sees them.
pub(crate) struct Channels {
    pub(crate) notify: Arc<Notify>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Announce for Channels {
    fn announce<'a>(&'a self, announcement: &'a Announcement) -> BoxFuture<'a, Result<(), StepError>> {
        let tell = async move {
            let id = announcement.id.to_string();
            let news = News {
                kind: "votes_wanted",
                id: &id,
                tenant: &announcement.tenant,
                channel: &announcement.channel,
                text: &announcement.text,
                path: &announcement.path,
            };
            self.notify.tell(&news, self.clock.now()).await
        };
        tell.boxed()
    }
}
