//! What apt and dpkg on a host say, read strictly: pure functions over their output, and the few commands that ask.
//!
//! Never changes a package: that is the job of `pkg.apply`.

mod installed;
mod policy;
mod select;
mod simulate;
mod survey;
mod version;

#[cfg(test)]
pub(crate) use installed::Installed;
pub(crate) use installed::{Packages, installed, no_apt};
pub(crate) use select::select;
pub(crate) use simulate::{Simulated, simulate, wanted};
pub(crate) use survey::survey;
pub(crate) use version::compare;

use clawd_model::{ErrorKind, StepError};

/// Options of every `apt-get install`: of what is named only upgrades of what is there, nothing held, nothing
/// recommended anew. What these need comes along: whoever asks looks at that in a simulation before.
pub(crate) const ONLY_UPGRADE: [&str; 5] = [
    "--only-upgrade",
    "--no-remove",
    "--no-install-recommends",
    "--allow-change-held-packages=no",
    "--allow-downgrades=no",
];

/// Whether a text can be a package's name, perhaps with `:arch`. It may go into an argument list then.
pub(crate) fn is_name(text: &str) -> bool {
    let (name, arch) = text.split_once(':').unwrap_or((text, "any"));
    let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() >= 2
        && text.len() <= 200
        && name.starts_with(lower)
        && name.chars().all(|c| lower(c) || "+-.".contains(c))
        && !arch.is_empty()
        && arch.chars().all(|c| lower(c) || c == '-')
}

/// Whether a text can be a version.
pub(crate) fn is_version(text: &str) -> bool {
    text.len() <= 200
        && text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || ".+-:~".contains(c))
}

/// What apt complained about, as an error of the right kind.
pub(crate) fn complaint(place: &str, output: &str) -> StepError {
    let lines = || output.lines().map(str::trim);
    // "Sub-process dpkg returned an error code" is what apt says last, and what helps nobody.
    let of_dpkg = || {
        let mut rest = lines().skip_while(|line| !line.starts_with("dpkg: error processing"));
        Some(format!("{} {}", rest.next()?, rest.next().unwrap_or_default()))
    };
    // Of several lines about a full disk the last one says only what came of it.
    let of_disk = || lines().find(|line| is_full(line)).map(str::to_owned);
    let said = of_dpkg()
        .or_else(of_disk)
        .or_else(|| {
            lines()
                .rev()
                .find(|line| line.starts_with("E:"))
                .map(str::to_owned)
        })
        .or_else(|| lines().rev().find(|line| !line.is_empty()).map(str::to_owned))
        .unwrap_or_else(|| "apt failed and said nothing".to_owned());
    let message = format!(
        "{place}: {}",
        crate::text::line(said.trim_start_matches("E: "), 300)
    );
    if is_locked(output) {
        StepError::new(ErrorKind::DpkgLock, message)
            .with_hint("another package manager works on the host; a `retry` on `dpkg-lock` waits for it")
    } else if is_full(output) {
        StepError::new(ErrorKind::DiskFull, message).with_hint("free some space: `apt-get clean`, `df -h`")
    } else if is_interrupted(output) {
        StepError::new(ErrorKind::Failed, message)
            .with_hint("an earlier installation was cut short: run `dpkg --configure -a` on the host")
    } else {
        StepError::new(ErrorKind::Failed, message)
    }
}

/// What `apt-get update` could not fetch, if anything: its exit code does not tell. What it knows then is old, and to
/// say that there is nothing to install would be a guess.
pub(crate) fn unfetched(place: &str, output: &str) -> Option<StepError> {
    let lines = || {
        output.lines().filter_map(|line| {
            line.trim()
                .strip_prefix("W: ")
                .or_else(|| line.trim().strip_prefix("E: "))
        })
    };
    let fetch = |line: &&str| line.starts_with("Failed to fetch ");
    let some = |line: &&str| {
        line.starts_with("Some index files failed to download")
            || line.contains("does not have a Release file")
    };
    let said = lines().find(fetch).or_else(|| lines().find(some))?;
    let message = format!("{place}: the package lists are not fresh: {said}");
    Some(
        StepError::new(ErrorKind::Connection, crate::text::line(&message, 400)).with_hint(
            "the host must reach its repositories: `apt-get update` on it shows which one fails; take out those that \
             are gone",
        ),
    )
}

fn is_full(output: &str) -> bool {
    output.contains("No space left on device") || output.contains("You don't have enough free space")
}

fn is_interrupted(output: &str) -> bool {
    output.contains("dpkg was interrupted")
}

/// Whether apt failed because of the host, not because of what was asked for.
pub(crate) fn is_trouble(output: &str) -> bool {
    is_locked(output) || is_full(output) || is_interrupted(output)
}

/// Whether another package manager was in the way to the end. That apt has waited for one is no error.
pub(crate) fn is_locked(output: &str) -> bool {
    output
        .lines()
        .filter(|line| line.trim_start().starts_with("E:"))
        .any(|line| {
            line.contains("Could not get lock") || line.contains("Unable to acquire the dpkg frontend lock")
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_real_names_and_versions_reach_an_argument_list() {
        for name in ["libc6", "g++", "libc6:i386", "0ad"] {
            assert!(is_name(name), "{name}");
        }
        for name in ["", "x", "-y", "a b", "A1", "a/b", "libc6:", "a;b", "ab=1"] {
            assert!(!is_name(name), "{name}");
        }
        for version in ["1.0", "1:2.3~rc1-4+deb12u1", "20250419~deb12u2"] {
            assert!(is_version(version), "{version}");
        }
        for version in ["", "-1", "1 2", "1;2", "1\n"] {
            assert!(!is_version(version), "{version}");
        }
    }

    #[test]
    fn lists_that_could_not_be_fetched_are_no_success() {
        let refused = "W: Failed to fetch http://192.0.2.1/debian/dists/bookworm/InRelease  Could not connect to \
                       192.0.2.1:80 (192.0.2.1). - connect (111: Connection refused)\n\
                       W: Some index files failed to download. They have been ignored, or old ones used instead.\n";
        for (output, part) in [
            (refused.to_owned(), "Could not connect to 192.0.2.1:80"),
            (refused.replace("W: ", "E: "), "Could not connect to 192.0.2.1:80"),
            (
                "E: The repository 'http://x.example bookworm Release' does not have a Release file.\n"
                    .to_owned(),
                "x.example",
            ),
        ] {
            let error = unfetched("web-1", &output).unwrap();
            assert_eq!(error.kind, ErrorKind::Connection);
            assert!(
                error.message.starts_with("web-1: ") && error.message.contains(part),
                "{error:?}"
            );
            assert!(error.hint.is_some());
        }
        for fine in [
            "",
            "W: Download is performed unsandboxed as root\n",
            "N: Failed to fetch nothing\n",
        ] {
            assert_eq!(unfetched("web-1", fine), None, "{fine}");
        }
    }

    #[test]
    fn complaints_have_their_kind() {
        for (output, kind, part) in [
            (
                "E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 812 (apt-get)\n\
                 E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?",
                ErrorKind::DpkgLock,
                "Unable to acquire",
            ),
            (
                "Waiting for cache lock: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 5...\n\
                 E: You don't have enough free space in /var/cache/apt/archives/.",
                ErrorKind::DiskFull,
                "free space",
            ),
            (
                "E: Write error - write (28: No space left on device)\nE: IO Error saving source cache\n\
                 E: The package lists or status file could not be parsed or opened.",
                ErrorKind::DiskFull,
                "Write error - write (28: No space left on device)",
            ),
            (
                "dpkg: error processing package x (--configure):\n installed x package post-installation script \
                 subprocess returned error exit status 1\nE: Sub-process /usr/bin/dpkg returned an error code (1)\n",
                ErrorKind::Failed,
                "package x (--configure): installed x package post-installation script",
            ),
        ] {
            let error = complaint("web-1", output);
            assert_eq!(error.kind, kind);
            assert!(
                error.message.starts_with("web-1: ") && error.message.contains(part),
                "{error:?}"
            );
        }
    }
}
