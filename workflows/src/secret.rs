//! Secrets as references. An expression `secrets.NAME` evaluates to a marker; the worker resolves it just before it
//! calls the operation. Plans, events, votes and audit records hold markers only.
//!
//! INVARIANT: a marker comes from a runbook's own text. Values from outside (inputs, outputs of hosts) that look like
//! one are refused, else a host could have a secret filled in for it.

use clawd_model::SecretName;
use serde_json::{Value, json};

/// The key of a secret's marker: `{"$secret": "NAME"}`.
pub const SECRET: &str = "$secret";
/// The key of a text with secrets in it: `{"$concat": ["Bearer ", {"$secret": "NAME"}]}`.
pub const CONCAT: &str = "$concat";

/// The marker of a secret.
#[must_use]
pub fn marker(name: &SecretName) -> Value {
    json!({SECRET: name})
}

/// The first reserved key in a value, if there is one.
#[must_use]
pub fn reserved_key(value: &Value) -> Option<&str> {
    match value {
        Value::Object(fields) => {
            let own = fields.keys().find(|key| is_reserved(key)).map(String::as_str);
            own.or_else(|| fields.values().find_map(reserved_key))
        }
        Value::Array(items) => items.iter().find_map(reserved_key),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

pub(crate) fn is_reserved(key: &str) -> bool {
    key == SECRET || key == CONCAT
}

/// The secrets that a rendered input refers to, in the order of their places.
#[must_use]
pub fn names(value: &Value) -> Vec<SecretName> {
    let mut names = Vec::new();
    collect(value, &mut names);
    names
}

fn collect(value: &Value, names: &mut Vec<SecretName>) {
    match value {
        Value::Object(fields) => {
            if let Some(name) = secret_of(value) {
                names.push(name);
            } else {
                fields.values().for_each(|value| collect(value, names));
            }
        }
        Value::Array(items) => items.iter().for_each(|value| collect(value, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Replaces all markers. The result must not be stored or logged.
///
/// # Errors
/// Whatever `reveal` says of a secret.
pub fn resolve<E>(
    value: &Value,
    reveal: &mut impl FnMut(&SecretName) -> Result<String, E>,
) -> Result<Value, E> {
    if let Some(name) = secret_of(value) {
        return reveal(&name).map(Value::String);
    }
    match value {
        Value::Object(fields) => {
            if let (1, Some(Value::Array(parts))) = (fields.len(), fields.get(CONCAT)) {
                let mut text = String::new();
                for part in parts {
                    if let Value::String(part) = resolve(part, reveal)? {
                        text.push_str(&part);
                    }
                }
                return Ok(Value::String(text));
            }
            let resolved = fields
                .iter()
                .map(|(key, value)| Ok((key.clone(), resolve(value, reveal)?)))
                .collect::<Result<_, E>>();
            resolved.map(Value::Object)
        }
        Value::Array(items) => items
            .iter()
            .map(|item| resolve(item, reveal))
            .collect::<Result<_, E>>()
            .map(Value::Array),
        scalar => Ok(scalar.clone()),
    }
}

fn secret_of(value: &Value) -> Option<SecretName> {
    let fields = value.as_object()?;
    let name = fields.get(SECRET).filter(|_| fields.len() == 1)?;
    name.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reveal(name: &SecretName) -> Result<String, String> {
        match name.as_str() {
            "TOKEN" => Ok("s3cret".to_owned()),
            other => Err(other.to_owned()),
        }
    }

    #[test]
    fn markers_are_replaced_wherever_they_stand() {
        let value = json!({
            "token": {"$secret": "TOKEN"},
            "headers": [{"$concat": ["Bearer ", {"$secret": "TOKEN"}, "!"]}],
            "port": 1,
        });
        assert_eq!(
            resolve(&value, &mut reveal),
            Ok(json!({"token": "s3cret", "headers": ["Bearer s3cret!"], "port": 1}))
        );
        assert_eq!(
            names(&value).iter().map(SecretName::as_str).collect::<Vec<_>>(),
            ["TOKEN", "TOKEN"]
        );
        assert_eq!(
            resolve(&json!({"$secret": "OTHER"}), &mut reveal),
            Err("OTHER".to_owned())
        );
    }

    #[test]
    fn reserved_keys_are_found_at_any_depth() {
        assert_eq!(
            reserved_key(&json!({"a": [{"b": {"$secret": "X"}}]})),
            Some("$secret")
        );
        assert_eq!(reserved_key(&json!({"a": "$secret"})), None);
    }
}
