//! Helpers of this crate's own tests.

use clawd_model::{SeededEntropy, Server, ServerId, ServerProvider, Timestamp};

/// A server with an id that follows from its name.
pub(crate) fn server(name: &str, env: &str, labels: &[(&str, &str)]) -> Server {
    let seed = name.bytes().fold(7_u64, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    Server {
        id: ServerId::new(Timestamp(0), &SeededEntropy::new(seed)),
        tenant: "demo".parse().unwrap(),
        name: name.parse().unwrap(),
        provider: ServerProvider::Sim,
        address: String::new(),
        env: env.to_owned(),
        labels: labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        protected: false,
        host_key: None,
        identity: None,
        facts: None,
        version: 1,
    }
}
