//! Reads what `job.sh` answers. Strict: a host may say anything.

/// What is known about a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It did not start; whoever wants to start it now must name this generation.
    None {
        /// See `job.sh`.
        generation: u64,
    },
    /// It runs.
    Running,
    /// It ended.
    Done {
        /// Its exit code; 128 + n for signal n.
        code: u8,
    },
    /// Nobody can know.
    Indeterminate(String),
    /// Somebody with a newer lease has taken over.
    Fenced,
}

/// The answer to `start`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Start {
    /// It runs, or ran: now, or from an earlier call.
    Started,
    /// Somebody has settled it; this generation is current.
    Superseded(u64),
    /// The key belongs to another command.
    Conflict,
    /// Somebody with a newer lease has taken over.
    Fenced,
    /// It was launched, but it does not start.
    Stuck,
    /// It could not be launched.
    Error(String),
}

/// Reads the line of a state.
pub(crate) fn state(line: &str) -> Option<State> {
    let mut words = line.split_ascii_whitespace();
    let state = match words.next()? {
        "none" => State::None {
            generation: words.next().map_or(Some(0), |word| word.parse().ok())?,
        },
        "running" => State::Running,
        "done" => State::Done {
            code: words.next()?.parse().ok()?,
        },
        "indeterminate" => State::Indeterminate(reason(words.next()?)?.to_owned()),
        "fenced" => State::Fenced,
        _ => return None,
    };
    Some(state)
}

fn reason(word: &str) -> Option<&'static str> {
    match word {
        "rebooted" => Some("the host was restarted while the command ran"),
        "killed" => Some("the command was killed from outside, and its exit status is lost"),
        _ => None,
    }
}

/// Reads the answer to `start`.
pub(crate) fn start(text: &str) -> Option<Start> {
    let line = text.lines().next()?;
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let start = match word {
        "started" | "already" => Start::Started,
        "superseded" => Start::Superseded(rest.parse().ok()?),
        "conflict" => Start::Conflict,
        "fenced" => Start::Fenced,
        "stuck" => Start::Stuck,
        "error" => Start::Error(crate::text::line(rest, 300)),
        _ => return None,
    };
    Some(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_strictly() {
        assert_eq!(state("done 7 100 0"), Some(State::Done { code: 7 }));
        assert_eq!(state("none 3"), Some(State::None { generation: 3 }));
        assert_eq!(state("none"), Some(State::None { generation: 0 }));
        for line in [
            "",
            "done",
            "done x",
            "done 256",
            "none -1",
            "indeterminate",
            "indeterminate \u{1b}[",
            "Done 1",
        ] {
            assert_eq!(state(line), None, "{line}");
        }
        assert_eq!(start("superseded 2\n"), Some(Start::Superseded(2)));
        assert_eq!(
            start("error disk-full x\u{1b}y\n"),
            Some(Start::Error("disk-full x\\x1by".to_owned()))
        );
        assert_eq!(start("started!"), None);
    }
}
