//! Reads `apt-cache policy`: which versions exist, which one apt would take, and where each comes from.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::{compare, is_name, is_version};

/// One source of versions, as both lists name it: everything after the priority.
type Source = String;

/// The sources that carry security updates.
#[derive(Debug, Default)]
pub(super) struct SecuritySources(BTreeSet<Source>);

impl SecuritySources {
    /// Reads `apt-cache policy` without names: a line per source, then what its release file says.
    pub(super) fn parse(text: &str) -> Self {
        let mut found = BTreeSet::new();
        let mut current: Option<Source> = None;
        for line in text.lines() {
            let trimmed = line.trim();
            if let Some(release) = trimmed.strip_prefix("release ") {
                if let Some(source) = current.take().filter(|_| is_security_release(release)) {
                    found.insert(source);
                }
            } else if let Some(source) = source(trimmed) {
                current = Some(source);
            } else if line.starts_with("Pinned packages") {
                break;
            }
        }
        Self(found)
    }

    fn contains(&self, source: &str) -> bool {
        // Repositories whose release file says nothing may still have the word in the suite's path.
        let suite = source.split_ascii_whitespace().nth(1).unwrap_or_default();
        self.0.contains(source) || names_security(suite.split('/').next().unwrap_or_default())
    }
}

/// `v=12,o=Debian,a=stable-security,n=bookworm-security,l=Debian-Security,c=main,b=amd64`
fn is_security_release(release: &str) -> bool {
    release
        .split(',')
        .filter_map(|field| field.split_once('='))
        .any(|(key, value)| matches!(key, "a" | "n" | "l") && names_security(value))
}

fn names_security(word: &str) -> bool {
    word.to_ascii_lowercase().contains("-security")
}

/// `500 http://deb.debian.org/debian bookworm/main amd64 Packages` without the priority.
fn source(line: &str) -> Option<Source> {
    let (priority, rest) = line.split_once(' ')?;
    priority.parse::<i32>().ok()?;
    rest.contains(' ').then(|| rest.to_owned())
}

/// A newer version of an installed package.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Update {
    /// The package (with `:arch` when foreign).
    pub(crate) name: String,
    /// What is installed.
    pub(crate) from: String,
    /// What apt would take.
    pub(crate) to: String,
    /// Whether it, or a version on the way to it, comes from a security source.
    pub(crate) security: bool,
    /// Set when the distributor gives it to some machines first: `10%`.
    pub(crate) phased: Option<String>,
}

/// Reads `apt-cache policy NAME…`; gives the packages with an update. `None` when it makes no sense.
pub(super) fn updates(text: &str, security: &SecuritySources) -> Option<Vec<Update>> {
    let mut updates = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(header) = lines.next() {
        let name = header.strip_suffix(':').filter(|name| is_name(name))?;
        let mut body = Vec::new();
        while let Some(line) = lines.next_if(|line| line.starts_with(' ')) {
            body.push(line);
        }
        updates.extend(package(name, &body, security)?);
    }
    Some(updates)
}

fn package(name: &str, body: &[&str], security: &SecuritySources) -> Option<Option<Update>> {
    let field = |key: &str| {
        body.iter()
            .find_map(|line| line.trim().strip_prefix(key))
            .map(str::trim)
    };
    let (from, to) = (field("Installed:")?, field("Candidate:")?);
    if to == "(none)" || from == "(none)" {
        return Some(None);
    }
    if !is_version(from) || !is_version(to) {
        return None;
    }
    if compare(from, to) != Ordering::Less {
        return Some(None);
    }
    let mut update = Update {
        name: name.to_owned(),
        from: from.to_owned(),
        to: to.to_owned(),
        security: false,
        phased: None,
    };
    let mut version = "";
    for line in body {
        let trimmed = line.trim_start();
        // Versions are indented by five characters, their sources by seven and more.
        if line.starts_with("       ") {
            let on_the_way =
                compare(version, from) == Ordering::Greater && compare(version, to) != Ordering::Greater;
            let source = source(trimmed).unwrap_or_default();
            update.security |= on_the_way && security.contains(&source);
        } else if let Some(found) = trimmed.trim_start_matches("*** ").split(' ').next() {
            version = found;
            if version == to {
                update.phased = phased(trimmed);
            }
        }
    }
    Some(Some(update))
}

/// `     3.2 500 (phased 10%)`
fn phased(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("(phased ")?;
    let (share, _) = rest.split_once(')')?;
    Some(crate::text::line(share, 10))
}

#[cfg(test)]
#[path = "policy/tests.rs"]
mod tests;
