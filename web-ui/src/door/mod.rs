//! The way in: who looks (cookies), whether a form is our own (origin and token), what the gate says (permits), and
//! what an error looks like. Pages stand behind it and never see a cookie.
//!
//! ```text
//!  request ─▶ recognise (session → Visitor) ─▶ same origin? ─▶ Allowed<A> (gate → Permit) ─▶ page ─▶ dress errors
//! ```

mod allowed;
mod cookies;
mod failure;
mod origin;
mod recognise;
mod sent;
mod visitor;

pub(crate) use allowed::{Allowed, AllowedOn};
pub(crate) use cookies::{Cookies, Crumb};
pub(crate) use failure::{Answer, Failure, encoded, render, sentence};
pub(crate) use recognise::{recognise, start_session};
pub(crate) use sent::{Sent, own_path};
pub(crate) use visitor::Visitor;

use std::sync::Arc;

use clawd_control::App;
use clawd_model::{Clock, Timestamp};

use crate::Front;
use crate::pages::Remembered;

/// What every page stands on.
#[derive(Clone)]
pub(crate) struct Web {
    pub(crate) app: App,
    clock: Arc<dyn Clock>,
    /// Whether browsers reach us over TLS.
    pub(crate) secure: bool,
    /// Which plans are about simulated servers.
    pub(crate) simulated: Arc<Remembered>,
    /// The origin that forms must come from, when it is known.
    origin: Option<Arc<str>>,
}

impl Web {
    pub(crate) fn new(app: App, clock: Arc<dyn Clock>, front: Front) -> Self {
        Self {
            app,
            clock,
            secure: front.secure,
            simulated: Arc::default(),
            origin: front.origin.map(Arc::from),
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
