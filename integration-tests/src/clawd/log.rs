//! What a process prints, collected line by line while it runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader};

/// Clones share the same lines.
#[derive(Debug, Clone, Default)]
pub(super) struct Log {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    lines: Vec<String>,
    open: usize,
}

impl Log {
    /// Reads both streams to their ends, in the background.
    pub(super) fn follow(
        &self,
        stdout: impl AsyncRead + Unpin + Send + 'static,
        stderr: impl AsyncRead + Unpin + Send + 'static,
    ) {
        self.lock().open += 2;
        tokio::spawn(self.clone().collect(stdout));
        tokio::spawn(self.clone().collect(stderr));
    }

    async fn collect(self, stream: impl AsyncRead + Unpin) {
        let mut reader = BufReader::new(stream);
        let mut line = Vec::new();
        // An error ends the stream as its end does.
        while reader
            .read_until(b'\n', &mut line)
            .await
            .is_ok_and(|read| read > 0)
        {
            self.lock()
                .lines
                .push(String::from_utf8_lossy(&line).trim_end().to_owned());
            line.clear();
        }
        self.lock().open -= 1;
    }

    /// Whether nothing can follow any more.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().open == 0
    }

    /// How many lines there are.
    pub(super) fn len(&self) -> usize {
        self.lock().lines.len()
    }

    /// The first line at or after `from` that contains `needle`.
    pub(super) fn find(&self, needle: &str, from: usize) -> Option<String> {
        self.lock()
            .lines
            .iter()
            .skip(from)
            .find(|line| line.contains(needle))
            .cloned()
    }

    pub(super) fn text(&self) -> String {
        self.tail(usize::MAX)
    }

    /// The last `count` lines.
    pub(super) fn tail(&self, count: usize) -> String {
        let inner = self.lock();
        let skip = inner.lines.len().saturating_sub(count);
        inner
            .lines
            .iter()
            .skip(skip)
            .map(|line| format!("{line}\n"))
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
