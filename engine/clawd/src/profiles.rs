//! Profiles of the command line: an address and a token under a name, in `DATA_DIR/profiles.toml` (0600).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use crate::datadir::write_private;

/// The file.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Profiles {
    /// The profile to use when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
    /// All profiles, by name.
    #[serde(default)]
    pub(crate) profiles: BTreeMap<String, Profile>,
}

/// Where to, and as whom.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// The server's address.
    pub(crate) url: String,
    /// The token.
    pub(crate) token: String,
    /// Where people reach the console, when that is not the server's own address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) console: Option<String>,
}

impl Profiles {
    /// Reads the file; empty when there is none.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Self> {
        match std::fs::read_to_string(path) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("`{}` is not valid", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("`{}` cannot be read", path.display())),
        }
    }

    /// Writes the file, for its owner only.
    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        write_private(path, toml::to_string(self)?.as_bytes())
    }
}
