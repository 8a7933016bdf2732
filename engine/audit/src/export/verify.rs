//! Verification of an export from its text alone: no database, no network, no trust in whoever wrote it.

use std::io::{BufRead, Read as _};

use clawd_model::Timestamp;

use crate::checkpoint::{Checkpoint, origin};
use crate::export::report::{Report, VerifyError};
use crate::export::{CheckpointLine, Header, format};
use crate::key::VerifierKey;
use crate::record::Record;
use crate::tree::Tree;

/// No line is longer than this: a hostile file must not fill the memory.
const LINE_MAX: u64 = 32 * 1024 * 1024;

/// What a verifier knows from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The key that has to have signed, from a place that the writer of the file does not control.
    pub key: Option<VerifierKey>,
    /// Checkpoints that were seen before: the log has to contain them.
    pub checkpoints: Vec<Checkpoint>,
}

/// Verifies an export; `trusted` is the key that has to have signed it, from a place that its writer does not control.
///
/// # Errors
/// At the first thing that does not hold.
pub fn verify(text: impl BufRead, trusted: Option<&VerifierKey>) -> Result<Report, VerifyError> {
    verify_with(
        text,
        &Known {
            key: trusted.cloned(),
            checkpoints: Vec::new(),
        },
    )
}

/// Verifies an export against what is known from elsewhere.
///
/// # Errors
/// At the first thing that does not hold.
pub fn verify_with(text: impl BufRead, known: &Known) -> Result<Report, VerifyError> {
    let mut lines = Lines { text, line: 0 };
    let header = lines.next()?.ok_or(VerifyError::NotAnExport)?;
    let header: Header = serde_json::from_str(&header).map_err(|_| VerifyError::NotAnExport)?;
    if header.export != format() {
        return Err(VerifyError::NotAnExport);
    }
    let named: VerifierKey = header.key.parse().map_err(VerifyError::Key)?;
    if let Some(trusted) = known.key.as_ref().filter(|trusted| **trusted != named) {
        return Err(VerifyError::OtherKey {
            found: named.to_string(),
            trusted: trusted.to_string(),
        });
    }
    let origin = origin(&header.tenant);
    if let Some(other) = known.checkpoints.iter().find(|seen| seen.origin != origin) {
        return Err(VerifyError::OtherLog {
            line: 1,
            found: other.origin.clone(),
        });
    }
    let mut check = Check {
        origin,
        header,
        key: named,
        tree: Tree::new(),
        covered: 0,
        covered_line: 1,
        checkpoints: 0,
        span: None,
        unseen: known.checkpoints.clone(),
    };
    check.see(0)?;
    while let Some(line) = lines.next()? {
        if line.starts_with(r#"{"checkpoint":"#) {
            check.checkpoint(&line, lines.line)?;
        } else {
            check.record(&line, lines.line)?;
        }
    }
    check.finish(lines.line, known.key.is_some())
}

struct Lines<T> {
    text: T,
    line: u64,
}

impl<T: BufRead> Lines<T> {
    fn next(&mut self) -> Result<Option<String>, VerifyError> {
        let mut line = String::new();
        let number = self.line + 1;
        let read = (&mut self.text)
            .take(LINE_MAX)
            .read_line(&mut line)
            .map_err(|source| VerifyError::Io { line: number, source })?;
        if read == 0 {
            return Ok(None);
        }
        self.line = number;
        if line.ends_with('\n') {
            line.pop();
        } else if read as u64 >= LINE_MAX {
            return Err(VerifyError::TooLong { line: number });
        }
        // A text that was cut off in the middle of its last line is judged by what is left of it.
        Ok(Some(line))
    }
}

struct Check {
    header: Header,
    origin: String,
    key: VerifierKey,
    tree: Tree,
    /// How many records the last checkpoint covered, and the line that it stood in.
    covered: u64,
    covered_line: u64,
    checkpoints: u64,
    span: Option<(Timestamp, Timestamp)>,
    unseen: Vec<Checkpoint>,
}

impl Check {
    fn record(&mut self, text: &str, line: u64) -> Result<(), VerifyError> {
        let record = Record::parse(text).map_err(|source| VerifyError::NotARecord { line, source })?;
        let expected = self.tree.size();
        if record.index != expected {
            return Err(VerifyError::Index {
                line,
                expected,
                found: record.index,
            });
        }
        if expected >= self.header.size {
            return Err(VerifyError::Surplus {
                line,
                expected: self.header.size,
            });
        }
        if record.tenant != self.header.tenant {
            return Err(VerifyError::OtherTenant {
                line,
                index: record.index,
                found: record.tenant,
            });
        }
        if record.body() != text {
            return Err(VerifyError::NotCanonical {
                line,
                index: record.index,
            });
        }
        self.tree.append(Record::leaf(text));
        self.span = Some((self.span.map_or(record.at, |(first, _)| first), record.at));
        self.see(self.tree.size())
    }

    fn checkpoint(&mut self, text: &str, line: u64) -> Result<(), VerifyError> {
        let note: CheckpointLine =
            serde_json::from_str(text).map_err(|source| VerifyError::NotARecord { line, source })?;
        let checkpoint = Checkpoint::verify(&note.checkpoint, &self.key)
            .map_err(|source| VerifyError::Checkpoint { line, source })?;
        if checkpoint.origin != self.origin {
            return Err(VerifyError::OtherLog {
                line,
                found: checkpoint.origin,
            });
        }
        if checkpoint.size != self.tree.size() {
            return Err(VerifyError::Place {
                line,
                signed: checkpoint.size,
                found: self.tree.size(),
            });
        }
        if checkpoint.root != self.tree.root() {
            return Err(VerifyError::Root {
                line,
                from: self.covered_line + 1,
                to: line - 1,
            });
        }
        self.covered = checkpoint.size;
        self.covered_line = line;
        self.checkpoints += 1;
        Ok(())
    }

    /// Holds what was seen elsewhere against the log at this size.
    fn see(&mut self, size: u64) -> Result<(), VerifyError> {
        if self.unseen.is_empty() {
            return Ok(());
        }
        let root = self.tree.root();
        if self
            .unseen
            .iter()
            .any(|seen| seen.size == size && seen.root != root)
        {
            return Err(VerifyError::Forked {
                size,
                found: format!("the root `{root}`"),
            });
        }
        self.unseen.retain(|seen| seen.size != size);
        Ok(())
    }

    fn finish(self, line: u64, key_is_trusted: bool) -> Result<Report, VerifyError> {
        let found = self.tree.size();
        if found != self.header.size || self.covered != found || self.checkpoints == 0 {
            return Err(VerifyError::CutOff {
                line,
                expected: self.header.size,
                found,
                uncovered: found - self.covered,
            });
        }
        if let Some(seen) = self.unseen.first() {
            return Err(VerifyError::Forked {
                size: seen.size,
                found: format!("only {found} records and no root"),
            });
        }
        Ok(Report {
            tenant: self.header.tenant,
            records: found,
            root: self.tree.root(),
            checkpoints: self.checkpoints,
            key: self.key,
            key_is_trusted,
            span: self.span,
        })
    }
}
