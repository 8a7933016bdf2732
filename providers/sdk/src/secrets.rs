//! Secrets: replaced just before an operation is called, and struck out of everything it writes. Whoever calls an
//! operation uses these: the worker for attempts, control for the checks of a plan.

use clawd_model::{SecretName, TenantName};
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

/// Replaces the references in an input by values, and collects the values for the redactor.
///
/// # Errors
/// The name of a secret that does not exist.
pub fn resolve(
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
                    match resolve(part, tenant, secrets, used)? {
                        Value::String(part) => text.push_str(&part),
                        other => text.push_str(&other.to_string()),
                    }
                }
                return Ok(Value::String(text));
            }
            let resolved = map
                .iter()
                .map(|(key, value)| Ok((key.clone(), resolve(value, tenant, secrets, used)?)));
            resolved.collect::<Result<_, String>>().map(Value::Object)
        }
        Value::Array(items) => items
            .iter()
            .map(|item| resolve(item, tenant, secrets, used))
            .collect::<Result<_, _>>()
            .map(Value::Array),
        scalar => Ok(scalar.clone()),
    }
}

/// Strikes values of secrets out of text and documents.
#[derive(Clone, Debug, Default)]
pub struct Redactor(Vec<String>);

/// What stands in the place of a secret.
const STRUCK: &str = "[secret]";

impl Redactor {
    /// A redactor of these values. Values of fewer than four characters would tear ordinary text apart, and are
    /// no secrets: they are left out.
    #[must_use]
    pub fn new(mut values: Vec<String>) -> Self {
        // A multi-line value is struck out line by line as well, since output arrives in lines.
        let lines: Vec<String> = values
            .iter()
            .flat_map(|value| value.lines().map(str::to_owned))
            .collect();
        values.extend(lines);
        values.retain(|value| value.len() >= 4);
        values.sort_unstable_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self(values)
    }

    /// Whether there is nothing to strike out.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The text without secrets. One pass, the longest value first at each place, so that what stands in the place
    /// of a secret is never itself looked at.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut struck = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            if let Some(after) = self
                .0
                .iter()
                .find_map(|secret| rest.strip_prefix(secret.as_str()))
            {
                struck.push_str(STRUCK);
                rest = after;
            } else {
                struck.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or("");
            }
        }
        struck
    }

    /// The document without secrets, in values and in keys.
    #[must_use]
    pub fn value(&self, value: Value) -> Value {
        if self.is_empty() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(&text)),
            Value::Array(items) => Value::Array(items.into_iter().map(|item| self.value(item)).collect()),
            Value::Object(map) => Value::Object(
                map.into_iter()
                    .map(|(key, value)| (self.text(&key), self.value(value)))
                    .collect(),
            ),
            scalar => scalar,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    struct One;

    impl Secrets for One {
        fn get(&self, _tenant: &TenantName, name: &SecretName) -> Option<String> {
            (name.as_str() == "TOKEN").then(|| "hunter2-and-more".to_owned())
        }
    }

    #[test]
    fn references_become_values_and_values_are_struck_out() {
        let tenant: TenantName = "demo".parse().unwrap();
        let mut used = Vec::new();
        let input =
            json!({"a": {"$secret": "TOKEN"}, "b": [{"$concat": ["Bearer ", {"$secret": "TOKEN"}]}], "c": 1});
        let resolved = resolve(&input, &tenant, &One, &mut used).unwrap();
        assert_eq!(
            resolved,
            json!({"a": "hunter2-and-more", "b": ["Bearer hunter2-and-more"], "c": 1})
        );
        let redactor = Redactor::new(used);
        assert_eq!(
            redactor.value(resolved),
            json!({"a": "[secret]", "b": ["Bearer [secret]"], "c": 1})
        );
        assert_eq!(
            resolve(&json!({"$secret": "OTHER"}), &tenant, &One, &mut Vec::new()),
            Err("OTHER".to_owned())
        );
    }

    #[test]
    fn the_longest_secret_is_struck_out_first() {
        let redactor = Redactor::new(vec!["secret".into(), "secret-long".into(), "abc".into()]);
        assert_eq!(redactor.text("x secret-long y abc"), "x [secret] y abc");
    }
}
