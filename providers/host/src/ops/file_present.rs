//! What is at a path of a host now: content, mode, owner. Refuses what is no regular file.

use clawd_model::{Digest, ErrorKind, StepError};

use super::file_write::CONTENT_MAX;
use crate::host::{Host, script};
use crate::text;

const LOOK: &str = include_str!("file_look.sh");

/// A user or a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Who {
    /// The number, as text.
    pub(super) id: String,
    /// The name, or the number if it has none.
    pub(super) name: String,
}

impl Who {
    /// Whether a wish, by name or number, is this one.
    pub(super) fn is(&self, wish: &str) -> bool {
        self.name == wish || self.id == wish
    }
}

/// A file that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Present {
    pub(super) digest: Digest,
    pub(super) size: usize,
    pub(super) mode: u32,
    /// Whether all folders on the way let everybody through.
    pub(super) is_reachable: bool,
    pub(super) owner: Who,
    pub(super) group: Who,
    /// Absent when it is too long to be shown.
    pub(super) content: Option<Vec<u8>>,
}

impl Present {
    /// Whether every user of the host may read it: only then may a plan show what is in it.
    pub(super) fn is_public(&self) -> bool {
        self.is_reachable && self.mode & 0o004 != 0
    }
}

/// Looks at a path; `None` when nothing is there.
pub(super) async fn present(
    host: &Host,
    folder: &str,
    name: &str,
    path: &str,
) -> Result<Option<Present>, StepError> {
    let request = script(LOOK, &[folder, name, &CONTENT_MAX.to_string()]);
    let reply = host.ask_ok(&request, CONTENT_MAX + 64 * 1024).await?;
    let refuse = |what: &str| {
        StepError::new(
            ErrorKind::InvalidInput,
            format!("{}: `{path}` {what}", host.place),
        )
    };
    let (head, content) = split_line(&reply.stdout);
    let head = String::from_utf8_lossy(head).into_owned();
    let (word, rest) = head.split_once(' ').unwrap_or((&head, ""));
    let rest = text::line(rest, 300);
    match word {
        "none" => Ok(None),
        "nofolder" => {
            Err(refuse("cannot be written: its folder does not exist").with_hint("create the folder first"))
        }
        "elsewhere" => Err(refuse("goes through a symbolic link")
            .with_hint(format!("name the real folder if that is meant: `{rest}`"))),
        "link" => {
            Err(refuse("is a symbolic link")
                .with_hint(format!("it leads to `{rest}`: name that if it is meant")))
        }
        "special" => Err(refuse("is no regular file")),
        "file" => file(&rest, content)
            .map(Some)
            .ok_or_else(|| host.garbled("what it says about a file")),
        _ => Err(host.garbled("what it says about a file")),
    }
}

fn split_line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .unwrap_or(bytes.len());
    let (line, rest) = bytes.split_at_checked(end).unwrap_or((bytes, &[]));
    (line, rest.get(1..).unwrap_or_default())
}

/// `SIZE SHA256 MODE UID GID USER GROUP WAY`
fn file(line: &str, content: &[u8]) -> Option<Present> {
    let words: Vec<&str> = line.split(' ').collect();
    let [size, digest, mode, uid, gid, user, group, way] = words.as_slice() else {
        return None;
    };
    let size: usize = size.parse().ok()?;
    let said: Digest = format!("sha256:{digest}").parse().ok()?;
    // What was sent is believed, not what was said about it.
    let (digest, content) = if size <= CONTENT_MAX {
        (Digest::of(content), Some(content.to_vec()))
    } else {
        (said, None)
    };
    let who = |id: &str, name: &str| {
        let id: u32 = id.parse().ok()?;
        let name = if name == "UNKNOWN" {
            id.to_string()
        } else {
            name.to_owned()
        };
        Some(Who {
            id: id.to_string(),
            name,
        })
    };
    Some(Present {
        digest,
        size,
        is_reachable: *way == "open",
        mode: u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o7777)?,
        owner: who(uid, user)?,
        group: who(gid, group)?,
        content,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_about_a_file() {
        let sum = Digest::of(b"x\n").to_hex();
        let line = format!("2 {sum} 4755 0 33 root www-data open");
        let present = file(&line, b"x\n").unwrap();
        assert_eq!((present.mode, present.digest), (0o4755, Digest::of(b"x\n")));
        assert!(present.is_public());
        for hidden in [line.replace("4755", "4750"), line.replace(" open", " closed")] {
            assert!(!file(&hidden, b"x\n").unwrap().is_public(), "{hidden}");
        }
        assert!(present.group.is("www-data") && present.group.is("33") && !present.group.is("root"));
        for bad in [
            "",
            "2 x 644 0 0 root root",
            &line.replace("4755", "9"),
            &line.replace(" 33 ", " -1 "),
            &format!("{line} more"),
        ] {
            assert_eq!(file(bad, b"x\n"), None, "{bad}");
        }
    }
}
