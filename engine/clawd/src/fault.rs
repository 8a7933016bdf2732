//! Ends the process at a chosen commit, for tests of recovery: `CLAWD_FAULT=kill-before-commit=7`, or
//! `kill-after-commit=7`. Commits count from 1 since the start. Documented in `integration-tests/README.md`.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use clawd_model::env_name;
use clawd_store::{CommitPoint, CommitWatch};
use rustix::process::{Signal, getpid, kill_process};

const VARIABLE: &str = env_name!("FAULT");

/// What the environment asks for; nothing, as a rule.
pub(crate) fn from_environment() -> anyhow::Result<Option<CommitWatch>> {
    match std::env::var(VARIABLE) {
        Ok(text) => parse(&text).map(|point| Some(watch(point))),
        Err(_) => Ok(None),
    }
}

fn parse(text: &str) -> anyhow::Result<CommitPoint> {
    let (place, number) = text
        .split_once('=')
        .with_context(|| format!("{VARIABLE}: expected PLACE=NUMBER"))?;
    let number = number
        .parse()
        .with_context(|| format!("{VARIABLE}: `{number}` is not a number"))?;
    match place {
        "kill-before-commit" => Ok(CommitPoint::Before(number)),
        "kill-after-commit" => Ok(CommitPoint::After(number)),
        _ => bail!("{VARIABLE}: `{place}` is not a place; known: kill-before-commit, kill-after-commit"),
    }
}

fn watch(wanted: CommitPoint) -> CommitWatch {
    Arc::new(move |point| {
        if point == wanted {
            // SIGKILL cannot be caught: nothing is flushed, nothing is told, as after the real thing.
            let _ = kill_process(getpid(), Signal::KILL);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_a_place_and_a_number() {
        assert_eq!(parse("kill-before-commit=7").unwrap(), CommitPoint::Before(7));
        assert_eq!(parse("kill-after-commit=1").unwrap(), CommitPoint::After(1));
        assert!(parse("kill-before-commit").is_err());
        assert!(parse("explode=3").is_err());
    }
}
