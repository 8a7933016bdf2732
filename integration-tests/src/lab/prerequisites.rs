//! What the machine must offer. Missing things are all told at once, each with the command that brings
//! it; a test that needs the lab fails then, it is never skipped.

use std::path::Path;

use anyhow::{Context as _, Result, bail};

use super::cgroup;
use crate::paths;

const PROGRAMS: [&str; 7] = [
    "systemd-nspawn",
    "ip",
    "nsenter",
    "setpriv",
    "mount",
    "ssh",
    "ssh-keygen",
];

const INOTIFY: &str = "/proc/sys/fs/inotify/max_user_instances";

/// Fails with the list of what is missing.
pub(super) fn check() -> Result<()> {
    let missing = missing(&paths::lab(), rustix::process::geteuid().is_root());
    if !missing.is_empty() {
        bail!("the lab of test hosts cannot run here:\n{}", missing.join("\n"));
    }
    raise_inotify_limit()
}

fn missing(lab: &Path, is_root: bool) -> Vec<String> {
    let mut missing = Vec::new();
    for program in PROGRAMS {
        if paths::find_program(program).is_none() {
            missing.push(format!(
                "`{program}` is not installed\nhint: scripts/install-test-deps"
            ));
        }
    }
    if cgroup::unified().is_none() {
        let hint = "mount -t cgroup2 none /sys/fs/cgroup/unified";
        missing.push(format!("no cgroup2 below /sys/fs/cgroup\nhint: {hint}"));
    }
    if !is_root {
        missing.push("these tests make namespaces and mounts as root\nhint: sudo -E make test".to_owned());
        // Nobody else can see whether the keys are there.
        return missing;
    }
    let parts = ["base/usr/sbin/sshd", "keys/id_ed25519", "keys/user_ca"];
    if let Some(part) = parts.into_iter().find(|part| !lab.join(part).exists()) {
        let path = lab.join(part);
        missing.push(format!(
            "`{}` is not there\nhint: scripts/build-lab-rootfs",
            path.display()
        ));
    }
    missing
}

/// Each systemd takes about 20 of the machine's inotify instances; with Linux's default of 128, hosts
/// beyond the sixth come up degraded.
fn raise_inotify_limit() -> Result<()> {
    let path = Path::new(INOTIFY);
    let now = std::fs::read_to_string(path).with_context(|| format!("could not read `{INOTIFY}`"))?;
    if now.trim().parse::<u64>().unwrap_or(0) < 4096 {
        std::fs::write(path, "4096").with_context(|| {
            format!("could not raise `{INOTIFY}`\nhint: sysctl -w fs.inotify.max_user_instances=4096")
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_told_with_what_brings_it() {
        let empty = tempfile::tempdir().unwrap();
        let told = missing(empty.path(), true).join("\n");
        assert!(
            told.contains("base/usr/sbin/sshd` is not there\nhint: scripts/build-lab-rootfs"),
            "{told}"
        );
        let told = missing(empty.path(), false).join("\n");
        assert!(told.contains("as root\nhint: sudo"), "{told}");
    }
}
