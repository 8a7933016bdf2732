//! An attempt's output on its way to the store: redacted, limited, counted and digested.

use std::sync::Mutex;

use clawd_model::{AttemptId, Clock, RunId, TenantName};
use clawd_provider::{OutputSink, Stream};
use clawd_store::{Store, Stream as OutputStream};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::secrets::Redactor;

/// The most that is kept of one attempt's output, in bytes. The rest is counted and digested only.
const KEPT_MAX: usize = 1 << 20;
/// A line that is longer is cut into pieces, so that a host cannot make us hold it all.
const LINE_MAX: usize = 16 << 10;

/// Takes an attempt's output. A task that writes to the store begins with the first byte.
pub(crate) struct AttemptOutput {
    target: Target,
    redactor: Redactor,
    inner: Mutex<Inner>,
}

#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) store: Store,
    pub(crate) tenant: TenantName,
    pub(crate) run: RunId,
    pub(crate) attempt: AttemptId,
    pub(crate) clock: std::sync::Arc<dyn Clock>,
}

/// The way to the store, and the task at its end.
type Pump = (mpsc::UnboundedSender<(OutputStream, Vec<u8>)>, JoinHandle<()>);

#[derive(Default)]
struct Inner {
    /// What has not yet ended in a line break, by stream.
    partial: [Vec<u8>; 3],
    kept: usize,
    seen: u64,
    digest: Sha256,
    pump: Option<Pump>,
}

impl AttemptOutput {
    pub(crate) fn new(target: Target, redactor: Redactor) -> Self {
        Self {
            target,
            redactor,
            inner: Mutex::default(),
        }
    }

    /// Writes what is left, waits until all is stored, and gives what the audit record says of it.
    pub(crate) async fn finish(&self) -> Option<Value> {
        let (pump, seen, digest) = {
            let mut inner = self.inner.lock().ok()?;
            for stream in [Stream::Stdout, Stream::Stderr, Stream::Note] {
                let rest = std::mem::take(inner.partial_of(stream));
                if !rest.is_empty() {
                    self.pass(&mut inner, stream, &rest);
                }
            }
            (inner.pump.take(), inner.seen, inner.digest.clone())
        };
        let (sender, task) = pump?;
        drop(sender);
        if task.await.is_err() {
            tracing::warn!(attempt = %self.target.attempt, "the task that stores output ended early");
        }
        Some(json!({"bytes": seen, "sha256": hex::encode(digest.finalize())}))
    }

    /// Where a line that is too long is cut: in its middle, so that a secret whose end has not arrived yet is kept
    /// back, and not within a secret or a character.
    fn cut(&self, held: &[u8]) -> usize {
        let struck = |piece: &[u8]| self.redactor.text(&String::from_utf8_lossy(piece));
        let whole = struck(held);
        let is_clean = |at: &usize| {
            let (head, tail) = held.split_at(*at);
            struck(head) + &struck(tail) == whole
        };
        (1..=held.len() / 2).rev().find(is_clean).unwrap_or(held.len())
    }

    /// Redacts a piece and hands it to the store's task.
    fn pass(&self, inner: &mut Inner, stream: Stream, piece: &[u8]) {
        let text = self.redactor.text(&String::from_utf8_lossy(piece));
        inner.seen += text.len() as u64;
        inner.digest.update(text.as_bytes());
        if inner.kept >= KEPT_MAX {
            return;
        }
        inner.kept += text.len();
        let mut bytes = text.into_bytes();
        if inner.kept >= KEPT_MAX {
            bytes
                .extend_from_slice(b"\n[output limit reached: the rest is counted and digested, not kept]\n");
        }
        let target = &self.target;
        let (sender, _) = inner.pump.get_or_insert_with(|| start_pump(target.clone()));
        // The receiver ends only after this sender is gone.
        let _ = sender.send((stored(stream), bytes));
    }
}

impl OutputSink for AttemptOutput {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        let Ok(mut inner) = self.inner.lock() else { return };
        let mut held = std::mem::take(inner.partial_of(stream));
        held.extend_from_slice(bytes);
        // Only whole lines pass, so that a secret that arrives in two pieces is seen whole.
        let whole = match held.iter().rposition(|byte| *byte == b'\n') {
            Some(last) => last + 1,
            None if held.len() > LINE_MAX => self.cut(&held),
            None => 0,
        };
        let rest = held.split_off(whole);
        *inner.partial_of(stream) = rest;
        if !held.is_empty() {
            self.pass(&mut inner, stream, &held);
        }
    }
}

impl Inner {
    fn partial_of(&mut self, stream: Stream) -> &mut Vec<u8> {
        let [stdout, stderr, note] = &mut self.partial;
        match stream {
            Stream::Stdout => stdout,
            Stream::Stderr => stderr,
            Stream::Note => note,
        }
    }
}

fn stored(stream: Stream) -> OutputStream {
    match stream {
        Stream::Stdout => OutputStream::Out,
        Stream::Stderr => OutputStream::Err,
        Stream::Note => OutputStream::Mark,
    }
}

fn start_pump(target: Target) -> Pump {
    let (sender, mut receiver) = mpsc::unbounded_channel::<(OutputStream, Vec<u8>)>();
    let task = tokio::spawn(async move {
        while let Some((stream, bytes)) = receiver.recv().await {
            let Target {
                store,
                tenant,
                run,
                attempt,
                clock,
            } = &target;
            if let Err(error) = store
                .append_output(tenant, *run, *attempt, stream, bytes, clock.now())
                .await
            {
                tracing::warn!(%attempt, %error, "output could not be stored");
            }
        }
    });
    (sender, task)
}
