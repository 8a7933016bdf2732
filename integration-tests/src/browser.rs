//! A real browser: Debian's Chromium without a window, driven through chromedriver.

mod axe;
mod driver;
mod events;
mod settings;

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use fantoccini::{Client, ClientBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use tempfile::TempDir;

pub use self::axe::Violation;
use self::driver::Driver;
pub use self::events::ConsoleMessage;
pub use self::settings::ColorScheme;
use crate::paths;

/// A browser with an empty profile. Ends when this is dropped.
#[derive(Debug)]
pub struct Browser {
    client: Client,
    // Declared in the order in which they have to go.
    _driver: Driver,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser with a window of 1280 × 900.
    pub async fn start() -> Result<Self> {
        let driver = Driver::start().await?;
        let profile = tempfile::Builder::new()
            .prefix("clawd-browser-")
            .tempdir()
            .context("no temporary folder")?;
        let client = ClientBuilder::new(HttpConnector::new())
            .capabilities(settings::capabilities(profile.path())?)
            .connect(driver.url())
            .await
            .with_context(|| {
                format!(
                    "chromedriver could not start Chromium; it said:\n{}",
                    driver.log()
                )
            })?;
        Ok(Self {
            client,
            _driver: driver,
            _profile: profile,
        })
    }

    /// The session, for everything that has no shorter way here.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Opens a page.
    pub async fn goto(&self, url: &str) -> Result<()> {
        self.client
            .goto(url)
            .await
            .with_context(|| format!("could not open `{url}`"))
    }

    /// Takes a picture of what is visible to `target/screenshots/NAME.png`.
    pub async fn screenshot(&self, name: &str) -> Result<PathBuf> {
        let dir = paths::screenshots();
        std::fs::create_dir_all(&dir).with_context(|| format!("could not create `{}`", dir.display()))?;
        let path = dir.join(format!("{name}.png"));
        let picture = self.client.screenshot().await.context("no screenshot")?;
        std::fs::write(&path, picture).with_context(|| format!("could not write `{}`", path.display()))?;
        Ok(path)
    }
}
