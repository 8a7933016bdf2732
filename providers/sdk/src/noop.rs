//! The operation that does nothing: for benchmarks and for trying a runbook's structure.

use async_trait::async_trait;
use clawd_model::OperationSpec;
use serde_json::{Value, json};

use crate::{Applied, Checked, Context, Operation, ProviderError, contract};

/// Does nothing, and returns its input's `value`.
pub struct Noop(OperationSpec);

impl Default for Noop {
    fn default() -> Self {
        Self(contract::noop::spec())
    }
}

#[async_trait]
impl Operation for Noop {
    fn spec(&self) -> &OperationSpec {
        &self.0
    }

    async fn check(&self, _context: &Context, _input: &Value) -> Result<Checked, ProviderError> {
        Ok(Checked::Unpredictable)
    }

    async fn apply(&self, _context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let value = input.get("value").cloned().unwrap_or(Value::Null);
        Ok(Applied {
            output: json!({ "value": value }),
            changed: false,
        })
    }
}
