//! What an unquoted word of YAML stands for: the core schema of YAML 1.2, and nothing of YAML 1.1. So `yes`, `on`
//! and `0644` are not a boolean, a boolean and an octal number; where that could surprise, the checks say so.

use serde_json::Number;

use super::node::Kind;

/// A number that YAML knows and JSON does not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unrepresentable;

/// Reads a plain scalar.
pub(crate) fn plain(text: &str) -> Result<Kind, Unrepresentable> {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Ok(Kind::Null),
        "true" | "True" | "TRUE" => return Ok(Kind::Bool(true)),
        "false" | "False" | "FALSE" => return Ok(Kind::Bool(false)),
        _ => {}
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") || matches!(text, ".nan" | ".NaN" | ".NAN") {
        return Err(Unrepresentable);
    }
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(text, digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(text, digits, 8);
    }
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return integer(text);
    }
    if is_float(unsigned) {
        let number = text.parse::<f64>().ok().and_then(Number::from_f64);
        return number.map(Kind::Number).ok_or(Unrepresentable);
    }
    Ok(Kind::Text(text.to_owned()))
}

fn radix(text: &str, digits: &str, radix: u32) -> Result<Kind, Unrepresentable> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return Ok(Kind::Text(text.to_owned()));
    }
    let number = i64::from_str_radix(digits, radix).map_err(|_| Unrepresentable)?;
    Ok(Kind::Number(number.into()))
}

fn integer(text: &str) -> Result<Kind, Unrepresentable> {
    let number = text.strip_prefix('+').unwrap_or(text).parse::<i64>();
    number
        .map(|number| Kind::Number(number.into()))
        .map_err(|_| Unrepresentable)
}

/// `[0-9]* (. [0-9]*)? ([eE] [-+]? [0-9]+)?` with a digit before the exponent.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_fits = exponent.is_none_or(|exponent| {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !exponent.is_empty() && digits(exponent)
    });
    !(whole.is_empty() && fraction.is_empty()) && digits(whole) && digits(fraction) && exponent_fits
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_are_read_as_yaml_1_2_reads_them() {
        let value = |text: &str| {
            let kind = plain(text).unwrap();
            super::super::node::Node {
                kind,
                span: clawd_model::SourceSpan::default(),
            }
            .to_value()
        };
        for (text, expected) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("true", json!(true)),
            ("yes", json!("yes")),
            ("on", json!("on")),
            ("0644", json!(644)),
            ("0o644", json!(420)),
            ("0x1f", json!(31)),
            ("0xzz", json!("0xzz")),
            ("-12", json!(-12)),
            ("+12", json!(12)),
            ("1.5", json!(1.5)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            (".", json!(".")),
            ("-", json!("-")),
            ("1.2.3", json!("1.2.3")),
            ("12:30", json!("12:30")),
            ("1e", json!("1e")),
        ] {
            assert_eq!(value(text), expected, "{text:?}");
        }
    }

    #[test]
    fn numbers_that_json_does_not_know_are_refused() {
        for text in [".inf", "-.inf", ".nan", "99999999999999999999", "1e999"] {
            assert_eq!(plain(text), Err(Unrepresentable), "{text}");
        }
    }
}
