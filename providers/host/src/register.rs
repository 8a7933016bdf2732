//! Which operation serves which servers.

use std::sync::Arc;

use clawd_model::ServerProvider;
use clawd_provider::{Registry, RegistryError, Serves};

use crate::hosts::Hosts;
use crate::ops::{FileWrite, HostFacts, HostReboot, PkgApply, PkgPlan, ServiceState, Shell};

/// Adds all operations for servers over SSH, and those for this machine that change nothing on it.
///
/// # Errors
/// When another provider serves the same.
pub fn register(registry: &mut Registry, hosts: &Arc<Hosts>) -> Result<(), RegistryError> {
    let hosts = || Arc::clone(hosts);
    let ssh = Serves::Servers(ServerProvider::Ssh);
    registry.register(ssh, Arc::new(FileWrite::new(hosts())))?;
    registry.register(ssh, Arc::new(HostFacts::new(hosts())))?;
    registry.register(ssh, Arc::new(HostReboot::new(hosts())))?;
    registry.register(ssh, Arc::new(PkgApply::new(hosts())))?;
    registry.register(ssh, Arc::new(PkgPlan::new(hosts())))?;
    registry.register(ssh, Arc::new(ServiceState::new(hosts())))?;
    registry.register(ssh, Arc::new(Shell::new(hosts())))?;
    // INVARIANT: nothing that is registered here writes to this machine.
    let local = Serves::Servers(ServerProvider::Local);
    registry.register(local, Arc::new(HostFacts::new(hosts())))?;
    registry.register(local, Arc::new(PkgPlan::without_refresh(hosts())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ssh::SshOptions;
    use clawd_model::Effect;

    #[test]
    fn this_machine_is_read_only() {
        let mut registry = Registry::default();
        register(
            &mut registry,
            &Hosts::new(SshOptions::default(), crate::Keys::new("keys")),
        )
        .unwrap();
        let mut server: clawd_model::Server = serde_json::from_value(serde_json::json!({
            "id": clawd_model::ServerId::new(clawd_model::Timestamp(1), &clawd_model::SeededEntropy::new(1)),
            "tenant": "demo", "name": "here", "provider": "local", "address": "", "env": "demo", "version": 1,
        }))
        .unwrap();
        let served = |server: &clawd_model::Server| {
            let specs = registry.specs().iter();
            let names = specs.filter(|(name, _)| registry.resolve(name, Some(server)).is_some());
            names.map(|(_, spec)| spec.effect).collect::<Vec<_>>()
        };
        assert_eq!(served(&server), [Effect::ReadOnly; 2]);
        server.provider = ServerProvider::Ssh;
        assert_eq!(served(&server).len(), 7);
    }
}
