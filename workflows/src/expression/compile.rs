//! Text → [`Expression`], once per document. What it refers to is checked later, where that is known.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use cel::ParseError;
use clawd_model::SecretName;

use super::analyse::analyse;
use super::reference::Root;
use super::{Code, Expression, functions, guard};
use crate::codes;
use crate::parse::{floor, shortened};

/// Something wrong with an expression, and where in its text.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) code: &'static codes::Code,
    pub(crate) message: String,
    pub(crate) hint: Option<String>,
    pub(crate) range: Range<usize>,
}

impl Fault {
    fn whole(code: &'static codes::Code, source: &str, message: String, hint: Option<&str>) -> Vec<Self> {
        vec![Self {
            code,
            message,
            hint: hint.map(str::to_owned),
            range: trimmed(source),
        }]
    }
}

/// Compiles an expression, or says all that is wrong with it.
pub(crate) fn compile(source: &str) -> Result<Expression, Vec<Fault>> {
    if source.trim().is_empty() {
        let hint = Some("write something between `${{` and `}}`");
        return Err(Fault::whole(
            &codes::EXPRESSION_SYNTAX,
            source,
            "the expression is empty".to_owned(),
            hint,
        ));
    }
    if let Some(message) = guard::too_large(source) {
        let hint = Some("compute it in a step");
        return Err(Fault::whole(&codes::EXPRESSION_TOO_LARGE, source, message, hint));
    }
    // A panic of the parser must not take down whoever checks a stranger's document.
    let parsed = catch_unwind(AssertUnwindSafe(|| functions::environment().compile(source)));
    let program = match parsed {
        Ok(Ok(program)) => program,
        Ok(Err(errors)) => {
            let first = errors.errors.first();
            return Err(vec![
                first.map_or_else(|| unreadable(source), |error| syntax(source, error)),
            ]);
        }
        Err(_) => return Err(vec![unreadable(source)]),
    };
    let begin_of = |id: u64| {
        let begin = program.source_info().offset_for(id).map_or(0, |(begin, _)| begin);
        floor(source, usize::try_from(begin).unwrap_or(0))
    };
    let mut analysis = analyse(program.expression(), source, &begin_of);
    let secret = analysis
        .references
        .first()
        .and_then(|reference| match &reference.root {
            Root::Secret(name) if analysis.is_reference => Some(name.clone()),
            _ => None,
        });
    let code = match secret.map(|name| name.parse::<SecretName>()) {
        Some(Ok(name)) => Code::Secret(name),
        Some(Err(error)) => {
            let range = trimmed(source);
            let hint = Some(format!("such a name is {}", error.rule));
            analysis.faults.push(Fault {
                code: &codes::INVALID_NAME,
                message: error.to_string(),
                hint,
                range,
            });
            Code::Reference
        }
        None if analysis.is_reference => Code::Reference,
        None => Code::Program(Arc::new(program)),
    };
    if !analysis.faults.is_empty() {
        return Err(analysis.faults);
    }
    let (result, references) = (analysis.result, analysis.references.into());
    Ok(Expression {
        source: source.into(),
        code,
        references,
        result,
    })
}

/// The expression without the white space around it.
pub(crate) fn trimmed(source: &str) -> Range<usize> {
    let begin = source.len() - source.trim_start().len();
    begin..(begin + source.trim().len()).max(begin)
}

fn unreadable(source: &str) -> Fault {
    let message = format!("`{}` is not an expression", shortened(source.trim()));
    Fault {
        code: &codes::EXPRESSION_SYNTAX,
        message,
        hint: None,
        range: 0..source.len(),
    }
}

/// Translates the first error of the parser for people.
fn syntax(source: &str, error: &ParseError) -> Fault {
    let at = place(source, error.pos);
    let message = error.msg.trim_start_matches("Syntax error: ");
    let quoted = |prefix: &str| {
        let rest = message.strip_prefix(prefix)?.strip_prefix('\'')?;
        Some(
            rest.split("' expecting")
                .next()
                .unwrap_or(rest)
                .trim_end_matches('\'')
                .to_owned(),
        )
    };
    let (text, length) = if message.contains("'<EOF>'") {
        ("the expression ends too early".to_owned(), 1)
    } else if let Some(found) = quoted("token recognition error at: ") {
        (
            format!("`{}` is not part of an expression", shortened(&found)),
            found.len(),
        )
    } else if let Some(found) = quoted("extraneous input ").or_else(|| quoted("mismatched input ")) {
        (
            format!("`{}` is not expected here", shortened(&found)),
            found.len(),
        )
    } else {
        (
            shortened(message.split(" expecting").next().unwrap_or(message)),
            1,
        )
    };
    let end = floor(source, (at + length).max(at + 1));
    let hint = hint(source, at).map(str::to_owned);
    Fault {
        code: &codes::EXPRESSION_SYNTAX,
        message: text,
        hint,
        range: at.min(end)..end,
    }
}

/// The byte of a line and column, both counted from 1, columns in characters.
fn place(source: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line.saturating_sub(1)).unwrap_or(0);
    let column = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
    let begin: usize = source.split_inclusive('\n').take(line).map(str::len).sum();
    let rest = source.get(begin..).unwrap_or("");
    begin + rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at)
}

fn hint(source: &str, at: usize) -> Option<&'static str> {
    let rest = source.get(at..).unwrap_or("");
    let word = rest
        .split(|next: char| !next.is_ascii_alphanumeric())
        .next()
        .unwrap_or("");
    Some(match (word, rest.chars().next()) {
        ("and", _) => "`and` is written `&&`",
        ("or", _) => "`or` is written `||`",
        ("not" | "is", _) => "`not` is written `!`, and `is` is written `==`",
        (_, Some('=')) => "values are compared with `==`",
        (_, Some('&')) => "`and` is written `&&`",
        (_, Some('|')) => "`or` is written `||`; there are no filters",
        (_, Some('\'' | '"')) => "the text in quotes does not end",
        (_, Some('$')) => "inside of an expression, variables stand without `$`",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
