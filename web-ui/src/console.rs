//! The console as the binary mounts it.

use std::sync::Arc;

use axum::Router;
use clawd_control::App;
use clawd_model::Clock;

use crate::door::Web;
use crate::pages::routes;

/// All pages of the console. `secure`: browsers reach it over TLS; only then cookies are `Secure` and carry the
/// `__Host-` prefix.
pub fn router(app: App, clock: Arc<dyn Clock>, secure: bool) -> Router {
    routes(Web::new(app, clock, secure))
}
