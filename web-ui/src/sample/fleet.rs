//! Servers of the story.

use clawd_model::ServerProvider;

use super::{ago, pairs, shell};
use crate::view::fleet::{FleetGroup, FleetPage, ServerRow, Updates};
use crate::view::server::ServerPage;
use crate::view::shell::Section;

fn sim(name: &str, env: &str, role: &str, all: u32, security: u32, reboot: bool) -> ServerRow {
    ServerRow {
        name: name.to_owned(),
        provider: ServerProvider::Sim,
        env: env.to_owned(),
        labels: pairs(&[("role", role), ("region", "fsn1")]),
        protected: false,
        system: "debian 12".to_owned(),
        updates: Some(Updates {
            all,
            security,
            reboot,
        }),
        facts_at: Some(ago(200 + i64::from(all) * 40)),
    }
}

fn groups() -> Vec<FleetGroup> {
    let mut vault = sim("db-2", "prod", "db", 14, 6, true);
    vault.protected = true;
    let mut fresh = sim("api-2", "prod", "api", 0, 0, false);
    fresh.facts_at = None;
    fresh.updates = None;
    fresh.system = String::new();
    let mut far = sim("edge-1", "prod", "edge", 2, 1, false);
    far.provider = ServerProvider::Ssh;
    far.labels = pairs(&[
        ("role", "edge"),
        ("region", "hel1"),
        ("customer", "acme-insurance"),
    ]);
    let own = ServerRow {
        name: "localhost".to_owned(),
        provider: ServerProvider::Local,
        env: "dev".to_owned(),
        labels: Vec::new(),
        protected: false,
        system: "debian 12".to_owned(),
        updates: Some(Updates {
            all: 3,
            security: 0,
            reboot: false,
        }),
        facts_at: Some(ago(20)),
    };
    vec![
        FleetGroup {
            env: "dev".to_owned(),
            servers: vec![own],
        },
        FleetGroup {
            env: "prod".to_owned(),
            servers: vec![
                sim("api-1", "prod", "api", 9, 2, false),
                fresh,
                sim("db-1", "prod", "db", 5, 0, false),
                vault,
                far,
                sim("web-1", "prod", "web", 12, 4, true),
                sim("web-2", "prod", "web", 12, 4, false),
                sim("web-3", "prod", "web", 0, 0, false),
            ],
        },
        FleetGroup {
            env: "staging".to_owned(),
            servers: vec![
                sim("api-s1", "staging", "api", 0, 0, false),
                sim("web-s1", "staging", "web", 0, 0, false),
            ],
        },
    ]
}

pub(super) fn fleets() -> [(&'static str, FleetPage); 3] {
    let all = FleetPage {
        shell: shell(Section::Fleet, "/fleet"),
        selector: String::new(),
        problem: None,
        groups: groups(),
        total: 11,
    };
    let empty = FleetPage {
        groups: Vec::new(),
        total: 0,
        ..all.clone()
    };
    let wrong = FleetPage {
        selector: "role==web".to_owned(),
        problem: Some("`role==web` is not a selector: expected `key=value`".to_owned()),
        ..all.clone()
    };
    [
        ("fleet", all),
        ("fleet-empty", empty),
        ("fleet-wrong-selector", wrong),
    ]
}

pub(super) fn servers() -> [(&'static str, ServerPage); 2] {
    let page = ServerPage {
        shell: shell(Section::Fleet, "/fleet/web-1"),
        id: "srv_01KJMF0V3P6XQ0F9Z0YB2W7T4E".to_owned(),
        server: sim("web-1", "prod", "web", 12, 4, true),
        address: "sim:web-1".to_owned(),
        host_key: None,
        facts: pairs(&[
            ("system", "debian 12, x86_64"),
            ("kernel", "6.1.0-29-cloud-amd64"),
            ("processors", "4"),
            ("memory", "7,824 MiB"),
            ("free on /", "31,402 MiB"),
            ("up", "41 days"),
            ("boot id", "5d0a0c9e-6f6c-4c0f-8c2a-0c9e5d0a6f6c"),
        ]),
        reboot_reasons: vec!["linux-image-cloud-amd64 6.1.0-30 is installed, 6.1.0-29 runs".to_owned()],
        can_audit: true,
    };
    let mut unknown = ServerPage {
        id: "srv_01KJMF0V3P6XQ0F9Z0YB2W7T4F".to_owned(),
        address: "root@203.0.113.5:22".to_owned(),
        host_key: Some("SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU".to_owned()),
        facts: Vec::new(),
        reboot_reasons: Vec::new(),
        can_audit: false,
        ..page.clone()
    };
    unknown.server.name = "edge-1".to_owned();
    unknown.server.provider = ServerProvider::Ssh;
    unknown.server.updates = None;
    unknown.server.facts_at = None;
    unknown.server.protected = true;
    [("server", page), ("server-unknown", unknown)]
}
