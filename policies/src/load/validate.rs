//! Strict validation against the schema: every typo is a problem with its place and a hint.

use std::collections::HashMap;

use cedar_policy::{
    PolicyId, PolicySet, Schema, ValidationError, ValidationMode, ValidationWarning, Validator,
};
use clawd_model::Problem;
use miette::Diagnostic;

use super::parse::{Parsed, place_of};
use super::problem::{Code, error, nearest};
use crate::Vocabulary;

/// One file's policies, to be validated with those of all other files.
pub(crate) struct Candidate<'a> {
    pub(crate) file: &'a str,
    pub(crate) source: &'a str,
    pub(crate) parsed: &'a Parsed,
}

/// What is wrong with these policies.
pub(crate) fn validate(
    candidates: &[Candidate<'_>],
    schema: &Schema,
    vocabulary: &Vocabulary,
) -> Vec<Problem> {
    let mut set = PolicySet::new();
    let mut places = HashMap::new();
    for (number, candidate) in candidates.iter().enumerate() {
        // Ids of our own, since `@id`s may be missing or doubled.
        let id = PolicyId::new(format!("p{number}"));
        let policy = candidate.parsed.policy.new_id(id.clone());
        if set.add(policy).is_ok() {
            places.insert(id, candidate);
        }
    }
    let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let mut problems = Vec::new();
    for found in result.validation_errors() {
        if let Some(candidate) = places.get(found.policy_id()) {
            let hint = (hint_for(found, candidate, vocabulary))
                .or_else(|| found.help().map(|help| help.to_string()));
            problems.push(problem(code_of(found), found, found.policy_id(), candidate, hint));
        }
    }
    for found in result.validation_warnings() {
        if let Some(candidate) = places.get(found.policy_id()) {
            problems.push(warning(found, candidate));
        }
    }
    problems
}

fn problem(
    code: Code,
    found: &dyn Diagnostic,
    id: &PolicyId,
    candidate: &Candidate<'_>,
    hint: Option<String>,
) -> Problem {
    let text = found.to_string();
    let prefix = format!("for policy `{id}`, ");
    let message = text.strip_prefix(&prefix).unwrap_or(&text);
    let place = place_of(found).unwrap_or_else(|| candidate.parsed.place.clone());
    error(code, message)
        .at(candidate.file, candidate.source, place)
        .maybe_hint(hint)
        .into()
}

fn code_of(error: &ValidationError) -> Code {
    match error {
        ValidationError::UnrecognizedEntityType(_) => Code::UnknownType,
        ValidationError::UnrecognizedActionId(_) => Code::UnknownAction,
        ValidationError::UnsafeAttributeAccess(_) => Code::UnknownAttribute,
        ValidationError::UnsafeOptionalAttributeAccess(_)
        | ValidationError::UnsafeTagAccess(_)
        | ValidationError::NoTagsAllowed(_) => Code::Unchecked,
        ValidationError::InvalidEnumEntity(_) => Code::UnknownGroup,
        ValidationError::InvalidActionApplication(_) => Code::Never,
        _ => Code::Type,
    }
}

/// For a group: the nearest one, which Cedar does not look for.
fn hint_for(error: &ValidationError, candidate: &Candidate<'_>, vocabulary: &Vocabulary) -> Option<String> {
    let groups = vocabulary.groups.iter().map(|group| group.as_str());
    match error {
        ValidationError::InvalidEnumEntity(_) => {
            let text = candidate.source.get(place_of(error)?)?;
            let wrong = text.split('"').nth(1)?;
            Some(nearest(wrong, groups).map_or_else(
                || "create the group first, or use one that exists".to_owned(),
                |name| format!("did you mean `Group::\"{name}\"`?"),
            ))
        }
        ValidationError::UnsafeOptionalAttributeAccess(_) => {
            Some("ask first: `context has run && …`, `resource has operator && …`".to_owned())
        }
        ValidationError::UnsafeTagAccess(_) => {
            Some("ask first: `resource.hasTag(\"role\") && resource.getTag(\"role\") == \"web\"`".to_owned())
        }
        _ => None,
    }
}

fn warning(found: &ValidationWarning, candidate: &Candidate<'_>) -> Problem {
    let id = found.policy_id();
    let never = "it cannot protect or allow anything: check the action, the types and the condition";
    match found {
        // A rule that can never apply is worse than none: somebody believes in it.
        ValidationWarning::ImpossiblePolicy(_) | ValidationWarning::InvalidActionApplication(_) => {
            let hint = found
                .help()
                .map_or_else(|| never.to_owned(), |help| help.to_string());
            problem(Code::Never, found, id, candidate, Some(hint))
        }
        ValidationWarning::BidiCharsInString(_)
        | ValidationWarning::BidiCharsInIdentifier(_)
        | ValidationWarning::MixedScriptString(_)
        | ValidationWarning::MixedScriptIdentifier(_)
        | ValidationWarning::ConfusableIdentifier(_) => {
            let hint = "write it in one script, without invisible characters".to_owned();
            problem(Code::Misleading, found, id, candidate, Some(hint))
        }
        other => {
            let text = other.to_string();
            let place = place_of(other).unwrap_or_else(|| candidate.parsed.place.clone());
            error(Code::Advice, text)
                .warning()
                .at(candidate.file, candidate.source, place)
                .maybe_hint(other.help().map(|help| help.to_string()))
                .into()
        }
    }
}
