//! Shows one server.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use clawd_model::api::ServerView;
use clawd_model::{Digest, Server};

use crate::gate::{Permit, ServerRead};

/// The server that the permit is for.
#[must_use]
pub fn show_server(permit: &Permit<ServerRead, Server>) -> ServerView {
    server_view(permit.on())
}

/// A server as people see it.
pub(crate) fn server_view(server: &Server) -> ServerView {
    ServerView {
        id: server.id,
        name: server.name.clone(),
        provider: server.provider,
        address: server.address.clone(),
        env: server.env.clone(),
        labels: server.labels.clone(),
        protected: server.protected,
        host_key_fingerprint: server.host_key.as_deref().and_then(fingerprint),
        facts: server.facts.clone(),
        version: server.version,
    }
}

/// `SHA256:…` of a host key in OpenSSH's one-line form, as `ssh-keygen -l` prints it.
fn fingerprint(line: &str) -> Option<String> {
    let blob = BASE64_STANDARD.decode(line.split_whitespace().nth(1)?).ok()?;
    Some(format!(
        "SHA256:{}",
        BASE64_STANDARD_NO_PAD.encode(Digest::of(&blob).as_bytes())
    ))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_fingerprint_is_that_of_ssh_keygen() {
        let line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl github";
        assert_eq!(
            super::fingerprint(line).as_deref(),
            Some("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU")
        );
        assert_eq!(super::fingerprint("garbage"), None);
    }
}
