//! Servers that answer as told.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clawd_model::{Change, Effect, ErrorKind, OperationSpec, ServerProvider, StepError};
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError, Registry, Serves, contract};
use serde_json::{Value, json};

/// What the servers answer.
#[derive(Default)]
pub struct FakeServers {
    down: Mutex<BTreeSet<String>>,
    asked: Mutex<Vec<String>>,
    version: Mutex<u32>,
}

impl FakeServers {
    /// The server does not answer any more.
    pub fn take_down(&self, server: &str) {
        self.down
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(server.to_owned());
    }

    /// Another version of the package is there to install.
    pub fn release(&self) {
        *self.version.lock().unwrap_or_else(PoisonError::into_inner) += 1;
    }

    /// Everything that was asked so far: `pkg.plan web-1`.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every operation that ships, answered by these servers.
    pub(super) fn registry(self: &Arc<Self>) -> Registry {
        let mut registry = Registry::default();
        for spec in contract::all() {
            let serves = match spec.scope {
                clawd_model::Scope::Server => Serves::Servers(ServerProvider::Sim),
                clawd_model::Scope::Any => Serves::Everywhere,
            };
            let operation = Arc::new(FakeOperation {
                spec,
                servers: Arc::clone(self),
            });
            registry.register(serves, operation).expect("each operation once");
        }
        registry
    }
}

struct FakeOperation {
    spec: OperationSpec,
    servers: Arc<FakeServers>,
}

#[async_trait]
impl Operation for FakeOperation {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        let server = context
            .server
            .as_ref()
            .map_or("controller", |server| server.name.as_str());
        let action = self.spec.name.action();
        self.servers
            .asked
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(format!("{action} {server}"));
        if self
            .servers
            .down
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(server)
        {
            return Err(StepError::new(ErrorKind::Connection, format!("`{server}` does not answer")).into());
        }
        let version = *self
            .servers
            .version
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(match action {
            "pkg.plan" => Checked::Read(json!({
                "packages": [{"name": "openssl", "from": "3.0.1", "to": format!("3.0.{}", version + 2), "security": true}],
                "kept_back": [],
            })),
            "host.facts" => Checked::Read(json!({"hostname": server, "os": "debian"})),
            "notify" | "noop" => Checked::Unpredictable,
            _ if self.spec.effect == Effect::Mutating => Checked::Would(Change {
                needed: true,
                summary: format!("{action} on {server}"),
                diff: format!("~ {action}\n"),
                basis: json!({"input": input, "version": version}),
            }),
            _ => Checked::Read(json!({})),
        })
    }

    async fn apply(&self, _context: &Context, _input: &Value) -> Result<Applied, ProviderError> {
        Err(StepError::new(ErrorKind::Internal, "these servers only look").into())
    }
}
