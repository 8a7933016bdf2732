//! Strict validation against the schema: every typo is a problem with its place and a hint.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use cedar_policy::{
    PolicyId, PolicySet, Schema, ValidationError, ValidationMode, ValidationWarning, Validator,
};
use clawd_model::{Problem, Severity};
use miette::Diagnostic;

use super::parse::{Parsed, place_of};
use super::problem::{Code, Source, error, nearest};
use crate::Vocabulary;

/// One file's policy, to be validated with those of all other files.
pub(crate) struct Candidate<'a> {
    pub(crate) source: &'a Source<'a>,
    pub(crate) parsed: &'a Parsed,
}

/// What Cedar found, in our words.
struct Found {
    policy: usize,
    code: Code,
    severity: Severity,
    message: String,
    place: Range<usize>,
    hint: Option<String>,
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
        if set.add(candidate.parsed.policy.new_id(id.clone())).is_ok() {
            places.insert(id, (number, candidate));
        }
    }
    let result = Validator::new(schema.clone()).validate(&set, ValidationMode::Strict);
    let errors = result.validation_errors().filter_map(|found| {
        let (policy, candidate) = places.get(found.policy_id())?;
        Some(of_error(*policy, found, candidate, vocabulary))
    });
    let warnings = result.validation_warnings().filter_map(|found| {
        let (policy, candidate) = places.get(found.policy_id())?;
        Some(of_warning(*policy, found, candidate))
    });
    merged(errors.chain(warnings).collect())
        .into_iter()
        .filter_map(|found| {
            let candidate = candidates.get(found.policy)?;
            let mut draft = error(found.code, found.message);
            if found.severity == Severity::Warning {
                draft = draft.warning();
            }
            Some(
                draft
                    .at(candidate.source, found.place)
                    .maybe_hint(found.hint)
                    .into(),
            )
        })
        .collect()
}

/// One problem per place: Cedar reports an attribute once per action or type for which it is missing. A policy
/// with a typo is not also said never to apply.
fn merged(mut found: Vec<Found>) -> Vec<Found> {
    found.sort_by(|one, other| one.message.cmp(&other.message));
    let mut by_place: BTreeMap<(usize, usize, &str), Vec<Found>> = BTreeMap::new();
    for one in found {
        // At most one of these per policy, whatever it points at.
        let at = if one.code == Code::Never {
            0
        } else {
            one.place.start
        };
        by_place
            .entry((one.policy, at, one.code.as_str()))
            .or_default()
            .push(one);
    }
    let mut merged: Vec<Found> = Vec::new();
    for mut same in by_place.into_values() {
        let others = same.len().saturating_sub(1);
        let mut first = same.swap_remove(0);
        if others > 0 && first.code == Code::UnknownAttribute {
            first.message = format!(
                "{} (nor on {others} other types that can be meant here)",
                first.message
            );
            first.hint =
                Some("say which type it is about: `resource is Server`, `principal is Agent`".to_owned());
        }
        merged.push(first);
    }
    let typos: Vec<usize> = merged
        .iter()
        .filter(|one| one.code != Code::Never)
        .map(|one| one.policy)
        .collect();
    merged.retain(|one| one.code != Code::Never || !typos.contains(&one.policy));
    merged
}

/// Without the id that only we know.
fn without_id(text: &str, id: &PolicyId) -> String {
    let prefix = format!("for policy `{id}`");
    let rest = text
        .strip_prefix(&prefix)
        .map(|rest| rest.trim_start_matches([',', ':', ' ']));
    rest.unwrap_or(text).to_owned()
}

fn of_error(
    policy: usize,
    found: &ValidationError,
    candidate: &Candidate<'_>,
    vocabulary: &Vocabulary,
) -> Found {
    let place = place_of(found).unwrap_or_else(|| candidate.parsed.place.clone());
    let text = without_id(&found.to_string(), found.policy_id());
    let help = found
        .help()
        .map(|help| without_id(&help.to_string(), found.policy_id()));
    let quoted = candidate.source.get(place.clone());
    let ask = |how: &str| Some(format!("ask first: `{how}`"));
    let (code, message, hint) = match found {
        ValidationError::UnrecognizedEntityType(_) => (Code::UnknownType, text, help),
        ValidationError::UnrecognizedActionId(_) => (Code::UnknownAction, text, help),
        ValidationError::UnsafeAttributeAccess(_) => (Code::UnknownAttribute, text, help),
        ValidationError::UnsafeOptionalAttributeAccess(_) => {
            // Cedar names the attribute first: "… optional attribute `run` in context …".
            let name = text.split('`').nth(1).unwrap_or_default();
            let base = quoted.split_once(&format!(".{name}")).map(|(base, _)| base);
            let hint = base.and_then(|base| ask(&format!("{base} has {name} && …")));
            (Code::Unchecked, format!("`{quoted}` may be missing"), hint)
        }
        ValidationError::UnsafeTagAccess(_) => {
            let hint = ask(&format!("{} && …", quoted.replace("getTag", "hasTag")));
            (Code::Unchecked, format!("`{quoted}` may be missing"), hint)
        }
        ValidationError::NoTagsAllowed(_) => (Code::Unchecked, text, help),
        ValidationError::InvalidEnumEntity(_) => {
            let wrong = quoted.split('"').nth(1).unwrap_or(quoted);
            let groups = vocabulary.groups.iter().map(|group| group.as_str());
            let hint = nearest(wrong, groups).map_or_else(
                || "create the group first, or use one that exists".to_owned(),
                |name| format!("did you mean `Group::\"{name}\"`?"),
            );
            (
                Code::UnknownGroup,
                format!("group `{wrong}` does not exist"),
                Some(hint),
            )
        }
        ValidationError::InvalidActionApplication(_) => (Code::Never, text, help),
        _ => (Code::Type, text, help),
    };
    Found {
        policy,
        code,
        severity: Severity::Error,
        message,
        place,
        hint,
    }
}

fn of_warning(policy: usize, found: &ValidationWarning, candidate: &Candidate<'_>) -> Found {
    let text = without_id(&found.to_string(), found.policy_id());
    let help = found
        .help()
        .map(|help| without_id(&help.to_string(), found.policy_id()));
    let (code, severity, message, hint) = match found {
        // A rule that can never apply is worse than none: somebody believes in it.
        ValidationWarning::ImpossiblePolicy(_) | ValidationWarning::InvalidActionApplication(_) => (
            Code::Never,
            Severity::Error,
            "the policy can never apply".to_owned(),
            Some(
                "check that the action can be done by such a principal on such a resource, and the condition"
                    .to_owned(),
            ),
        ),
        ValidationWarning::BidiCharsInString(_)
        | ValidationWarning::BidiCharsInIdentifier(_)
        | ValidationWarning::MixedScriptString(_)
        | ValidationWarning::MixedScriptIdentifier(_)
        | ValidationWarning::ConfusableIdentifier(_) => (
            Code::Misleading,
            Severity::Error,
            text,
            Some("write it in one script, without invisible characters".to_owned()),
        ),
        _ => (Code::Advice, Severity::Warning, text, help),
    };
    let place = if code == Code::Never {
        None
    } else {
        place_of(found)
    };
    Found {
        policy,
        code,
        severity,
        message,
        place: place.unwrap_or_else(|| candidate.parsed.place.clone()),
        hint,
    }
}
