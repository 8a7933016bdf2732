//! The vocabulary of the shipped operations, and people and servers of a tenant.

use clawd_model::{
    Labels, Principal, PrincipalKind, SeededEntropy, Server, ServerId, ServerProvider, Timestamp,
};
use clawd_policy::{Bundle, Vocabulary, library};

/// The operations that ship, and the groups of the shipped packs.
pub(crate) fn vocabulary() -> Vocabulary {
    library::vocabulary(clawd_provider::contract::all())
}

pub(crate) fn baseline() -> Bundle {
    Bundle::load(&library::baseline(), &vocabulary()).unwrap()
}

pub(crate) fn principal(name: &str, kind: PrincipalKind, groups: &[&str]) -> Principal {
    Principal {
        tenant: "demo".parse().unwrap(),
        kind,
        name: name.parse().unwrap(),
        display_name: String::new(),
        groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
        operator: (kind == PrincipalKind::Agent).then(|| "olga".parse().unwrap()),
        disabled: false,
    }
}

pub(crate) fn server(name: &str, env: &str) -> Server {
    Server {
        id: ServerId::new(Timestamp(0), &SeededEntropy::new(1)),
        tenant: "demo".parse().unwrap(),
        name: name.parse().unwrap(),
        provider: ServerProvider::Ssh,
        address: String::new(),
        env: env.to_owned(),
        labels: Labels::new(),
        protected: false,
        host_key: None,
        identity: None,
        facts: None,
        version: 1,
    }
}
