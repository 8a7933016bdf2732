//! How the browser is started, and what a person could set in it: size and colours.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use serde_json::{Map, Value, json};

use super::Browser;
use super::events::SessionCommand;
use crate::paths::find_program;

/// What the person prefers, as the operating system tells the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorScheme {
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// Works as root, without a graphics card, with little shared memory, and calls nobody at home.
const FLAGS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1280,900",
];

/// The capabilities of a session that keeps its files in `dir`.
pub(super) fn capabilities(dir: &Path) -> Result<Map<String, Value>> {
    let program = PROGRAMS.iter().find_map(|program| find_program(program));
    let program = program.context("Chromium is not installed\nhint: scripts/install-test-deps")?;
    let binary = write_launcher(dir, &program).context("could not write the launcher of Chromium")?;
    let mut flags: Vec<String> = FLAGS.map(str::to_owned).to_vec();
    flags.push(format!("--user-data-dir={}", dir.join("profile").display()));
    let mut capabilities = Map::new();
    capabilities.insert("browserName".to_owned(), json!("chrome"));
    capabilities.insert(
        "goog:chromeOptions".to_owned(),
        json!({ "binary": binary, "args": flags }),
    );
    capabilities.insert("goog:loggingPrefs".to_owned(), json!({ "browser": "ALL" }));
    Ok(capabilities)
}

/// A script that becomes Chromium and asks the kernel to end it with chromedriver: one that is killed takes
/// nobody along.
fn write_launcher(dir: &Path, program: &Path) -> std::io::Result<PathBuf> {
    let path = dir.join("chromium");
    let text = format!(
        "#!/bin/sh\nexec setpriv --pdeathsig KILL '{}' \"$@\"\n",
        program.display()
    );
    std::fs::write(&path, text)?;
    std::fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    Ok(path)
}

impl Browser {
    /// Makes the page as large as that of a device, in CSS pixels: 390 × 844 is a phone.
    pub async fn resize(&self, width: u32, height: u32) -> Result<()> {
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await
    }

    /// Sets the preferred colours.
    pub async fn prefer(&self, scheme: ColorScheme) -> Result<()> {
        let value = match scheme {
            ColorScheme::Light => "light",
            ColorScheme::Dark => "dark",
        };
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": value }] });
        self.devtools("Emulation.setEmulatedMedia", features).await
    }

    /// A command of Chromium's own protocol, where WebDriver has none.
    async fn devtools(&self, command: &str, params: Value) -> Result<()> {
        let body = json!({ "cmd": command, "params": params });
        let command = SessionCommand {
            path: "goog/cdp/execute",
            body,
        };
        self.client()
            .issue_cmd(command)
            .await
            .context("Chromium refused a command")?;
        Ok(())
    }
}
