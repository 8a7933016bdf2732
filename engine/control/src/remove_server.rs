//! Removes a server's record. Runs that worked on it keep their journals; the machine itself is left alone.

use clawd_model::Server;
use serde_json::json;

use crate::error::StoreFailed;
use crate::gate::{Permit, ServerRemove};

/// Removes the server that the permit is for.
///
/// # Errors
/// When it is gone already, or the store fails.
pub async fn remove_server(permit: &Permit<ServerRemove, Server>) -> Result<(), StoreFailed> {
    let server = permit.on();
    let data = json!({"id": server.id, "address": server.address});
    let record = permit.record("server.removed", format!("server/{}", server.name), data);
    permit.store().remove_server(server.id, &[record]).await?;
    permit.app().driver().policies_changed(permit.tenant());
    Ok(())
}
