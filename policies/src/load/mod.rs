//! Texts become a bundle, or all their problems at once.

pub(crate) mod limits;
pub(crate) mod parse;
pub(crate) mod problem;
pub(crate) mod validate;
pub(crate) mod votes;

use std::collections::{BTreeMap, HashMap};

use cedar_policy::Schema;
use clawd_model::{Problem, Severity, SourceSpan};

use self::parse::{FileReader, Parsed};
use self::problem::{Code, Source, error};
use self::validate::Candidate;
use crate::{Vocabulary, action, builtin, schema};

/// Policies that passed every check.
pub(crate) struct Loaded {
    pub(crate) schema: Schema,
    /// With the file of each; `None`: built in.
    pub(crate) policies: Vec<(Option<String>, SourceSpan, Parsed)>,
    pub(crate) warnings: Vec<Problem>,
}

/// What reading and validating the deepest policy that the limits allow may need, in a build without optimisation.
const STACK: usize = 64 * 1024 * 1024;

/// Reads and checks all files of a bundle.
pub(crate) fn load(
    files: &BTreeMap<String, String>,
    vocabulary: &Vocabulary,
) -> Result<Loaded, Vec<Problem>> {
    stacker::grow(STACK, || load_here(files, vocabulary))
}

fn load_here(files: &BTreeMap<String, String>, vocabulary: &Vocabulary) -> Result<Loaded, Vec<Problem>> {
    let taken = action::problems(vocabulary);
    if !taken.is_empty() {
        return Err(taken);
    }
    let schema = match Schema::from_cedarschema_str(&schema::text(vocabulary)) {
        Ok((schema, _)) => schema,
        Err(problem) => return Err(vec![error(Code::Schema, problem.to_string()).into()]),
    };
    let mut problems: Vec<Problem> = files
        .keys()
        .filter(|file| kind_of(file) == FileKind::Unknown)
        .map(|file| unknown_file(file))
        .collect();
    let own = Source::new(builtin::FILE, builtin::RULES);
    let given: Vec<Source<'_>> = files
        .iter()
        .filter(|(file, _)| kind_of(file) == FileKind::Policies)
        .map(|(file, text)| Source::new(file, text))
        .collect();
    let mut read: Vec<(&Source<'_>, bool, Parsed)> = Vec::new();
    for (source, builtin) in std::iter::once((&own, true)).chain(given.iter().map(|source| (source, false))) {
        let mut reader = FileReader {
            source,
            builtin,
            problems: &mut problems,
        };
        read.extend(reader.read().into_iter().map(|parsed| (source, builtin, parsed)));
    }
    duplicates(&read, &mut problems);
    let candidates: Vec<Candidate<'_>> = read
        .iter()
        .map(|(source, _, parsed)| Candidate { source, parsed })
        .collect();
    problems.extend(validate::validate(&candidates, &schema, vocabulary));
    if read.iter().all(|(_, builtin, _)| *builtin) && problems.is_empty() {
        problems.push(empty());
    }
    problems.sort_by_cached_key(|problem| {
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
    let placed = read.into_iter().map(|(source, builtin, parsed)| {
        let span = source.span(parsed.place.clone());
        ((!builtin).then(|| source.file.to_owned()), span, parsed)
    });
    Ok(Loaded {
        schema,
        policies: placed.collect(),
        warnings: problems,
    })
}

#[derive(PartialEq)]
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

fn empty() -> Problem {
    error(Code::Empty, "the bundle has no policies, and denies everything")
        .warning()
        .hint("add a `.cedar` file with a `permit`")
        .into()
}

fn duplicates(read: &[(&Source<'_>, bool, Parsed)], problems: &mut Vec<Problem>) {
    let mut first: HashMap<&str, (&str, usize)> = HashMap::new();
    for (source, _, parsed) in read.iter().filter(|(_, _, parsed)| !parsed.id.is_empty()) {
        let line = source.span(parsed.place.clone()).line;
        match first.get(parsed.id.as_str()) {
            Some((other, other_line)) => problems.push(
                error(
                    Code::DuplicateId,
                    format!("policy id `{}` is used twice", parsed.id),
                )
                .at(source, parsed.place.clone())
                .hint(format!("the other one is in `{other}`, line {other_line}"))
                .into(),
            ),
            None => {
                first.insert(&parsed.id, (source.file, line));
            }
        }
    }
}

#[cfg(test)]
mod tests;
