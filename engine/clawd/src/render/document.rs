//! What programs read: JSON, JSON Lines and YAML.
//!
//! Documents may quote strangers, and people look at them on terminals too. So control characters leave here as
//! escapes, which mean the same to every reader.

use std::fmt::Write as _;

use saphyr::{Mapping, Scalar, ScalarStyle, Yaml, YamlEmitter};
use serde::Serialize;
use serde_json::Value;

use super::obeyed;
use crate::cli::Format;
use crate::exit::Failure;

/// Prints a document; `false` when people read, who want no documents.
pub(crate) fn print<T: Serialize + ?Sized>(format: Format, value: &T) -> Result<bool, Failure> {
    match format {
        Format::Table => return Ok(false),
        Format::Json => outln!(
            "{}",
            safe(&serde_json::to_string_pretty(value).map_err(anyhow::Error::from)?)
        ),
        Format::Ndjson => outln!("{}", line(value)?),
        Format::Yaml => out!(
            "{}",
            yaml(&serde_json::to_value(value).map_err(anyhow::Error::from)?)?
        ),
    }
    Ok(true)
}

/// Items that come one after the other: one array in JSON, a line each, or a YAML document each.
pub(crate) struct Series {
    format: Format,
    count: u64,
}

impl Series {
    pub(crate) fn new(format: Format) -> Self {
        if format == Format::Json {
            out!("[");
        }
        Self { format, count: 0 }
    }

    /// Prints an item as soon as it is there.
    pub(crate) fn item<T: Serialize>(&mut self, item: &T) -> Result<(), Failure> {
        if self.format == Format::Json {
            out!("{}\n  {}", if self.count == 0 { "" } else { "," }, line(item)?);
        } else {
            print(self.format, item)?;
        }
        self.count += 1;
        Ok(())
    }

    /// There are no more.
    pub(crate) fn end(&self) {
        if self.format == Format::Json {
            outln!("{}]", if self.count == 0 { "" } else { "\n" });
        }
    }
}

/// One document, in one line.
pub(crate) fn line<T: Serialize + ?Sized>(value: &T) -> Result<String, Failure> {
    Ok(safe(&serde_json::to_string(value).map_err(anyhow::Error::from)?))
}

/// JSON whose texts hold no character that a terminal obeys. Outside of texts there are none but line breaks.
fn safe(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        if obeyed(c) {
            escape(&mut safe, c);
        } else {
            safe.push(c);
        }
    }
    safe
}

/// What terminals obey lies in the plane of characters that four digits name.
fn escape(text: &mut String, c: char) {
    // Writing into a string cannot fail.
    let _ = write!(text, "\\u{:04x}", u32::from(c));
}

fn yaml(value: &Value) -> Result<String, Failure> {
    let mut text = String::new();
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.multiline(true);
    emitter.dump(&node(value)).map_err(anyhow::Error::from)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    Ok(text)
}

fn node(value: &Value) -> Yaml<'_> {
    match value {
        Value::Null => Yaml::Value(Scalar::Null),
        Value::Bool(value) => Yaml::Value(Scalar::Boolean(*value)),
        // As JSON writes it: YAML reads the same number.
        Value::Number(number) => Yaml::Representation(number.to_string().into(), ScalarStyle::Plain, None),
        Value::String(text) => scalar(text),
        Value::Array(items) => Yaml::Sequence(items.iter().map(node).collect()),
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| (scalar(key), node(value)));
            Yaml::Mapping(members.collect::<Mapping<'_>>())
        }
    }
}

/// A text; in double quotes, whose escapes are those of JSON, when a terminal would obey some of it.
fn scalar(text: &str) -> Yaml<'_> {
    if !text.chars().any(obeyed) {
        return Yaml::Value(Scalar::String(text.into()));
    }
    let json = safe(&Value::from(text).to_string());
    let inner = json.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let inner = inner.unwrap_or_default().to_owned();
    Yaml::Representation(inner.into(), ScalarStyle::DoubleQuoted, None)
}

#[cfg(test)]
mod tests {
    use saphyr::LoadableYamlNode as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn yaml_says_what_json_says() {
        let value = json!({
            "id": "run_01", "none": null, "yes": true, "number": 7, "share": 0.5, "large": u64::MAX,
            "texts": ["no", "1.5", "~", "", "a: b", "- x", "# y", "12:30"],
            "diff": "- old\n+ new\n", "empty": {}, "list": [], "nested": [{"a": [1, {"b": "c"}]}],
        });
        let text = yaml(&value).unwrap();
        assert!(text.starts_with("---\nid: run_01\n"), "{text}");
        assert!(text.contains("diff: |\n  - old\n  + new\n"), "{text}");
        let read = Yaml::load_from_str(&text).unwrap();
        assert_eq!(read.len(), 1);
        let field = |name: &str| read[0].as_mapping_get(name).unwrap();
        assert_eq!(field("share").as_floating_point(), Some(0.5));
        assert_eq!(field("number").as_integer(), Some(7));
        assert!(text.contains("large: 18446744073709551615\n"), "{text}");
        let texts: Vec<&str> = field("texts")
            .as_sequence()
            .unwrap()
            .iter()
            .map(|text| text.as_str().unwrap())
            .collect();
        assert_eq!(texts, ["no", "1.5", "~", "", "a: b", "- x", "# y", "12:30"]);
        assert_eq!(field("diff").as_str(), Some("- old\n+ new\n"));
    }

    #[test]
    fn no_document_drives_the_terminal() {
        let wild = "\"a\u{1b}[2J\u{9b}31m\u{7f}\u{202e}\n\ttext\\";
        let value = json!({"k\u{9b}ey": wild});
        let (line, yaml) = (line(&value).unwrap(), yaml(&value).unwrap());
        for text in [&line, &yaml] {
            assert!(!text.chars().any(obeyed), "{text:?}");
        }
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), value);
        let read = Yaml::load_from_str(&yaml).unwrap();
        assert_eq!(read[0].as_mapping_get("k\u{9b}ey").unwrap().as_str(), Some(wild));
    }
}
