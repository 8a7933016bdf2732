//! The console as the binary mounts it.

use std::sync::Arc;

use axum::Router;
use clawd_control::App;
use clawd_model::Clock;

use crate::door::Web;
use crate::pages::routes;

/// How browsers reach the console: only whoever starts it knows what stands in front of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Front {
    /// Over TLS, ours or that of a proxy: only then cookies are `Secure` and carry the `__Host-` prefix.
    pub secure: bool,
    /// The one origin that forms come from, such as `https://claw.example`. `None`: the host that the request names.
    pub origin: Option<String>,
}

/// All pages of the console.
pub fn router(app: App, clock: Arc<dyn Clock>, front: Front) -> Router {
    routes(Web::new(app, clock, front))
}
