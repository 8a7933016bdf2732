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
    /// Somebody else is at work on it: nothing was launched, and it may be tried again.
    Busy,
    /// It could not be launched.
    Error(String),
}

/// The answer to `stop`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// There was nothing to end: it never began, or had ended by itself.
    Ended,
    /// It was told to end, and nothing of it is left.
    Stopped,
    /// It was told to end, and something of it still runs.
    Remains,
}

/// Reads the line of a state.
pub(crate) fn state(line: &str) -> Option<State> {
    let words: Vec<&str> = line.split(' ').collect();
    let state = match *words.as_slice() {
        ["none"] => State::None { generation: 0 },
        ["none", generation] => State::None {
            generation: number(generation)?,
        },
        ["running"] => State::Running,
        ["done", code, out, err] => {
            // How much output there is is not needed, but a line that lacks it is no answer.
            let (_, _): (u64, u64) = (number(out)?, number(err)?);
            State::Done { code: number(code)? }
        }
        ["indeterminate", why] => State::Indeterminate(reason(why)?.to_owned()),
        ["fenced", by] => {
            let _: u64 = number(by)?;
            State::Fenced
        }
        _ => return None,
    };
    Some(state)
}

/// Digits and nothing else: the library would take `+1`.
fn number<T: std::str::FromStr>(word: &str) -> Option<T> {
    let is_plain = word.bytes().all(|byte| byte.is_ascii_digit());
    word.parse().ok().filter(|_| is_plain)
}

fn reason(word: &str) -> Option<&'static str> {
    match word {
        "rebooted" => Some("the host was restarted while the command ran"),
        "killed" => Some(
            "the command is gone, and its exit status is lost: it was killed from outside, or the status could not be \
             stored",
        ),
        "lost" => Some("the command has ended, and its exit status was not stored"),
        "forgotten" => {
            Some("the command was started long ago, and the host no longer knows what became of it")
        }
        _ => None,
    }
}

/// Reads the answer to `stop`.
pub(crate) fn stop(text: &str) -> Option<Stop> {
    match text.lines().next()? {
        "none" | "ended" => Some(Stop::Ended),
        "stopped" => Some(Stop::Stopped),
        "running" => Some(Stop::Remains),
        _ => None,
    }
}

/// Reads the answer to `start`.
pub(crate) fn start(text: &str) -> Option<Start> {
    let line = text.lines().next()?;
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    let start = match word {
        "started" | "already" => Start::Started,
        "superseded" => Start::Superseded(number(rest)?),
        "conflict" => Start::Conflict,
        "fenced" => Start::Fenced,
        "stuck" => Start::Stuck,
        "error" if rest.starts_with("busy ") => Start::Busy,
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
            "done 7",
            "done  5 0",
            "done 7 1",
            "done 7 1 2 3",
            "done 7 x 0",
            "done +7 1 1",
            "done 256 0 0",
            "running 1",
            "none -1",
            "none 1 2",
            "indeterminate",
            "indeterminate \u{1b}[",
            "fenced",
            "Done 1",
        ] {
            assert_eq!(state(line), None, "{line}");
        }
        assert_eq!(start("superseded 2\n"), Some(Start::Superseded(2)));
        assert_eq!(
            start("error disk-full x\u{1b}y\n"),
            Some(Start::Error("disk-full x\\x1by".to_owned()))
        );
        assert_eq!(start("error busy cannot lock it\n"), Some(Start::Busy));
        assert_eq!(start("started!"), None);
        assert_eq!(stop("ended\n"), Some(Stop::Ended));
        assert_eq!(stop("stopped by me\n"), None);
    }
}
