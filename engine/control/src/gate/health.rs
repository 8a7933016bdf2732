//! What an orchestrator and a log ask of the process itself; nobody's data is looked at.

use std::fmt::Write as _;

use super::app::App;

impl App {
    /// Whether the store can be read.
    pub async fn is_ready(&self) -> bool {
        self.parts.store.tenants().await.is_ok()
    }

    /// A name for a request, to find it in the log.
    #[must_use]
    pub fn new_request_id(&self) -> String {
        let mut id = "req_".to_owned();
        for byte in self.parts.entropy.bytes().iter().take(10) {
            let _ = write!(id, "{byte:02x}");
        }
        id
    }
}
