//! Label selectors: which servers a job works on. Pure matching against a [`Server`]; never looks servers up.

use std::fmt;
use std::str::FromStr;

use clawd_model::Server;

/// Conditions that must all hold: `role=web,env!=prod`. `*` selects every server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selector {
    conditions: Vec<Condition>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    Equals(String),
    Differs(String),
    In(Vec<String>),
    NotIn(Vec<String>),
}

/// A text that is not a selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// Nothing at all.
    #[error("the selector is empty")]
    Empty,
    /// Nothing between two commas.
    #[error("the selector `{0}` has an empty condition")]
    EmptyCondition(String),
    /// Something that is no label.
    #[error("`{0}` in the selector is not a label")]
    NotALabel(String),
    /// Something that is no value of a label.
    #[error("`{0}` in the selector is not a value of a label")]
    NotAValue(String),
    /// Brackets that do not match, or that hold nothing.
    #[error("the list of values in `{0}` is not complete")]
    BrokenList(String),
}

impl SelectorError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Empty => "write `*` to select every server",
            Self::EmptyCondition(_) => "remove a comma",
            Self::NotALabel(_) => {
                "conditions look like `role=web`, `env!=prod`, `role in (web, api)`, `gpu` or `!gpu`"
            }
            Self::NotAValue(_) => "values are letters, digits, `-`, `_`, `.`, `/`, `:` and `@`",
            Self::BrokenList(_) => "a list looks like `role in (web, api)`",
        })
    }
}

impl Selector {
    /// Reads a selector.
    ///
    /// # Errors
    /// When the text is none; the error says which part of it.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(SelectorError::Empty);
        }
        if text == "*" {
            return Ok(Self {
                conditions: Vec::new(),
            });
        }
        let conditions = split(text)?
            .into_iter()
            .map(|part| condition(part, text))
            .collect::<Result<_, _>>()?;
        Ok(Self { conditions })
    }

    /// Whether it selects every server.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        self.conditions.is_empty()
    }

    /// Whether all conditions hold for the server.
    #[must_use]
    pub fn matches(&self, server: &Server) -> bool {
        self.conditions
            .iter()
            .all(|condition| condition.holds(server.label(&condition.key)))
    }
}

impl Condition {
    fn holds(&self, value: Option<&str>) -> bool {
        match &self.test {
            Test::Exists => value.is_some(),
            Test::Absent => value.is_none(),
            Test::Equals(wanted) => value == Some(wanted),
            Test::Differs(unwanted) => value != Some(unwanted),
            Test::In(wanted) => value.is_some_and(|value| wanted.iter().any(|wanted| wanted == value)),
            Test::NotIn(unwanted) => {
                value.is_none_or(|value| unwanted.iter().all(|unwanted| unwanted != value))
            }
        }
    }
}

/// Splits at commas that are not inside of brackets.
fn split(text: &str) -> Result<Vec<&str>, SelectorError> {
    let mut parts = Vec::new();
    let mut depth = 0_u32;
    let mut begin = 0;
    for (at, character) in text.char_indices() {
        match character {
            '(' if depth == 0 => depth = 1,
            ')' if depth == 1 => depth = 0,
            '(' | ')' => return Err(SelectorError::BrokenList(text.to_owned())),
            ',' if depth == 0 => {
                parts.push(text.get(begin..at).unwrap_or(""));
                begin = at + 1;
            }
            _ => {}
        }
    }
    if depth > 0 {
        return Err(SelectorError::BrokenList(text.to_owned()));
    }
    parts.push(text.get(begin..).unwrap_or(""));
    Ok(parts)
}

fn condition(part: &str, whole: &str) -> Result<Condition, SelectorError> {
    let part = part.trim();
    if part.is_empty() {
        return Err(SelectorError::EmptyCondition(whole.to_owned()));
    }
    if let Some(before) = part.strip_suffix(')') {
        let (head, values) = before
            .split_once('(')
            .ok_or_else(|| SelectorError::BrokenList(part.to_owned()))?;
        return list_condition(part, head.trim(), values);
    }
    if let Some((key, wanted)) = part.split_once("!=") {
        return Ok(Condition {
            key: label(key)?,
            test: Test::Differs(value(wanted)?),
        });
    }
    if let Some((key, wanted)) = part.split_once("==").or_else(|| part.split_once('=')) {
        return Ok(Condition {
            key: label(key)?,
            test: Test::Equals(value(wanted)?),
        });
    }
    match part.strip_prefix('!') {
        Some(key) => Ok(Condition {
            key: label(key)?,
            test: Test::Absent,
        }),
        None => Ok(Condition {
            key: label(part)?,
            test: Test::Exists,
        }),
    }
}

/// `role in (…)`, `role notin (…)`, `role not in (…)`.
fn list_condition(part: &str, head: &str, values: &str) -> Result<Condition, SelectorError> {
    let words: Vec<&str> = head.split_whitespace().collect();
    let (key, negated) = match words.as_slice() {
        [key, "in"] => (*key, false),
        [key, "notin"] | [key, "not", "in"] => (*key, true),
        _ => return Err(SelectorError::BrokenList(part.to_owned())),
    };
    if values.trim().is_empty() {
        return Err(SelectorError::BrokenList(part.to_owned()));
    }
    let values = values.split(',').map(value).collect::<Result<Vec<_>, _>>()?;
    let test = if negated {
        Test::NotIn(values)
    } else {
        Test::In(values)
    };
    Ok(Condition {
        key: label(key)?,
        test,
    })
}

fn label(text: &str) -> Result<String, SelectorError> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.len() <= 63
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-_./".contains(character));
    if fits {
        Ok(text.to_owned())
    } else {
        Err(SelectorError::NotALabel(text.to_owned()))
    }
}

fn value(text: &str) -> Result<String, SelectorError> {
    let text = text.trim();
    let fits = !text.is_empty()
        && text.len() <= 253
        && text
            .chars()
            .all(|character| character.is_ascii_alphanumeric() || "-_./:@".contains(character));
    if fits {
        Ok(text.to_owned())
    } else {
        Err(SelectorError::NotAValue(text.to_owned()))
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        Self::parse(text)
    }
}

/// One spelling of each selector: equal selectors have equal texts, and the text can be parsed again.
impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.conditions.is_empty() {
            return f.write_str("*");
        }
        for (position, Condition { key, test }) in self.conditions.iter().enumerate() {
            if position > 0 {
                f.write_str(",")?;
            }
            match test {
                Test::Exists => f.write_str(key)?,
                Test::Absent => write!(f, "!{key}")?,
                Test::Equals(value) => write!(f, "{key}={value}")?,
                Test::Differs(value) => write!(f, "{key}!={value}")?,
                Test::In(values) => write!(f, "{key} in ({})", values.join(", "))?,
                Test::NotIn(values) => write!(f, "{key} notin ({})", values.join(", "))?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
