//! Secrets: put in just before an operation is called, and only where its contract takes one. Whoever calls an
//! operation does so with [`resolve`]: the worker for attempts, control for the checks of a plan. What strikes them
//! out of everything that the operation says is the [`crate::Redactor`].

use clawd_model::{ErrorKind, OperationName, OperationSpec, SecretName, StepError, TenantName};
use serde_json::Value;

/// Where values of secrets come from. They are asked for at the moment of use, and kept by nobody.
pub trait Secrets: Send + Sync {
    /// The value; `None` when there is no such secret.
    fn get(&self, tenant: &TenantName, name: &SecretName) -> Option<String>;
}

/// No secrets at all.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSecrets;

impl Secrets for NoSecrets {
    fn get(&self, _tenant: &TenantName, _name: &SecretName) -> Option<String> {
        None
    }
}

/// Why a secret was not put in.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// There is none of that name.
    #[error("there is no secret `{0}`")]
    Missing(String),
    /// The operation takes no secret there: what it does with the field may show it to others.
    #[error("`{operation}` takes no secret in `{field}`")]
    Misplaced {
        /// Which operation.
        operation: OperationName,
        /// Which field of its input.
        field: String,
    },
}

impl From<SecretError> for StepError {
    fn from(error: SecretError) -> Self {
        let hint = match &error {
            SecretError::Missing(_) => "put its value into `secrets/TENANT/NAME` of the data directory",
            SecretError::Misplaced { .. } => {
                "secrets go into `argv` or `stdin` of `shell`, or `content` of `file.write`"
            }
        };
        Self::new(ErrorKind::InvalidInput, error.to_string()).with_hint(hint)
    }
}

/// Replaces the references in an input by values, and collects the values for the redactor. Only the fields that
/// the operation's contract opens to secrets may hold any.
///
/// # Errors
/// When a secret does not exist, or stands where the operation takes none.
pub fn resolve(
    spec: &OperationSpec,
    input: &Value,
    tenant: &TenantName,
    secrets: &dyn Secrets,
    used: &mut Vec<String>,
) -> Result<Value, SecretError> {
    if let Value::Object(fields) = input {
        let closed = |(field, value): &(&String, &Value)| !spec.takes_secret(field) && refers(value);
        // A marker in the place of the whole input belongs to no field.
        if let Some((field, _)) = fields.iter().find(closed) {
            let (operation, field) = (spec.name.clone(), field.clone());
            return Err(SecretError::Misplaced { operation, field });
        }
        if fields.keys().any(|field| is_marker(field)) {
            let (operation, field) = (spec.name.clone(), "with".to_owned());
            return Err(SecretError::Misplaced { operation, field });
        }
    }
    put_in(input, tenant, secrets, used).map_err(SecretError::Missing)
}

fn is_marker(key: &str) -> bool {
    key == "$secret" || key == "$concat"
}

/// Whether there is a reference anywhere in a value.
fn refers(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.iter().any(|(key, value)| is_marker(key) || refers(value)),
        Value::Array(items) => items.iter().any(refers),
        _ => false,
    }
}

fn put_in(
    input: &Value,
    tenant: &TenantName,
    secrets: &dyn Secrets,
    used: &mut Vec<String>,
) -> Result<Value, String> {
    match input {
        Value::Object(map) => {
            if let (1, Some(Value::String(name))) = (map.len(), map.get("$secret")) {
                let parsed: SecretName = name.parse().map_err(|_| name.clone())?;
                let value = secrets.get(tenant, &parsed).ok_or_else(|| name.clone())?;
                used.push(value.clone());
                return Ok(Value::String(value));
            }
            if let (1, Some(Value::Array(parts))) = (map.len(), map.get("$concat")) {
                let mut text = String::new();
                for part in parts {
                    match put_in(part, tenant, secrets, used)? {
                        Value::String(part) => text.push_str(&part),
                        other => text.push_str(&other.to_string()),
                    }
                }
                return Ok(Value::String(text));
            }
            let resolved = map
                .iter()
                .map(|(key, value)| Ok((key.clone(), put_in(value, tenant, secrets, used)?)));
            resolved.collect::<Result<_, String>>().map(Value::Object)
        }
        Value::Array(items) => items
            .iter()
            .map(|item| put_in(item, tenant, secrets, used))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        scalar => Ok(scalar.clone()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{Redactor, contract};

    struct One;

    impl Secrets for One {
        fn get(&self, _tenant: &TenantName, name: &SecretName) -> Option<String> {
            (name.as_str() == "TOKEN").then(|| "hunter2-and-more".to_owned())
        }
    }

    fn put(spec: &OperationSpec, input: &Value) -> Result<(Value, Vec<String>), SecretError> {
        let mut used = Vec::new();
        let resolved = resolve(spec, input, &"demo".parse().unwrap(), &One, &mut used)?;
        Ok((resolved, used))
    }

    #[test]
    fn references_become_values_and_values_are_struck_out() {
        let input = json!({
            "argv": ["login", {"$secret": "TOKEN"}], "stdin": {"$concat": ["Bearer ", {"$secret": "TOKEN"}]},
        });
        let (resolved, used) = put(&contract::shell::spec(), &input).unwrap();
        assert_eq!(
            resolved,
            json!({"argv": ["login", "hunter2-and-more"], "stdin": "Bearer hunter2-and-more"})
        );
        assert_eq!(
            Redactor::new(used).value(resolved),
            json!({"argv": ["login", "[secret]"], "stdin": "Bearer [secret]"})
        );
        assert_eq!(
            put(&contract::shell::spec(), &json!({"argv": [{"$secret": "OTHER"}]})),
            Err(SecretError::Missing("OTHER".to_owned()))
        );
    }

    #[test]
    fn a_secret_goes_nowhere_but_into_the_fields_that_take_one() {
        let token = json!({"$secret": "TOKEN"});
        let taken: Vec<(String, String)> = contract::all()
            .iter()
            .flat_map(|spec| {
                let fields = spec.input["properties"].as_object().unwrap().keys();
                let takes = |field: &&String| put(spec, &json!({(*field): [{"deep": token}]})).is_ok();
                let taken: Vec<_> = fields
                    .filter(takes)
                    .map(|field| (spec.name.to_string(), field.clone()))
                    .collect();
                taken
            })
            .collect();
        let taken: Vec<(&str, &str)> = taken.iter().map(|(name, field)| (&**name, &**field)).collect();
        assert_eq!(
            taken,
            [
                ("file.write@v1", "content"),
                ("shell@v1", "argv"),
                ("shell@v1", "stdin")
            ]
        );
        let http = contract::check_http::spec();
        let url = json!({"url": {"$concat": ["https://elsewhere.example/?k=", token]}});
        let error = StepError::from(put(&http, &url).unwrap_err());
        assert_eq!(error.message, "`check.http@v1` takes no secret in `url`");
        for whole in [token.clone(), json!({"$concat": [token]})] {
            assert!(
                matches!(
                    put(&contract::shell::spec(), &whole),
                    Err(SecretError::Misplaced { .. })
                ),
                "{whole}"
            );
        }
    }
}
