//! All servers of the tenant, by environment.

use askama::Template;
use askama::filters::HtmlSafe;
use clawd_model::{ServerProvider, Timestamp};

use super::shell::Shell;
use crate::ui::Ago;

/// Says of a server how real it is.
#[derive(Clone, Copy, Debug, Template)]
#[template(
    ext = "html",
    source = r#"<span class="chip provider-{{ provider.as_str() }}">{{ self.word() }}</span>"#
)]
pub(crate) struct ProviderTag {
    pub(crate) provider: ServerProvider,
}

impl HtmlSafe for ProviderTag {}

impl ProviderTag {
    pub(crate) const fn word(self) -> &'static str {
        match self.provider {
            ServerProvider::Sim => "simulated",
            ServerProvider::Local => "this machine, read-only",
            ServerProvider::Ssh => "ssh",
        }
    }
}

/// Says of a run, or of a request for votes, that not all of its servers are real.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Template)]
#[template(
    ext = "html",
    source = r#"<span class="chip provider-sim">{{ self.word() }}</span>"#
)]
pub(crate) enum Simulated {
    /// None of them.
    Wholly,
    /// Some are.
    Partly,
}

impl HtmlSafe for Simulated {}

impl Simulated {
    const fn word(self) -> &'static str {
        match self {
            Self::Wholly => "simulated",
            Self::Partly => "partly simulated",
        }
    }
}

/// What is known of a server's updates.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Updates {
    pub(crate) all: u32,
    pub(crate) security: u32,
    pub(crate) reboot: bool,
}

impl Updates {
    fn security_words(&self) -> String {
        format!("{} security", self.security)
    }
}

/// One server in a list.
#[derive(Clone, Debug)]
pub(crate) struct ServerRow {
    pub(crate) name: String,
    pub(crate) provider: ServerProvider,
    pub(crate) env: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) protected: bool,
    /// `debian 12`; empty while nothing is known.
    pub(crate) system: String,
    pub(crate) updates: Option<Updates>,
    pub(crate) facts_at: Option<Timestamp>,
}

impl ServerRow {
    pub(crate) const fn provider_tag(&self) -> ProviderTag {
        ProviderTag {
            provider: self.provider,
        }
    }
}

/// The servers of one environment.
#[derive(Clone, Debug)]
pub(crate) struct FleetGroup {
    pub(crate) env: String,
    pub(crate) servers: Vec<ServerRow>,
}

/// The fleet.
#[derive(Clone, Debug, Template)]
#[template(path = "page/fleet.html")]
pub(crate) struct FleetPage {
    pub(crate) shell: Shell,
    pub(crate) selector: String,
    /// What is wrong with the selector.
    pub(crate) problem: Option<String>,
    pub(crate) groups: Vec<FleetGroup>,
    /// How many there are in all, whatever the selector.
    pub(crate) total: usize,
}

impl FleetPage {
    fn servers(&self) -> impl Iterator<Item = &ServerRow> {
        self.groups.iter().flat_map(|group| &group.servers)
    }

    fn shown(&self) -> usize {
        self.servers().count()
    }

    fn count(&self, which: impl Fn(&Updates) -> bool) -> usize {
        self.servers()
            .filter_map(|server| server.updates.as_ref())
            .filter(|updates| which(updates))
            .count()
    }

    fn with_updates(&self) -> usize {
        self.count(|updates| updates.all > 0)
    }

    fn with_security(&self) -> usize {
        self.count(|updates| updates.security > 0)
    }

    fn with_reboot(&self) -> usize {
        self.count(|updates| updates.reboot)
    }
}
