//! Guesses which name was meant, for hints. Never changes what a document says: a typo stays an error.

/// Longer texts are no typos of a name.
const MAX_LENGTH: usize = 64;
/// A hint that lists more names than this is not read.
const MAX_LISTED: usize = 12;

/// The candidate that is nearest to `name`, if one is near enough.
pub(crate) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if name.len() > MAX_LENGTH {
        return None;
    }
    let name = name.to_lowercase();
    let allowed = (name.chars().count() / 3).clamp(1, 3);
    candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&name, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// `did you mean …?`, else the list of names, else nothing.
pub(crate) fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let candidates: Vec<&str> = candidates.into_iter().collect();
    match nearest(name, candidates.iter().copied()) {
        Some(candidate) => Some(format!("did you mean `{candidate}`?")),
        None => listed(&candidates),
    }
}

/// `one of …`, unless there is nothing to name.
pub(crate) fn listed(candidates: &[&str]) -> Option<String> {
    let names: Vec<String> = candidates
        .iter()
        .take(MAX_LISTED)
        .map(|name| format!("`{name}`"))
        .collect();
    let more = candidates.len().saturating_sub(MAX_LISTED);
    match names.as_slice() {
        [] => None,
        [only] => Some(format!("there is only {only}")),
        _ if more > 0 => Some(format!("one of {} and {more} more", names.join(", "))),
        _ => Some(format!("one of {}", names.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["steps", "rescue", "always", "pkg.apply@v1"];
        assert_eq!(nearest("setps", names), Some("steps"));
        assert_eq!(nearest("Always", names), Some("always"));
        assert_eq!(nearest("pkg.aply@v1", names), Some("pkg.apply@v1"));
        assert_eq!(nearest("kitchen", names), None);
        assert_eq!(nearest(&"s".repeat(100_000), names), None);
    }

    #[test]
    fn without_a_near_name_all_are_listed() {
        assert_eq!(hint("zzz", ["a", "b"]).as_deref(), Some("one of `a`, `b`"));
        assert_eq!(hint("zzz", ["a"]).as_deref(), Some("there is only `a`"));
        assert_eq!(hint("zzz", []), None);
    }
}
