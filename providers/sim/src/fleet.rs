//! The twelve servers of the demo.

use clawd_model::{Labels, Server, ServerId, ServerName, ServerProvider, TenantName, Timestamp};

use crate::initial::initial_world;
use crate::world::World;

/// One server of the demo, before it has an id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoServer {
    /// Its name.
    pub name: ServerName,
    /// Says that there is nothing to connect to.
    pub address: String,
    /// `prod` or `staging`.
    pub env: String,
    /// `simulated`, `role`, `region`, `client`.
    pub labels: Labels,
    /// Whether nobody may ever change it.
    pub protected: bool,
}

impl DemoServer {
    /// The server as a tenant's.
    #[must_use]
    pub fn into_server(self, id: ServerId, tenant: TenantName) -> Server {
        Server {
            id,
            tenant,
            name: self.name,
            provider: ServerProvider::Sim,
            address: self.address,
            env: self.env,
            labels: self.labels,
            protected: self.protected,
            host_key: None,
            identity: None,
            facts: None,
            version: 1,
        }
    }

    /// What it is before anybody has touched it. The simulation makes the same world at the first visit.
    #[must_use]
    pub fn world(&self, now: Timestamp) -> World {
        initial_world(&self.name, &self.labels, now)
    }
}

/// Name, environment, role, region, client; the validator is protected.
const FLEET: [(&str, &str, &str, &str, &str); 12] = [
    ("web-canary-1", "staging", "web", "eu-central", "lumen-shop"),
    ("web-canary-2", "staging", "web", "us-east", "lumen-shop"),
    ("web-1", "prod", "web", "eu-central", "lumen-shop"),
    ("web-2", "prod", "web", "eu-central", "lumen-shop"),
    ("web-3", "prod", "web", "us-east", "lumen-shop"),
    ("web-4", "prod", "web", "us-east", "lumen-shop"),
    ("db-1", "prod", "db", "eu-central", "lumen-shop"),
    ("game-1", "prod", "game", "eu-central", "pixel-forge"),
    ("game-2", "prod", "game", "ap-south", "pixel-forge"),
    ("validator-1", "prod", "validator", "eu-north", "northchain"),
    ("edge-1", "prod", "edge", "ap-south", "pixel-forge"),
    ("edge-2", "prod", "edge", "us-east", "pixel-forge"),
];

/// The twelve servers of the demo: two canaries in staging, the rest in production, one of them protected.
#[must_use]
pub fn demo_fleet() -> Vec<DemoServer> {
    FLEET
        .iter()
        .map(|(name, env, role, region, client)| DemoServer {
            name: name.parse().expect("the names of the demo are well formed"),
            address: "simulated".to_owned(),
            env: (*env).to_owned(),
            labels: [
                ("simulated", "true"),
                ("role", role),
                ("region", region),
                ("client", client),
            ]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect(),
            protected: *role == "validator",
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fleet_is_what_the_demo_shows() {
        let fleet = demo_fleet();
        assert_eq!(fleet.len(), 12);
        let staging: Vec<&str> = fleet
            .iter()
            .filter(|server| server.env == "staging")
            .map(|server| server.name.as_str())
            .collect();
        assert_eq!(staging, ["web-canary-1", "web-canary-2"]);
        assert_eq!(fleet.iter().filter(|server| server.protected).count(), 1);
        assert!(fleet.iter().all(|server| server.labels["simulated"] == "true"));
    }

    #[test]
    fn every_server_has_security_updates_and_some_need_a_reboot_or_keep_back() {
        let worlds: Vec<World> = demo_fleet()
            .iter()
            .map(|server| server.world(Timestamp(1_772_357_400_000)))
            .collect();
        let candidates = |world: &World| -> Vec<_> {
            world
                .packages
                .values()
                .filter_map(|p| p.candidate.clone())
                .collect()
        };
        for world in &worlds {
            let security = candidates(world)
                .iter()
                .filter(|c| c.security && c.kept_back.is_none())
                .count();
            assert!(security >= 3, "{}", world.hostname);
            assert!(world.booted_at < Timestamp(1_772_357_400_000));
        }
        let with = |what: fn(&Candidate) -> bool| {
            worlds
                .iter()
                .filter(|world| candidates(world).iter().any(what))
                .count()
        };
        use crate::world::Candidate;
        assert_eq!(with(|candidate| candidate.kernel.is_some()), 7);
        assert_eq!(with(|candidate| candidate.kept_back.is_some()), 4);
    }
}
