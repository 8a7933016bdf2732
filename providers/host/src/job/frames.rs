//! Reads the frames of `follow`: `o LENGTH` or `e LENGTH` and so many bytes, `r`, and at last `s STATE`.

use clawd_provider::Stream;

use super::answer::{self, State};
use super::collect::Collected;
use crate::transport::Receive;

/// No header is longer.
const HEADER_MAX: usize = 200;

/// Takes frames and gives their content to a [`Collected`].
pub(super) struct Frames<'a> {
    collected: &'a mut Collected,
    header: Vec<u8>,
    inside: Option<(Stream, u64)>,
    state: Option<State>,
    garbled: bool,
}

impl<'a> Frames<'a> {
    pub(super) fn new(collected: &'a mut Collected) -> Self {
        Self {
            collected,
            header: Vec::new(),
            inside: None,
            state: None,
            garbled: false,
        }
    }

    /// The state that came last; none when the connection ended before, or what came makes no sense.
    pub(super) fn state(self) -> Result<Option<State>, ()> {
        if self.garbled { Err(()) } else { Ok(self.state) }
    }

    fn eat<'b>(&mut self, bytes: &'b [u8]) -> Option<&'b [u8]> {
        if let Some((stream, left)) = self.inside {
            let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            let (content, rest) = bytes.split_at_checked(length)?;
            if !self.collected.take(stream, content) {
                return None;
            }
            let left = left.saturating_sub(length as u64);
            self.inside = (left > 0).then_some((stream, left));
            return Some(rest);
        }
        match bytes.iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                let (line, rest) = bytes.split_at_checked(at)?;
                self.header.extend_from_slice(line);
                let header = std::mem::take(&mut self.header);
                self.begin(std::str::from_utf8(&header).ok()?)?;
                rest.get(1..)
            }
            None => {
                self.header.extend_from_slice(bytes);
                (self.header.len() <= HEADER_MAX).then_some(&[])
            }
        }
    }

    fn begin(&mut self, header: &str) -> Option<()> {
        if self.state.is_some() || header.len() > HEADER_MAX {
            return None;
        }
        let (word, rest) = header.split_once(' ').unwrap_or((header, ""));
        match word {
            "o" => self.inside = Some((Stream::Stdout, rest.parse().ok()?)),
            "e" => self.inside = Some((Stream::Stderr, rest.parse().ok()?)),
            "r" => {}
            "s" => self.state = Some(answer::state(rest)?),
            _ => return None,
        }
        Some(())
    }
}

impl Receive for Frames<'_> {
    fn take(&mut self, stream: Stream, bytes: &[u8]) -> bool {
        if stream != Stream::Stdout {
            return true;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.eat(rest) {
                Some(left) => rest = left,
                None => {
                    self.garbled = true;
                    return false;
                }
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use clawd_provider::DiscardOutput;

    use super::*;

    fn read(pieces: &[&[u8]]) -> (Collected, Result<Option<State>, ()>) {
        let mut collected = Collected::new(Arc::new(DiscardOutput));
        let mut frames = Frames::new(&mut collected);
        for piece in pieces {
            if !frames.take(Stream::Stdout, piece) {
                break;
            }
        }
        let state = frames.state();
        (collected, state)
    }

    #[test]
    fn frames_may_be_cut_anywhere() {
        let whole = b"r\no 5\nab\ncde 3\nerro 1\n!s done 0 6 3\n";
        for size in 1..whole.len() {
            let pieces: Vec<&[u8]> = whole.chunks(size).collect();
            let (collected, state) = read(&pieces);
            assert_eq!(state, Ok(Some(State::Done { code: 0 })), "{size}");
            let (out, err) = collected.heads();
            assert_eq!((out, err), ("ab\ncd!".to_owned(), "err".to_owned()));
            assert_eq!(collected.offsets(), (6, 3));
        }
    }

    #[test]
    fn a_frame_that_ended_early_counts_what_came() {
        let (collected, state) = read(&[b"o 10\nabc"]);
        assert_eq!(state, Ok(None));
        assert_eq!(collected.offsets(), (3, 0));
    }

    #[test]
    fn nonsense_ends_it() {
        for bad in [
            &b"x 1\n"[..],
            b"o -1\n",
            b"o\n",
            b"s what\n",
            b"s running\nr\n",
            b"\xff\n",
            &[b'r'; 300],
        ] {
            assert_eq!(read(&[bad]).1, Err(()), "{}", String::from_utf8_lossy(bad));
        }
    }
}
