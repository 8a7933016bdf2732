//! The registry refuses implementations that contradict each other, and finds the right one for a lane.

#![allow(clippy::unwrap_used, reason = "the whole file is a test")]

use std::sync::Arc;

use async_trait::async_trait;
use clawd_model::{DurationMs, OperationSpec, SeededEntropy, Server, ServerId, ServerProvider, Timestamp};
use clawd_provider::{
    Applied, Checked, Context, Noop, Operation, ProviderError, Registry, RegistryError, Serves, contract,
};
use serde_json::Value;

struct Described(OperationSpec);

#[async_trait]
impl Operation for Described {
    fn spec(&self) -> &OperationSpec {
        &self.0
    }

    async fn check(&self, _: &Context, _: &Value) -> Result<Checked, ProviderError> {
        Ok(Checked::Unpredictable)
    }

    async fn apply(&self, _: &Context, _: &Value) -> Result<Applied, ProviderError> {
        Ok(Applied {
            output: Value::Null,
            changed: false,
        })
    }
}

fn shell() -> Arc<dyn Operation> {
    Arc::new(Described(contract::shell::spec()))
}

fn server(provider: ServerProvider) -> Server {
    Server {
        id: ServerId::new(Timestamp(0), &SeededEntropy::new(1)),
        tenant: "demo".parse().unwrap(),
        name: "web-1".parse().unwrap(),
        provider,
        address: String::new(),
        env: "prod".to_owned(),
        labels: Default::default(),
        protected: false,
        host_key: None,
        identity: None,
        facts: None,
        version: 1,
    }
}

#[test]
fn two_implementations_for_the_same_servers_are_refused() {
    let mut registry = Registry::default();
    for serves in [Serves::Everywhere, Serves::Servers(ServerProvider::Sim)] {
        registry.register(serves, shell()).unwrap();
        let again = registry.register(serves, shell());
        assert_eq!(again, Err(RegistryError::Twice("shell@v1".parse().unwrap())));
    }
    assert_eq!(registry.specs().len(), 1);
}

#[test]
fn two_descriptions_of_one_operation_are_refused() {
    let mut registry = Registry::default();
    registry
        .register(Serves::Servers(ServerProvider::Ssh), shell())
        .unwrap();
    let mut other = contract::shell::spec();
    other.timeout_ms = DurationMs::from_secs(1);
    let refused = registry.register(
        Serves::Servers(ServerProvider::Sim),
        Arc::new(Described(other.clone())),
    );
    let name = other.name.clone();
    assert_eq!(refused, Err(RegistryError::SpecsDiffer(name.clone())));
    assert_eq!(registry.spec(&name), Some(&contract::shell::spec()));
    assert!(
        registry
            .resolve(&name, Some(&server(ServerProvider::Sim)))
            .is_none(),
        "what was refused must not serve"
    );
}

#[test]
fn the_servers_own_provider_comes_first() {
    let mut registry = Registry::default();
    let everywhere = shell();
    let simulated = shell();
    registry
        .register(Serves::Everywhere, Arc::clone(&everywhere))
        .unwrap();
    registry
        .register(Serves::Servers(ServerProvider::Sim), Arc::clone(&simulated))
        .unwrap();
    registry
        .register(Serves::Everywhere, Arc::new(Noop::default()))
        .unwrap();
    let name = contract::shell::spec().name;
    let found = |server: Option<&Server>| registry.resolve(&name, server).unwrap();
    assert!(Arc::ptr_eq(
        &found(Some(&server(ServerProvider::Sim))),
        &simulated
    ));
    assert!(Arc::ptr_eq(
        &found(Some(&server(ServerProvider::Ssh))),
        &everywhere
    ));
    assert!(Arc::ptr_eq(&found(None), &everywhere));
    assert!(registry.resolve(&"pkg.plan@v1".parse().unwrap(), None).is_none());
}
