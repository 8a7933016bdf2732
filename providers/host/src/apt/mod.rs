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
pub(crate) use simulate::{Simulated, simulate};
pub(crate) use survey::survey;
pub(crate) use version::compare;

use clawd_model::{ErrorKind, StepError};

/// Options of every `apt-get install`: only upgrades of what is there, nothing held, nothing recommended anew.
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
