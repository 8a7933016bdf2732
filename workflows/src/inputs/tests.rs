//! Inputs as people give them.

use super::*;

fn specs() -> Vec<InputSpec> {
    let spec = |name: &str, kind: InputKind, default: Option<Value>| InputSpec {
        name: name.to_owned(),
        description: format!("the {name}"),
        kind,
        default,
    };
    vec![
        spec("host", InputKind::Text, None),
        spec(
            "port",
            InputKind::Integer {
                min: Some(1),
                max: Some(65535),
            },
            Some(json!(22)),
        ),
        spec(
            "reboot",
            InputKind::Enum(vec!["never".into(), "if-needed".into()]),
            Some(json!("never")),
        ),
        spec("dry", InputKind::Boolean, Some(json!(false))),
        spec("names", InputKind::List, Some(json!([]))),
    ]
}

#[test]
fn defaults_are_filled_in() {
    assert_eq!(
        complete(&specs(), &json!({"host": "a", "port": 80})),
        Ok(json!({"host": "a", "port": 80, "reboot": "never", "dry": false, "names": []}))
    );
}

#[test]
fn all_problems_are_named_at_once() {
    let given = json!({"port": 0, "reboot": "maybe", "dry": "no", "names": [1], "hots": "a"});
    let problems = complete(&specs(), &given).unwrap_err();
    let seen: Vec<(&str, &str)> = problems
        .iter()
        .map(|problem| (problem.code.as_str(), problem.message.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("RB070", "there is no input `hots`"),
            ("RB071", "input `host` was not given"),
            ("RB072", "input `port`: 0 is smaller than 1"),
            ("RB072", "input `reboot`: `maybe` is not one of its values"),
            ("RB072", "input `dry`: true or false is wanted, not a text"),
            ("RB072", "input `names`: its items are texts, not a whole number"),
        ]
    );
    assert_eq!(problems[0].hint.as_deref(), Some("did you mean `host`?"));
    assert_eq!(problems[3].hint.as_deref(), Some("one of `never`, `if-needed`"));
}

#[test]
fn inputs_are_a_mapping_or_nothing() {
    assert!(complete(&specs()[1..], &Value::Null).is_ok());
    assert_eq!(complete(&specs(), &json!([1])).unwrap_err()[0].code, "RB072");
}

#[test]
fn texts_are_read_by_the_type_of_the_input() {
    let specs = specs();
    for (index, text, expected) in [
        (0, "22", json!("22")),
        (1, " 22 ", json!(22)),
        (3, "true", json!(true)),
        (4, "a, b,", json!(["a", "b"])),
        (4, r#"["a,b"]"#, json!(["a,b"])),
        (4, "", json!([])),
    ] {
        assert_eq!(specs[index].read(text).unwrap(), expected, "{text}");
    }
    for (index, text) in [(1, "22.5"), (1, "x"), (1, "70000"), (2, "maybe"), (3, "yes")] {
        assert_eq!(specs[index].read(text).unwrap_err().code, "RB072", "{text}");
    }
}

#[test]
fn sizes_are_limited() {
    let specs = specs();
    assert!(specs[0].read(&"x".repeat(MAX_TEXT + 1)).is_err());
    assert!(specs[4].read(&"x,".repeat(MAX_ITEMS + 1)).is_err());
}

#[test]
fn the_schema_describes_a_form() {
    let schema = schema(&specs());
    assert_eq!(schema["required"], json!(["host"]));
    assert_eq!(schema["properties"]["port"]["maximum"], 65535);
    assert_eq!(
        schema["properties"]["reboot"]["enum"],
        json!(["never", "if-needed"])
    );
}
