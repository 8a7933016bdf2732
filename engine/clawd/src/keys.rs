//! Keys that servers are signed in to with: `DATA_DIR/keys/TENANT/NAME`.
//!
//! A server names a key, and only whoever can write the data directory decides which files are keys of which tenant. So
//! the command that adds a server grants the key as well when it runs on the server's own machine: it puts a link to
//! it into the folder. From elsewhere it can only name a key that is there.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};

use clawd_model::{KeyName, TenantName};

use crate::cli::Globals;
use crate::datadir::DATABASE;
use crate::exit::Failure;
use crate::profiles::Profiles;

/// So many keys of one file name are told apart.
const SAME_NAME_MAX: u32 = 100;

/// Which key was asked for, before anything is granted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// One that was granted before.
    Granted(KeyName),
    /// None, and there is no usual one: said once the machine has been looked at, which may have worse to say.
    Nothing,
    /// This file, which is to be granted in the folder of the tenant's keys.
    Grant {
        /// The folder.
        folder: PathBuf,
        /// The key, an absolute path.
        file: PathBuf,
    },
}

/// A key that the tenant may use.
#[derive(Debug)]
pub(crate) struct Grant {
    pub(crate) name: KeyName,
    /// The link, if it was not there before.
    made: Option<PathBuf>,
}

/// The folder of keys of the server that the command talks to, when that is on this machine.
pub(crate) fn here(globals: &Globals) -> anyhow::Result<Option<PathBuf>> {
    if !globals.data_dir.join(DATABASE).exists() {
        return Ok(None);
    }
    if let Some(url) = &globals.url {
        let profiles = Profiles::read(&globals.data_dir.join("profiles.toml"))?;
        let same = |known: &str| known.trim_end_matches('/') == url.trim_end_matches('/');
        if !profiles.profiles.values().any(|profile| same(&profile.url)) {
            return Ok(None);
        }
    }
    Ok(Some(std::path::absolute(&globals.data_dir)?.join("keys")))
}

/// What `--identity` says, or its absence: a file, or the name of a key that was granted.
pub(crate) fn choose(
    keys: Option<&Path>,
    tenant: &TenantName,
    given: Option<&str>,
    default: Option<PathBuf>,
) -> Result<Choice, Failure> {
    let name = given.and_then(|text| text.parse::<KeyName>().ok());
    let Some(keys) = keys else {
        return match (name, given) {
            (Some(name), _) => Ok(Choice::Granted(name)),
            (None, Some(text)) => Err(Failure::usage(format!(
                "`{text}` is not the name of a key, and the data directory of the server is not on this machine"
            ))
            .with_hint(format!(
                "on the server's machine, put the key or a link to it into DATA_DIR/keys/{tenant}/, and give its name"
            ))),
            (None, None) => Ok(Choice::Nothing),
        };
    };
    let folder = keys.join(tenant.as_str());
    if let Some(name) = name.filter(|name| fs::symlink_metadata(folder.join(name.as_str())).is_ok()) {
        return Ok(Choice::Granted(name));
    }
    let Some(file) = given.map(PathBuf::from).or(default) else {
        return Ok(Choice::Nothing);
    };
    let file = std::path::absolute(file)?;
    if !file.is_file() {
        return Err(
            Failure::usage(format!("there is no key at `{}`", file.display())).with_hint(
                "give the path of a private key with --identity, or the name of one that was granted",
            ),
        );
    }
    Ok(Choice::Grant { folder, file })
}

impl Choice {
    /// Lets the tenant use the key. Granting the same again changes nothing; another key of the same file name gets
    /// another name.
    pub(crate) fn grant(self) -> Result<Grant, Failure> {
        let (folder, file) = match self {
            Self::Granted(name) => return Ok(Grant { name, made: None }),
            Self::Nothing => {
                return Err(Failure::usage("no key to sign in with is named").with_hint(
                    "give a private key with `--identity FILE` on the server's machine, or from elsewhere with \
                     `--identity NAME` one of its DATA_DIR/keys/TENANT/",
                ));
            }
            Self::Grant { folder, file } => (folder, file),
        };
        let cannot = |error: std::io::Error| {
            Failure::usage(format!(
                "the key `{}` cannot be granted in `{}`: {error}",
                file.display(),
                folder.display()
            ))
            .with_hint("run this as the user that the server runs as")
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder)
            .map_err(cannot)?;
        let base = name_of(&file);
        for number in 1..=SAME_NAME_MAX {
            let text = match number {
                1 => base.clone(),
                _ => format!("{base}-{number}"),
            };
            let name: KeyName = text.parse().map_err(anyhow::Error::from)?;
            let link = folder.join(name.as_str());
            match symlink(&file, &link) {
                Ok(()) => {
                    return Ok(Grant {
                        name,
                        made: Some(link),
                    });
                }
                Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(cannot(error)),
                Err(_) if link == file || fs::read_link(&link).is_ok_and(|target| target == file) => {
                    return Ok(Grant { name, made: None });
                }
                Err(_) => {}
            }
        }
        Err(Failure::usage(format!(
            "`{}` holds too many keys called `{base}`",
            folder.display()
        ))
        .with_hint("remove the links that no server needs"))
    }
}

impl Grant {
    /// Takes the key back, if it was granted just now.
    pub(crate) fn take_back(self) {
        if let Some(link) = self.made {
            let _ = fs::remove_file(link);
        }
    }
}

/// A key's name after its file: small letters, digits, `-`, `_` and `.`, beginning with a letter or a digit.
fn name_of(file: &Path) -> String {
    let text = file.file_name().map(|name| name.to_string_lossy().to_lowercase());
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_' | '.');
    let text: String = text
        .unwrap_or_default()
        .chars()
        .map(|c| if fits(c) { c } else { '-' })
        .collect();
    let text = text.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    // Room is left for a number.
    match text.get(..text.len().min(56)) {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => "key".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tenant() -> TenantName {
        "acme".parse().unwrap()
    }

    fn key(folder: &Path, name: &str) -> PathBuf {
        let path = folder.join(name);
        fs::create_dir_all(folder).unwrap();
        fs::write(&path, "a key").unwrap();
        path
    }

    fn grant(keys: &Path, file: &Path) -> Grant {
        let given = file.to_str();
        choose(Some(keys), &tenant(), given, None)
            .unwrap()
            .grant()
            .unwrap()
    }

    #[test]
    fn a_file_is_granted_once_under_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        let first = key(&dir.path().join("a"), "id_ed25519");
        let granted = grant(&keys, &first);
        assert_eq!(granted.name.as_str(), "id_ed25519");
        assert_eq!(fs::read_link(keys.join("acme/id_ed25519")).unwrap(), first);
        // Neither the same again nor its name grants anything more.
        grant(&keys, &first).take_back();
        let named = choose(Some(&keys), &tenant(), Some("id_ed25519"), None).unwrap();
        assert_eq!(named, Choice::Granted("id_ed25519".parse().unwrap()));
        assert_eq!(fs::read_dir(keys.join("acme")).unwrap().count(), 1);
        // Another file of that name never takes its place: servers rely on it.
        let second = key(&dir.path().join("b"), "id_ed25519");
        let other = grant(&keys, &second);
        assert_eq!(other.name.as_str(), "id_ed25519-2");
        assert_eq!(fs::read_link(keys.join("acme/id_ed25519")).unwrap(), first);
        other.take_back();
        assert!(fs::symlink_metadata(keys.join("acme/id_ed25519-2")).is_err());
        // A file of the folder itself is granted already.
        let inside = key(&keys.join("acme"), "own");
        assert_eq!(grant(&keys, &inside).name.as_str(), "own");
        assert!(inside.is_file() && fs::read_link(&inside).is_err());
    }

    #[test]
    fn the_usual_key_is_granted_when_none_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let keys = dir.path().join("keys");
        let usual = key(dir.path(), "id_ed25519");
        let choice = choose(Some(&keys), &tenant(), None, Some(usual.clone())).unwrap();
        assert_eq!(choice.grant().unwrap().name.as_str(), "id_ed25519");
        let none = choose(Some(&keys), &tenant(), None, None).unwrap();
        assert_eq!(none, Choice::Nothing);
        assert!(
            none.grant()
                .unwrap_err()
                .hint
                .unwrap()
                .contains("--identity FILE")
        );
        let missing = choose(Some(&keys), &tenant(), Some("/no/such/key"), Some(usual)).unwrap_err();
        assert!(
            missing.message.contains("no key at `/no/such/key`"),
            "{}",
            missing.message
        );
    }

    #[test]
    fn from_elsewhere_a_key_is_named_and_never_a_path() {
        let named = choose(None, &tenant(), Some("lab"), None).unwrap();
        assert_eq!(named, Choice::Granted("lab".parse().unwrap()));
        let dir = tempfile::tempdir().unwrap();
        let file = key(dir.path(), "id_ed25519");
        let refused = choose(None, &tenant(), file.to_str(), Some(file.clone())).unwrap_err();
        assert!(refused.hint.unwrap().contains("DATA_DIR/keys/acme/"));
        let usual = choose(None, &tenant(), None, Some(file)).unwrap();
        assert_eq!(usual, Choice::Nothing, "what lies here is not there");
    }

    #[test]
    fn a_name_is_made_of_what_a_name_may_hold() {
        for (file, name) in [
            ("/x/Prod Key.PEM", "prod-key.pem"),
            ("/x/.hidden", "hidden"),
            ("/x/ключ", "key"),
            ("/", "key"),
        ] {
            assert_eq!(name_of(Path::new(file)), name);
            name.parse::<KeyName>().unwrap();
        }
        let long = name_of(Path::new(&format!("/x/{}", "k".repeat(200))));
        format!("{long}-{SAME_NAME_MAX}").parse::<KeyName>().unwrap();
    }
}
