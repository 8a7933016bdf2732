//! Which servers are simulated: they are labelled so wherever they are named.

use std::collections::HashMap;

use clawd_client::Client;
use clawd_model::{LaneTarget, ServerId, ServerProvider};

/// The mark of a simulated server.
const MARK: &str = " [simulated]";

/// How each server is reached.
#[derive(Default)]
pub(crate) struct Simulated(HashMap<ServerId, ServerProvider>);

impl Simulated {
    /// Looks it up. Who may not see servers has to take the word of their labels.
    pub(crate) async fn ask(client: &Client) -> Self {
        let servers = client
            .servers(None)
            .await
            .map(|page| page.items)
            .unwrap_or_default();
        Self(
            servers
                .into_iter()
                .map(|server| (server.id, server.provider))
                .collect(),
        )
    }

    /// What stands behind the name of a target: a mark, or nothing.
    pub(crate) fn mark(&self, target: &LaneTarget) -> &'static str {
        let known = target.server.and_then(|id| self.0.get(&id));
        let is_simulated = match known {
            Some(provider) => *provider == ServerProvider::Sim,
            None => target
                .labels
                .get("simulated")
                .is_some_and(|label| label == "true"),
        };
        if is_simulated { MARK } else { "" }
    }
}

/// How a server is reached, in words.
pub(crate) fn provider(provider: ServerProvider) -> &'static str {
    match provider {
        ServerProvider::Sim => "simulated",
        ServerProvider::Local => "this machine, read-only",
        ServerProvider::Ssh => "ssh",
    }
}

#[cfg(test)]
mod tests {
    use clawd_model::{Labels, SeededEntropy, Timestamp};

    use super::*;

    #[test]
    fn what_the_server_is_counts_more_than_what_its_labels_say() {
        let entropy = SeededEntropy::new(1);
        let mut target = LaneTarget::controller();
        let id = ServerId::new(Timestamp(0), &entropy);
        target.server = Some(id);
        target.labels = Labels::from([("simulated".to_owned(), "true".to_owned())]);
        assert_eq!(Simulated::default().mark(&target), MARK, "nothing else is known");
        let real = Simulated(HashMap::from([(id, ServerProvider::Ssh)]));
        assert_eq!(
            real.mark(&target),
            "",
            "a label does not make a real server a simulated one"
        );
        target.labels.clear();
        let simulated = Simulated(HashMap::from([(id, ServerProvider::Sim)]));
        assert_eq!(simulated.mark(&target), MARK);
        assert_eq!(simulated.mark(&LaneTarget::controller()), "");
    }
}
