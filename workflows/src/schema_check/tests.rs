//! The subset of JSON Schema.

use super::*;
use serde_json::json;

fn misfits(schema: &Value, value: &Value) -> Vec<String> {
    schema_misfits(schema, value)
}

fn contract() -> Value {
    json!({
        "type": "object",
        "properties": {
            "name": {"type": "string", "description": "the unit"},
            "state": {"type": "string", "enum": ["running", "stopped"]},
            "port": {"type": "integer", "minimum": 1, "maximum": 65535},
            "ratio": {"type": "number"},
            "names": {"type": "array", "items": {"type": "string"}},
            "any": {"description": "any value"},
            "when": {"anyOf": [{"type": "boolean"}, {"$ref": "#/$defs/window"}]},
            "kind": {"const": "fixed"},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
            "maybe": {"type": ["string", "null"]},
        },
        "required": ["name"],
        "additionalProperties": false,
        "$defs": {"window": {"type": "object", "required": ["from"], "properties": {"from": {"type": "string"}}}},
    })
}

#[test]
fn what_fits_has_no_misfits() {
    let value = json!({
        "name": "nginx", "state": "running", "port": 80, "ratio": 1, "names": ["a"], "any": {"x": [null]},
        "when": {"from": "noon"}, "kind": "fixed", "labels": {"a": "b"}, "maybe": null,
    });
    assert_eq!(misfits(&contract(), &value), Vec::<String>::new());
    assert_eq!(misfits(&json!({}), &json!({"anything": 1})), Vec::<String>::new());
}

#[test]
fn every_misfit_is_named() {
    let value = json!({
        "state": "runing", "port": 0, "ratio": "1", "names": ["a", 1], "when": {"to": "noon"}, "kind": "loose",
        "labels": {"a": 1}, "maybe": 1, "nmae": "x",
    });
    let mut found = misfits(&contract(), &value);
    found.sort();
    assert_eq!(
        found,
        [
            "`a` is a text; this is a whole number",
            "`kind` cannot be `loose`",
            "`maybe` is a text, or nothing; this is a whole number",
            "`port` is at least 1, not 0",
            "`ratio` is a number; this is a text",
            "`state` cannot be `runing`",
            "`when` needs `from`",
            "an item of `names` is a text; this is a whole number",
            "the value has no `nmae`",
            "the value needs `name`",
        ]
    );
}

#[test]
fn references_in_a_circle_end() {
    let schema = json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}});
    assert_eq!(misfits(&schema, &json!(1)), Vec::<String>::new());
}

#[test]
fn of_expressions_the_type_counts() {
    let dynamic = |known: Option<&'static str>| {
        move |node: &Node| {
            if matches!(node.kind, Kind::Text(_)) {
                Dynamic::Yes(known)
            } else {
                Dynamic::No
            }
        }
    };
    let node = Node::from_value(&json!({"port": "${{ x }}"}));
    let schema = json!({"properties": {"port": {"type": "integer"}}});
    let count = |known| Checker::new(&schema, &dynamic(known)).check(&node, "it").len();
    assert_eq!(
        (
            count(None),
            count(Some("integer")),
            count(Some("number")),
            count(Some("string"))
        ),
        (0, 0, 0, 1)
    );
}
