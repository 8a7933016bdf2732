//! Files that a person named on the command line: what goes wrong with one says which one, and what it is.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::path::Path;

use crate::exit::Failure;

/// Reads a text. `what` is what the file should be: `runbook`.
pub(crate) fn read(what: &str, path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| unusable("read", what, path, &error))
}

/// Opens a file for reading.
pub(crate) fn open(what: &str, path: &Path) -> Result<File, Failure> {
    File::open(path).map_err(|error| unusable("read", what, path, &error))
}

/// Makes a file, or empties the one that is there.
pub(crate) fn create(what: &str, path: &Path) -> Result<File, Failure> {
    File::create(path).map_err(|error| unusable("write", what, path, &error))
}

fn unusable(verb: &str, what: &str, path: &Path, error: &Error) -> Failure {
    let (why, hint) = match error.kind() {
        ErrorKind::NotFound if verb == "read" => ("there is no such file", "is the path right?"),
        ErrorKind::NotFound => (
            "its folder does not exist",
            "make the folder first, or choose another path",
        ),
        ErrorKind::PermissionDenied => ("you may not", "who owns the file, and who are you?"),
        ErrorKind::IsADirectory => ("it is a folder", "name a file"),
        ErrorKind::InvalidData => ("it is not text in UTF-8", "is it the right file?"),
        _ => return Failure::usage(format!("cannot {verb} the {what} `{}`: {error}", path.display())),
    };
    Failure::usage(format!("cannot {verb} the {what} `{}`: {why}", path.display())).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_what_where_and_what_to_do() {
        let dir = tempfile::tempdir().unwrap();
        let said = |failure: Failure| {
            failure
                .to_string()
                .replace(&dir.path().display().to_string(), "DIR")
        };
        assert_eq!(
            said(read("runbook", &dir.path().join("none.yaml")).unwrap_err()),
            "error: cannot read the runbook `DIR/none.yaml`: there is no such file\nhint: is the path right?"
        );
        assert_eq!(
            said(create("export", &dir.path().join("none/export.jsonl")).unwrap_err()),
            "error: cannot write the export `DIR/none/export.jsonl`: its folder does not exist\n\
             hint: make the folder first, or choose another path"
        );
        std::fs::write(dir.path().join("binary"), [0xff, 0xfe]).unwrap();
        assert_eq!(
            said(read("runbook", &dir.path().join("binary")).unwrap_err()),
            "error: cannot read the runbook `DIR/binary`: it is not text in UTF-8\nhint: is it the right file?"
        );
    }
}
