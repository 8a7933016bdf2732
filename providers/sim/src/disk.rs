//! Where simulated servers live: a folder each, with their world and their own record of effects.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::settle::EffectRecord;
use crate::world::World;

/// The folder of simulated servers cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum DiskError {
    /// A file or folder.
    #[error("`{path}` of the simulation cannot be used")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// A file holds something else.
    #[error("`{path}` of the simulation is damaged")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        #[source]
        source: serde_json::Error,
    },
}

fn at(path: &Path) -> impl FnOnce(io::Error) -> DiskError + '_ {
    move |source| DiskError::Io {
        path: path.to_owned(),
        source,
    }
}

/// The folder of one server.
#[derive(Clone, Debug)]
pub(crate) struct Machine {
    dir: PathBuf,
}

impl Machine {
    pub(crate) const fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    fn world_file(&self) -> PathBuf {
        self.dir.join("world.json")
    }

    fn effects_file(&self) -> PathBuf {
        self.dir.join("effects.log")
    }

    /// The stored world, if there is one.
    pub(crate) fn load(&self) -> Result<Option<World>, DiskError> {
        let path = self.world_file();
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(at(&path)(error)),
        };
        serde_json::from_slice(&text)
            .map(Some)
            .map_err(|source| DiskError::Damaged { path, source })
    }

    /// Replaces the stored world: after a crash the old one or the new one is there, whole.
    pub(crate) fn save(&self, world: &World) -> Result<(), DiskError> {
        create_dir(&self.dir)?;
        let path = self.world_file();
        let text = serde_json::to_vec_pretty(world).map_err(|source| DiskError::Damaged {
            path: path.clone(),
            source,
        })?;
        let next = self.dir.join("world.json.next");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&next).map_err(at(&next))?;
        file.write_all(&text).map_err(at(&next))?;
        file.sync_all().map_err(at(&next))?;
        fs::rename(&next, &path).map_err(at(&path))?;
        sync_dir(&self.dir)
    }

    /// Appends effects to the server's own record. An attempt that stands there already is not written again: a
    /// crash between this and [`Self::save`] makes the same effect be computed once more.
    pub(crate) fn record(&self, effects: &[EffectRecord]) -> Result<(), DiskError> {
        if effects.is_empty() {
            return Ok(());
        }
        create_dir(&self.dir)?;
        let path = self.effects_file();
        let (known, whole) = self.read_effects()?;
        let mut text = String::new();
        for effect in effects {
            if known.iter().all(|known| known.attempt != effect.attempt) {
                text.push_str(
                    &serde_json::to_string(effect).map_err(|source| DiskError::Damaged {
                        path: path.clone(),
                        source,
                    })?,
                );
                text.push('\n');
            }
        }
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o600);
        let mut file = options.open(&path).map_err(at(&path))?;
        // What follows the last line break is a line that a crash tore.
        file.set_len(whole).map_err(at(&path))?;
        file.write_all(text.as_bytes()).map_err(at(&path))?;
        file.sync_all().map_err(at(&path))?;
        sync_dir(&self.dir)
    }

    /// The server's own record, oldest first.
    pub(crate) fn effects(&self) -> Result<Vec<EffectRecord>, DiskError> {
        self.read_effects().map(|(effects, _)| effects)
    }

    /// The record, and how many bytes of the file are whole lines.
    fn read_effects(&self) -> Result<(Vec<EffectRecord>, u64), DiskError> {
        let path = self.effects_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(at(&path)(error)),
        };
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        let (lines, _torn) = text.split_at(whole);
        let effects = lines
            .lines()
            .map(serde_json::from_str)
            .collect::<Result<_, _>>()
            .map_err(|source| DiskError::Damaged { path, source })?;
        Ok((effects, whole as u64))
    }
}

/// Creates a folder that only we can look into.
pub(crate) fn create_dir(dir: &Path) -> Result<(), DiskError> {
    if dir.is_dir() {
        return Ok(());
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(at(dir))?;
    dir.parent().map_or(Ok(()), sync_dir)
}

fn sync_dir(dir: &Path) -> Result<(), DiskError> {
    let opened = fs::File::open(dir).map_err(at(dir))?;
    opened.sync_all().map_err(at(dir))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn effect(number: u8) -> EffectRecord {
        EffectRecord {
            at: "2026-03-01T09:30:00Z".to_owned(),
            attempt: format!("att_{number:032x}").parse().unwrap(),
            operation: "pkg.apply@v1".parse().unwrap(),
            summary: "1 package upgraded".to_owned(),
        }
    }

    #[test]
    fn an_effect_is_recorded_once_and_a_torn_line_is_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::new(dir.path().join("demo/web-1"));
        machine.record(&[effect(1)]).unwrap();
        machine.record(&[effect(1), effect(2)]).unwrap();
        assert_eq!(machine.effects().unwrap(), [effect(1), effect(2)]);

        let mut file = OpenOptions::new()
            .append(true)
            .open(machine.effects_file())
            .unwrap();
        file.write_all(b"{\"at\":\"2026").unwrap();
        assert_eq!(machine.effects().unwrap(), [effect(1), effect(2)]);
        machine.record(&[effect(3)]).unwrap();
        assert_eq!(machine.effects().unwrap(), [effect(1), effect(2), effect(3)]);
    }

    #[test]
    fn a_damaged_world_is_an_error_that_names_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let machine = Machine::new(dir.path().to_owned());
        assert!(machine.load().unwrap().is_none());
        fs::write(dir.path().join("world.json"), "{").unwrap();
        let error = machine.load().unwrap_err().to_string();
        assert!(error.contains("world.json"), "{error}");
    }
}
