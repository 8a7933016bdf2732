//! The OpenAPI document is the one that is kept in the documentation, and describes every route.

use std::path::Path;

#[test]
fn the_document_is_fresh() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/openapi.json");
    let fresh = clawd_api::openapi_text();
    if std::env::var_os("CLAWD_UPDATE_REFERENCE").is_some() {
        std::fs::create_dir_all(kept.parent().unwrap()).unwrap();
        std::fs::write(&kept, &fresh).unwrap();
    }
    let kept = std::fs::read_to_string(&kept).unwrap_or_default();
    assert!(
        kept == fresh,
        "docs/reference/openapi.json is stale: run the tests with CLAWD_UPDATE_REFERENCE=1"
    );
}

#[test]
fn every_operation_states_its_permission_and_an_id_of_its_own() {
    let document: serde_json::Value = serde_json::from_str(&clawd_api::openapi_text()).unwrap();
    let mut ids = std::collections::BTreeSet::new();
    let mut dangling = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["x-permission"].is_string(), "{method} {path}");
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(
                ids.insert(operation["operationId"].as_str().unwrap().to_owned()),
                "{method} {path}"
            );
            let open = operation["x-permission"] == "none";
            assert_eq!(operation["security"].is_array(), !open, "{method} {path}");
        }
    }
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut check = |value: &serde_json::Value| {
        if let Some(name) = value
            .as_str()
            .and_then(|text| text.strip_prefix("#/components/schemas/"))
            && !schemas.contains_key(name)
        {
            dangling.push(name.to_owned());
        }
    };
    walk(&document, &mut check);
    assert!(
        dangling.is_empty(),
        "schemas that are referred to and not there: {dangling:?}"
    );
}

fn walk(value: &serde_json::Value, check: &mut impl FnMut(&serde_json::Value)) {
    match value {
        serde_json::Value::Object(map) => {
            for (key, value) in map {
                if key == "$ref" {
                    check(value);
                }
                walk(value, check);
            }
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| walk(item, check)),
        _ => {}
    }
}
