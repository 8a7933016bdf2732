//! Texts become a bundle, or all their problems at once.

pub(crate) mod parse;
pub(crate) mod problem;
pub(crate) mod validate;
pub(crate) mod votes;

use std::collections::{BTreeMap, HashMap};

use cedar_policy::Schema;
use clawd_model::{Problem, Severity};

use self::parse::{FileReader, Parsed};
use self::problem::{Code, error};
use self::validate::Candidate;
use crate::{Vocabulary, action, builtin, schema};

/// Policies that passed every check.
pub(crate) struct Loaded {
    pub(crate) schema: Schema,
    /// With the file of each; `None`: built in.
    pub(crate) policies: Vec<(Option<String>, clawd_model::SourceSpan, Parsed)>,
    pub(crate) warnings: Vec<Problem>,
}

/// Reads and checks all files of a bundle.
pub(crate) fn load(
    files: &BTreeMap<String, String>,
    vocabulary: &Vocabulary,
) -> Result<Loaded, Vec<Problem>> {
    let taken = action::problems(vocabulary);
    if !taken.is_empty() {
        return Err(taken);
    }
    let schema = match Schema::from_cedarschema_str(&schema::text(vocabulary)) {
        Ok((schema, _)) => schema,
        Err(problem) => return Err(vec![error(Code::Schema, problem.to_string()).into()]),
    };
    let mut problems = Vec::new();
    let mut read: Vec<(Option<&str>, &str, Parsed)> = read_builtin(&mut problems);
    for (file, source) in files {
        match kind_of(file) {
            FileKind::Policies => {
                let mut reader = FileReader {
                    file,
                    source,
                    builtin: false,
                    problems: &mut problems,
                };
                read.extend(
                    reader
                        .read()
                        .into_iter()
                        .map(|parsed| (Some(file.as_str()), source.as_str(), parsed)),
                );
            }
            FileKind::Beside => {}
            FileKind::Unknown => problems.push(unknown_file(file)),
        }
    }
    duplicates(&read, &mut problems);
    let candidates: Vec<Candidate<'_>> = read
        .iter()
        .map(|(file, source, parsed)| Candidate {
            file: file.unwrap_or(builtin::FILE),
            source,
            parsed,
        })
        .collect();
    problems.extend(validate::validate(&candidates, &schema, vocabulary));
    if read.iter().all(|(file, _, _)| file.is_none()) && problems.is_empty() {
        problems.push(
            error(Code::Empty, "the bundle has no policies, and denies everything")
                .warning()
                .hint("add a `.cedar` file with a `permit`")
                .into(),
        );
    }
    problems.sort_by_key(|problem| {
        (
            problem.file.clone(),
            problem.span.map(|span| span.start),
            problem.code.clone(),
        )
    });
    problems.dedup();
    if problems.iter().any(|problem| problem.severity == Severity::Error) {
        return Err(problems);
    }
    let policies = read
        .into_iter()
        .map(|(file, source, parsed)| {
            let span = problem::span(source, parsed.place.clone());
            (file.map(str::to_owned), span, parsed)
        })
        .collect();
    Ok(Loaded {
        schema,
        policies,
        warnings: problems,
    })
}

fn read_builtin(problems: &mut Vec<Problem>) -> Vec<(Option<&'static str>, &'static str, Parsed)> {
    let mut reader = FileReader {
        file: builtin::FILE,
        source: builtin::RULES,
        builtin: true,
        problems,
    };
    reader
        .read()
        .into_iter()
        .map(|parsed| (None, builtin::RULES, parsed))
        .collect()
}

enum FileKind {
    Policies,
    /// Tests and documents.
    Beside,
    Unknown,
}

fn kind_of(file: &str) -> FileKind {
    if file.ends_with(".cedar") {
        FileKind::Policies
    } else if file.ends_with("_test.yaml") || file.ends_with(".md") {
        FileKind::Beside
    } else {
        FileKind::Unknown
    }
}

/// A misspelt file name must not silently take its rules out of force.
fn unknown_file(file: &str) -> Problem {
    error(Code::File, format!("`{file}` is no file of a bundle"))
        .file(file)
        .hint("policies are in `*.cedar`, tests in `*_test.yaml`, documents in `*.md`")
        .into()
}

fn duplicates(read: &[(Option<&str>, &str, Parsed)], problems: &mut Vec<Problem>) {
    let mut first: HashMap<&str, (&str, usize)> = HashMap::new();
    for (file, source, parsed) in read {
        let file = file.unwrap_or(builtin::FILE);
        if parsed.id.is_empty() {
            continue;
        }
        let line = problem::span(source, parsed.place.clone()).line;
        match first.get(parsed.id.as_str()) {
            Some((other, other_line)) => problems.push(
                error(
                    Code::DuplicateId,
                    format!("policy id `{}` is used twice", parsed.id),
                )
                .at(file, source, parsed.place.clone())
                .hint(format!("the other one is in `{other}`, line {other_line}"))
                .into(),
            ),
            None => {
                first.insert(&parsed.id, (file, line));
            }
        }
    }
}

#[cfg(test)]
mod tests;
