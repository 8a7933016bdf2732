//! What an upgrade would change, and what it has changed: pure functions over the frozen set and what is installed.

use std::cmp::Ordering;

use clawd_model::Change;
use clawd_provider::contract::pkg_apply::Version;
use clawd_provider::contract::pkg_plan::Package;
use serde_json::{Value, json};

use crate::apt::{self, Packages};

/// What is there is at least what is wanted, and fully configured: a newer version is never taken back.
pub(super) fn is_there(package: &Package, packages: &Packages) -> bool {
    packages
        .get(&package.name)
        .is_some_and(|there| there.whole && apt::compare(&there.version, &package.to) != Ordering::Less)
}

/// What upgrading to the frozen set would change.
pub(super) fn change(set: &[Package], packages: &Packages) -> Change {
    let mut diff = String::new();
    let (mut needed, mut new) = (0, 0);
    for package in set {
        let Package { name, from, to, .. } = package;
        let line = match (packages.get(name), from) {
            (None, None) => format!("+ {name} {to} (new package)"),
            (None, Some(from)) => format!("! {name} is not installed any more (planned {from} → {to})"),
            (Some(_), _) if is_there(package, packages) => continue,
            (Some(there), _) if !there.whole => format!("~ {name} {} (not configured) → {to}", there.version),
            (Some(there), Some(from)) if there.version == *from => format!("~ {name} {from} → {to}"),
            (Some(there), Some(from)) => format!("~ {name} {} → {to} (planned from {from})", there.version),
            (Some(there), None) => format!("~ {name} {} → {to} (planned as a new package)", there.version),
        };
        new += usize::from(from.is_none());
        needed += 1;
        diff.push_str(&crate::text::line(&line, 400));
        diff.push('\n');
    }
    let basis: Vec<Value> = set
        .iter()
        .map(|package| {
            let there = packages.get(&package.name);
            let (now, whole) = (there.map(|there| &there.version), there.map(|there| there.whole));
            json!({"name": package.name, "now": now, "whole": whole, "to": package.to})
        })
        .collect();
    let summary = match (needed, set.len()) {
        (0, 0) => "no packages to upgrade".to_owned(),
        (0, all) => format!("{all} packages are up to date"),
        (1, _) if new == 0 => "1 package upgraded".to_owned(),
        (many, _) if new == 0 => format!("{many} packages upgraded"),
        (many, _) => format!("{} packages upgraded, {new} new", many - new),
    };
    Change {
        needed: needed > 0,
        summary,
        diff,
        basis: json!({ "packages": basis }),
    }
}

/// The installed versions of the set's packages.
pub(super) fn versions(set: &[Package], packages: &Packages) -> Vec<Version> {
    set.iter()
        .filter_map(|package| {
            let there = packages.get(&package.name)?;
            Some(Version {
                name: package.name.clone(),
                version: there.version.clone(),
            })
        })
        .collect()
}

/// The versions that the plan found.
pub(super) fn planned(set: &[Package]) -> Vec<Version> {
    set.iter()
        .filter_map(|package| {
            Some(Version {
                name: package.name.clone(),
                version: package.from.clone()?,
            })
        })
        .collect()
}

/// What an upgrade that failed has changed all the same.
pub(super) fn left_behind(set: &[Package], before: &[Version], packages: &Packages) -> Vec<String> {
    versions(set, packages)
        .into_iter()
        .filter(|now| !before.contains(now))
        .take(20)
        .map(|now| {
            let whole = packages.get(&now.name).is_none_or(|there| there.whole);
            let state = if whole { "" } else { " (not configured)" };
            format!("{} {}{state}", now.name, now.version)
        })
        .collect()
}

/// What is not as it should be after the upgrade.
pub(super) fn amiss(set: &[Package], packages: &Packages) -> Option<String> {
    set.iter().find_map(|package| {
        let Package { name, to, .. } = package;
        match packages.get(name) {
            Some(_) if is_there(package, packages) => None,
            Some(there) if !there.whole => Some(format!("`{name}` {} is not configured", there.version)),
            Some(there) => Some(format!("`{name}` is at {}, not at {to}", there.version)),
            None => Some(format!("`{name}` is not installed")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apt::Installed;

    fn package(name: &str) -> Package {
        Package {
            name: name.to_owned(),
            from: Some("1.0".to_owned()),
            to: "1.1".to_owned(),
            security: true,
        }
    }

    fn installed(versions: &[(&str, &str, bool)]) -> Packages {
        let entry = |(name, version, whole): &(&str, &str, bool)| {
            let there = Installed {
                version: (*version).to_owned(),
                held: false,
                whole: *whole,
            };
            ((*name).to_owned(), there)
        };
        versions.iter().map(entry).collect()
    }

    #[test]
    fn what_would_change_and_what_is_amiss() {
        let set = [package("ab")];
        for (there, diff, amiss_now) in [
            (
                Some(("1.0", true)),
                "~ ab 1.0 → 1.1\n",
                Some("`ab` is at 1.0, not at 1.1"),
            ),
            (Some(("1.1", true)), "", None),
            (Some(("1.2", true)), "", None),
            (
                Some(("1.1", false)),
                "~ ab 1.1 (not configured) → 1.1\n",
                Some("`ab` 1.1 is not configured"),
            ),
            (
                Some(("0.9", true)),
                "~ ab 0.9 → 1.1 (planned from 1.0)\n",
                Some("`ab` is at 0.9, not at 1.1"),
            ),
            (
                None,
                "! ab is not installed any more (planned 1.0 → 1.1)\n",
                Some("`ab` is not installed"),
            ),
        ] {
            let packages = there.map_or_else(Packages::new, |(version, whole)| {
                installed(&[("ab", version, whole)])
            });
            let change = change(&set, &packages);
            assert_eq!((change.diff.as_str(), change.needed), (diff, !diff.is_empty()));
            assert_eq!(amiss(&set, &packages).as_deref(), amiss_now);
        }
    }

    #[test]
    fn a_new_package_is_shown_as_one() {
        let new = Package {
            from: None,
            ..package("ab-image-2")
        };
        let set = [package("ab"), new];
        let before = installed(&[("ab", "1.0", true)]);
        let change = change(&set, &before);
        assert_eq!(change.diff, "~ ab 1.0 → 1.1\n+ ab-image-2 1.1 (new package)\n");
        assert_eq!(change.summary, "1 packages upgraded, 1 new");
        assert_eq!(
            amiss(&set, &before).as_deref(),
            Some("`ab` is at 1.0, not at 1.1")
        );
        let after = installed(&[("ab", "1.1", true), ("ab-image-2", "1.1", true)]);
        assert_eq!(amiss(&set, &after), None);
        assert_eq!(
            left_behind(&set, &planned(&set), &after),
            ["ab 1.1", "ab-image-2 1.1"]
        );
    }

    #[test]
    fn another_state_is_another_fingerprint() {
        let set = [package("ab"), package("cd")];
        let states = [
            installed(&[("ab", "1.0", true), ("cd", "1.0", true)]),
            installed(&[("ab", "1.0.1", true), ("cd", "1.0", true)]),
            installed(&[("ab", "1.0", false), ("cd", "1.0", true)]),
            installed(&[("ab", "1.0", true)]),
        ];
        let prints: std::collections::BTreeSet<_> = states
            .iter()
            .map(|packages| change(&set, packages).fingerprint())
            .collect();
        assert_eq!(prints.len(), states.len());
    }

    #[test]
    fn what_a_failed_upgrade_left() {
        let set = [package("ab"), package("cd"), package("ef")];
        let packages = installed(&[("ab", "1.1", true), ("cd", "1.1", false), ("ef", "1.0", true)]);
        assert_eq!(
            left_behind(&set, &planned(&set), &packages),
            ["ab 1.1", "cd 1.1 (not configured)"]
        );
    }
}
