//! The JSON Schema for editors says what the parser says.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::*;
use crate::inputs::InputKind;
use crate::library::{self, SCHEMA};
use crate::parse::Lines;
use crate::problems::Problems;
use crate::{retry, schema_misfits};
use clawd_model::ErrorKind;

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

fn value(source: &str) -> Value {
    crate::parse::yaml(source, &Lines::new(source), &Problems::default())
        .unwrap()
        .to_value()
}

#[test]
fn every_mapping_has_the_same_keys_in_both() {
    let schema = schema();
    for (name, shape) in ALL {
        let definition = &schema["$defs"][name];
        assert_eq!(definition["additionalProperties"], false, "{name}");
        let listed: BTreeSet<&str> = definition["properties"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(listed, shape.keys.iter().copied().collect(), "{name}");
        for (foreign, _) in shape.foreign {
            assert!(!shape.keys.contains(foreign), "{name}: `{foreign}` is a key");
        }
    }
}

#[test]
fn words_are_the_same_in_both() {
    let schema = schema();
    let definition = |name: &str| schema["$defs"][name].clone();
    assert_eq!(
        definition("input")["properties"]["type"]["enum"],
        json!(InputKind::WORDS)
    );
    assert_eq!(
        definition("runbook")["properties"]["apiVersion"]["const"],
        clawd_model::product::API_VERSION
    );
    let retried: Vec<&str> = ErrorKind::ALL
        .into_iter()
        .filter(|word| retry::kind(word).is_some_and(|kind| !retry::NEVER.contains(&kind)))
        .collect();
    assert_eq!(definition("error")["enum"], json!(retried));
}

#[test]
fn the_library_and_the_document_with_every_key_fit_the_schema() {
    let schema = schema();
    let everything = include_str!("../../../tests/accept/everything.yaml");
    for (name, source) in library::runbooks().iter().chain([&("everything", everything)]) {
        assert_eq!(
            schema_misfits(&schema, &value(source)),
            Vec::<String>::new(),
            "{name}"
        );
    }
}

#[test]
fn a_misspelt_document_does_not_fit() {
    let schema = schema();
    let source = include_str!("../../../tests/reject/shape.yaml");
    let misfits = schema_misfits(&schema, &value(source));
    for expected in [
        "`a` has no `need`",
        "`targets` needs `selector`",
        "the value has no `hosts`",
    ] {
        assert!(
            misfits.iter().any(|misfit| misfit == expected),
            "{expected}: {misfits:#?}"
        );
    }
}

/// Every key of the language stands in the document that shows every key.
#[test]
fn no_key_is_forgotten_in_the_accepted_documents() {
    fn keys(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                found.insert(key.clone());
                keys(value, found);
            }),
            Value::Array(items) => items.iter().for_each(|item| keys(item, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    keys(
        &value(include_str!("../../../tests/accept/everything.yaml")),
        &mut found,
    );
    for key in ALL.iter().flat_map(|(_, shape)| shape.keys) {
        assert!(found.contains(*key), "`{key}`");
    }
}
