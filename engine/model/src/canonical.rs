//! One spelling of a JSON value, so that equal values have equal digests.
//!
//! Keys are sorted by their UTF-8 bytes, no white space, strings and numbers as `serde_json` writes them. Our
//! documents hold integers and strings; floating-point numbers are written in their shortest form.

use std::fmt::Write as _;

use serde_json::Value;

/// The canonical text of a value.
#[must_use]
pub fn to_string(value: &Value) -> String {
    let mut out = String::with_capacity(256);
    push(&mut out, value);
    out
}

/// Appends the canonical text of a value.
pub fn push(out: &mut String, value: &Value) {
    match value {
        Value::Object(map) => {
            out.push('{');
            // Those that are written thousands of times a second are made in order.
            if map.keys().is_sorted() {
                write_members(map.iter(), out);
            } else {
                let mut members: Vec<_> = map.iter().collect();
                members.sort_unstable_by_key(|(key, _)| *key);
                write_members(members.into_iter(), out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                push(out, item);
            }
            out.push(']');
        }
        Value::String(text) => push_text(out, text),
        scalar => {
            let _ = write!(out, "{scalar}");
        }
    }
}

fn write_members<'v>(members: impl Iterator<Item = (&'v String, &'v Value)>, out: &mut String) {
    for (position, (key, value)) in members.enumerate() {
        if position > 0 {
            out.push(',');
        }
        push_text(out, key);
        out.push(':');
        push(out, value);
    }
}

/// Appends a text in quotation marks, escaped as everywhere else.
pub fn push_text(out: &mut String, text: &str) {
    // As a rule nothing has to be escaped.
    if text
        .bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
    {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        let _ = write!(out, "{}", Value::from(text));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    #[test]
    fn order_does_not_matter() {
        assert_eq!(
            super::to_string(&json!({"b": [1, "x"], "a": {"d": null, "c": true}})),
            r#"{"a":{"c":true,"d":null},"b":[1,"x"]}"#
        );
    }
    #[test]
    fn texts_are_escaped_as_serde_json_does() {
        for text in [
            "",
            "plain",
            "ünïcode \u{1F980}",
            "\"",
            "\\",
            "\n\t\r\u{8}\u{c}",
            "\u{0}\u{1f}",
            "\u{7f}/",
            "\u{2028}",
        ] {
            assert_eq!(super::to_string(&json!(text)), json!(text).to_string());
            assert_eq!(super::to_string(&json!({text: 1})), json!({text: 1}).to_string());
        }
    }
}
