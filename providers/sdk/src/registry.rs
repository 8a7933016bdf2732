//! Which implementation serves an operation on a server.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use clawd_model::{OperationName, OperationSpec, Server, ServerProvider};

use crate::Operation;

/// Whom an implementation serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Serves {
    /// Servers of this provider.
    Servers(ServerProvider),
    /// Everybody: it works from the controller.
    Everywhere,
}

/// Two implementations contradict each other.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// The same operation was described in two ways.
    #[error("operation `{0}` is described differently by two providers")]
    SpecsDiffer(OperationName),
    /// Two implementations for the same servers.
    #[error("operation `{0}` has two implementations for the same servers")]
    Twice(OperationName),
}

/// All operations of this process.
#[derive(Default)]
pub struct Registry {
    specs: BTreeMap<OperationName, OperationSpec>,
    implementations: HashMap<(OperationName, Serves), Arc<dyn Operation>>,
}

impl Registry {
    /// Adds an implementation.
    ///
    /// # Errors
    /// When it contradicts one that is there.
    pub fn register(&mut self, serves: Serves, operation: Arc<dyn Operation>) -> Result<(), RegistryError> {
        let spec = operation.spec().clone();
        let name = spec.name.clone();
        if self.specs.get(&name).is_some_and(|known| *known != spec) {
            return Err(RegistryError::SpecsDiffer(name));
        }
        if self.implementations.contains_key(&(name.clone(), serves)) {
            return Err(RegistryError::Twice(name));
        }
        self.specs.insert(name.clone(), spec);
        self.implementations.insert((name, serves), operation);
        Ok(())
    }

    /// The description of an operation.
    #[must_use]
    pub fn spec(&self, name: &OperationName) -> Option<&OperationSpec> {
        self.specs.get(name)
    }

    /// All descriptions, by name.
    #[must_use]
    pub fn specs(&self) -> &BTreeMap<OperationName, OperationSpec> {
        &self.specs
    }

    /// The implementation for a lane: that of the server's provider, else one that serves everywhere.
    #[must_use]
    pub fn resolve(&self, name: &OperationName, server: Option<&Server>) -> Option<Arc<dyn Operation>> {
        let for_server = server.and_then(|server| {
            self.implementations
                .get(&(name.clone(), Serves::Servers(server.provider)))
        });
        for_server
            .or_else(|| self.implementations.get(&(name.clone(), Serves::Everywhere)))
            .cloned()
    }
}
