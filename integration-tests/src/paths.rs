//! Where things lie: everything that the tests build or leave behind is under the workspace's `target`.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    let here = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}

/// What `scripts/build-lab-rootfs` builds: `base` and `keys`.
pub(crate) fn lab() -> PathBuf {
    workspace().join("target/lab")
}

/// Where screenshots go, for people to look at after a run.
pub(crate) fn screenshots() -> PathBuf {
    workspace().join("target/screenshots")
}

/// The script that the browser tests inject, as `scripts/install-test-deps` installed it.
pub(crate) fn axe() -> PathBuf {
    workspace().join("target/npm/node_modules/axe-core/axe.min.js")
}

/// The binary under test: `CLAWD_BIN`, else `clawd` beside the test executable's own target folder.
pub(crate) fn clawd_binary() -> Result<PathBuf> {
    let path = match std::env::var_os("CLAWD_BIN") {
        Some(path) => PathBuf::from(path),
        None => {
            let test = std::env::current_exe().context("the path of this test is unknown")?;
            let profile = test
                .ancestors()
                .nth(2)
                .context("the test executable lies in no target folder")?;
            profile.join("clawd")
        }
    };
    if !path.is_file() {
        bail!(
            "no binary at `{}`\nhint: cargo build --workspace --bins --tests, or set CLAWD_BIN",
            path.display()
        );
    }
    Ok(path)
}

/// Finds `program` on `PATH`, and where a user's `PATH` on Debian does not look.
pub(crate) fn find_program(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/local/sbin", "/usr/sbin", "/sbin"].map(PathBuf::from))
        .map(|dir| dir.join(program))
        .find(|candidate| candidate.is_file())
}
