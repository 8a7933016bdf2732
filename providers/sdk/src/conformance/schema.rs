//! Does a value fit a schema? For the part of JSON Schema that the contracts use: `type`, `properties`,
//! `required`, `additionalProperties: false`, `items`, `enum`. Any other keyword is ignored.

use serde_json::Value;

/// What does not fit, each with its place as a JSON pointer; empty when all fits.
#[must_use]
pub fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    visit(schema, value, "", &mut found);
    found
}

fn visit(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let place = if at.is_empty() { "/" } else { at };
    if let Some(wanted) = schema.get("type").and_then(Value::as_str)
        && !is(wanted, value)
    {
        found.push(format!("`{place}` is not of the type {wanted}"));
        return;
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        found.push(format!("`{place}` is none of the allowed values"));
    }
    if let Value::Object(fields) = value {
        let properties = schema.get("properties");
        for name in schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            if let Some(name) = name.as_str()
                && !fields.contains_key(name)
            {
                found.push(format!("`{at}/{name}` is missing"));
            }
        }
        for (name, inner) in fields {
            let below = format!("{at}/{name}");
            match properties.and_then(|shapes| shapes.get(name)) {
                Some(shape) => visit(shape, inner, &below, found),
                None if schema.get("additionalProperties") == Some(&Value::Bool(false)) => {
                    found.push(format!("`{below}` is unknown"));
                }
                None => {}
            }
        }
    }
    if let (Value::Array(items), Some(shape)) = (value, schema.get("items")) {
        for (position, item) in items.iter().enumerate() {
            visit(shape, item, &format!("{at}/{position}"), found);
        }
    }
}

fn is(wanted: &str, value: &Value) -> bool {
    match wanted {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "null" => value.is_null(),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::problems;
    use crate::contract;

    #[test]
    fn a_fitting_value_has_no_problems() {
        let set = json!({"set": [{"name": "openssl", "from": "1", "to": "2", "security": true}]});
        assert!(problems(&contract::pkg_apply::spec().input, &set).is_empty());
        let state = json!({"name": "nginx", "state": "running"});
        assert!(problems(&contract::service_state::spec().input, &state).is_empty());
    }

    #[test]
    fn every_misfit_is_named_with_its_place() {
        let set = json!({"set": [{"name": 1, "from": "1", "security": true}], "more": 0});
        let mut found = problems(&contract::pkg_apply::spec().input, &set);
        found.sort();
        assert_eq!(
            found,
            [
                "`/more` is unknown",
                "`/set/0/name` is not of the type string",
                "`/set/0/to` is missing"
            ]
        );
        let state = json!({"name": "nginx", "state": "asleep"});
        assert_eq!(
            problems(&contract::service_state::spec().input, &state),
            ["`/state` is none of the allowed values"]
        );
        assert_eq!(
            problems(&contract::shell::spec().input, &json!([])),
            ["`/` is not of the type object"]
        );
    }
}
