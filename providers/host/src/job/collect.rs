//! Keeps what matters of a job's output while it streams through: its beginning, its last line, how far it is.

use std::sync::Arc;

use clawd_provider::{OutputSink, Redactor, Stream};

/// What an operation's output may hold of each stream.
pub(crate) const HEAD_MAX: usize = 64 * 1024;
/// What is kept of the end, for messages.
const TAIL_MAX: usize = 4 * 1024;
/// What a host keeps of each stream; a host that sends more lies.
pub(crate) const STREAM_MAX: u64 = 8 << 20;

#[derive(Default)]
struct Part {
    head: Vec<u8>,
    tail: Vec<u8>,
    length: u64,
}

impl Part {
    fn take(&mut self, bytes: &[u8]) {
        let room = HEAD_MAX.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(bytes.get(..room).unwrap_or_default());
        self.tail.extend_from_slice(bytes);
        let over = self.tail.len().saturating_sub(TAIL_MAX);
        self.tail.drain(..over);
        self.length = self.length.saturating_add(bytes.len() as u64);
    }
}

/// A job's output so far.
pub(crate) struct Collected {
    sink: Arc<dyn OutputSink>,
    redactor: Redactor,
    out: Part,
    err: Part,
}

impl Collected {
    pub(crate) fn new(sink: Arc<dyn OutputSink>) -> Self {
        Self {
            sink,
            redactor: Redactor::default(),
            out: Part::default(),
            err: Part::default(),
        }
    }

    /// Without these secrets in what is kept. What is passed on is struck by the sink.
    pub(crate) fn without(self, redactor: &Redactor) -> Self {
        Self {
            redactor: redactor.clone(),
            ..self
        }
    }

    /// Passes a piece on. False when the host sends more than it can have kept.
    pub(super) fn take(&mut self, stream: Stream, bytes: &[u8]) -> bool {
        let part = match stream {
            Stream::Stdout => &mut self.out,
            Stream::Stderr | Stream::Note => &mut self.err,
        };
        part.take(bytes);
        let fits = part.length <= STREAM_MAX;
        if fits {
            self.sink.write(stream, bytes);
        }
        fits
    }

    /// How much of each stream has come.
    pub(super) fn offsets(&self) -> (u64, u64) {
        (self.out.length, self.err.length)
    }

    pub(super) fn note(&self, text: &str) {
        self.sink.write(Stream::Note, format!("{text}\n").as_bytes());
    }

    /// The beginning of both streams, without secrets: also without the half of one that was cut off.
    pub(super) fn heads(&self) -> (String, String) {
        (self.head(&self.out), self.head(&self.err))
    }

    fn head(&self, part: &Part) -> String {
        if part.length > part.head.len() as u64 {
            self.redactor.head(&part.head)
        } else {
            self.redactor.text(&String::from_utf8_lossy(&part.head))
        }
    }

    fn tail(&self, part: &Part) -> String {
        if part.length > part.tail.len() as u64 {
            self.redactor.tail(&part.tail)
        } else {
            self.redactor.text(&String::from_utf8_lossy(&part.tail))
        }
    }

    /// The job has ended.
    pub(super) fn ended(self, code: u8, note: String) -> Ended {
        let (stdout, stderr) = self.heads();
        let (stdout_tail, stderr_tail) = (self.tail(&self.out), self.tail(&self.err));
        let last_line = crate::text::last_line(&stderr_tail).or_else(|| crate::text::last_line(&stdout_tail));
        Ended {
            code,
            stdout,
            stderr,
            stdout_tail,
            stderr_tail,
            last_line,
            note,
        }
    }
}

/// A job that has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    /// Its exit code; 128 + n for signal n.
    pub(crate) code: u8,
    /// The beginning of its output.
    pub(crate) stdout: String,
    /// The beginning of its error output.
    pub(crate) stderr: String,
    /// The end of its output.
    pub(crate) stdout_tail: String,
    /// The end of its error output.
    pub(crate) stderr_tail: String,
    /// The last line that says anything, of the error output if there is one.
    pub(crate) last_line: Option<String>,
    /// The note of the specification; empty for a job that this very call started.
    pub(crate) note: String,
}
