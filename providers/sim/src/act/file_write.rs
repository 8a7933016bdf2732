//! `file.write`: a file with given content.

use clawd_model::{Change, Digest, OperationSpec, StepError};
use clawd_provider::contract::file_write::{Input, Output, spec};
use clawd_provider::contract::read_input;
use serde_json::{Value, json};
use similar::TextDiff;

use super::{Act, Moment, invalid, not_seen, to_output};
use crate::world::{File, World};

pub(super) struct FileWrite;

impl Act for FileWrite {
    fn spec(&self) -> OperationSpec {
        spec()
    }

    fn foresee(&self, world: &World, input: &Value) -> Result<Change, StepError> {
        let input = read(input)?;
        let old = world.files.get(&input.path);
        let new = wanted(&input, old);
        let summary = match old {
            None => format!("{} created", input.path),
            Some(old) if *old == new => format!("{} is as wanted", input.path),
            Some(old) if old.content == new.content => format!("{} gets other rights", input.path),
            Some(_) => format!("{} rewritten", input.path),
        };
        Ok(Change {
            needed: old != Some(&new),
            summary,
            diff: diff(&input, old, &new),
            basis: json!({"path": input.path, "now": old.map(shape), "then": shape(&new)}),
        })
    }

    fn transcript(&self, _world: &World, input: &Value) -> Vec<String> {
        read(input)
            .map(|input| vec![format!("{} bytes to {}", input.content.len(), input.path)])
            .unwrap_or_default()
    }

    fn perform(&self, world: &mut World, input: &Value, _moment: &Moment) -> Result<Value, StepError> {
        let input = read(input)?;
        let old = world.files.get(&input.path);
        let output = Output {
            sha256: sha256(&input.content),
            previous_sha256: old.map(|old| sha256(&old.content)),
        };
        let new = wanted(&input, old);
        world.files.insert(input.path, new);
        to_output(&output)
    }

    fn verify(&self, world: &World, input: &Value, _output: &Value) -> Result<(), StepError> {
        let input = read(input)?;
        let seen = world.files.get(&input.path);
        if seen == Some(&wanted(&input, seen)) {
            Ok(())
        } else {
            Err(not_seen(format!("`{}` is not as written", input.path)))
        }
    }
}

fn read(input: &Value) -> Result<Input, StepError> {
    let input: Input = read_input(input)?;
    if !input.path.starts_with('/') || input.path.split('/').any(|part| part == "..") {
        return Err(invalid(format!("`{}` is not an absolute path", input.path)));
    }
    if let Some(mode) = &input.mode {
        let is_octal =
            (3..=4).contains(&mode.len()) && mode.bytes().all(|digit| (b'0'..b'8').contains(&digit));
        if !is_octal {
            return Err(invalid(format!(
                "`{mode}` is not a mode: expected octal, such as 0644"
            )));
        }
    }
    Ok(input)
}

fn wanted(input: &Input, old: Option<&File>) -> File {
    let choose = |given: &Option<String>, kept: Option<&String>, usual: &str| {
        given
            .as_ref()
            .or(kept)
            .cloned()
            .unwrap_or_else(|| usual.to_owned())
    };
    let mode = choose(&input.mode, old.map(|old| &old.mode), "0644");
    File {
        content: input.content.clone(),
        mode: format!("{mode:0>4}"),
        owner: choose(&input.owner, old.map(|old| &old.owner), "root"),
        group: choose(&input.group, old.map(|old| &old.group), "root"),
    }
}

fn diff(input: &Input, old: Option<&File>, new: &File) -> String {
    let mut text = if old.is_some_and(|old| old.content == new.content) {
        String::new()
    } else if input.sensitive || old.is_some_and(|old| !is_public(old)) {
        hidden(&input.path, old, new)
    } else {
        shown(&input.path, old, new)
    };
    if let Some(old) = old {
        for (what, before, after) in [
            ("mode", &old.mode, &new.mode),
            ("owner", &old.owner, &new.owner),
            ("group", &old.group, &new.group),
        ] {
            if before != after {
                text.push_str(&format!("~ {what} {before} -> {after}\n"));
            }
        }
    }
    text
}

/// Whether every user of the server may read it: only then does a plan show what is in it.
fn is_public(file: &File) -> bool {
    u32::from_str_radix(&file.mode, 8).is_ok_and(|mode| mode & 0o004 != 0)
}

fn shown(path: &str, old: Option<&File>, new: &File) -> String {
    let before = old.map_or("", |old| old.content.as_str());
    let from = if old.is_some() { path } else { "/dev/null" };
    TextDiff::from_lines(before, &new.content)
        .unified_diff()
        .header(from, path)
        .to_string()
}

/// As on real hosts: sizes and digests, and no line of either content.
fn hidden(path: &str, old: Option<&File>, new: &File) -> String {
    let facts = |file: &File| {
        let (bytes, lines) = (file.content.len(), file.content.lines().count());
        format!("{bytes} bytes, {lines} lines, sha256:{}", sha256(&file.content))
    };
    match old {
        Some(old) => format!("~ {path}: {} -> {} (not shown)\n", facts(old), facts(new)),
        None => format!("+ {path}: {} (not shown)\n", facts(new)),
    }
}

/// What the fingerprint stands on: never the content itself, which may hold a secret.
fn shape(file: &File) -> Value {
    json!({"sha256": sha256(&file.content), "mode": file.mode, "owner": file.owner, "group": file.group})
}

fn sha256(content: &str) -> String {
    Digest::of(content.as_bytes()).to_hex()
}
