//! What the tests of several modules share: a host that is a temporary folder of this machine.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use clawd_model::{
    AttemptId, DurationMs, FixedClock, RunId, SeededEntropy, Server, ServerId, StepError, StepRef, Timestamp,
};
use clawd_provider::{Context, OutputSink, Stream};
use serde_json::json;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::host::Host;
use crate::hosts::{Hosts, Reach};
use crate::local::Local;
use crate::transport::{Exit, Receive, Request, Transport, TransportError};

/// Keeps all output.
#[derive(Default)]
pub(crate) struct Sink(Mutex<(Vec<u8>, Vec<u8>, Vec<u8>)>);

impl OutputSink for Sink {
    fn write(&self, stream: Stream, bytes: &[u8]) {
        let mut all = self.0.lock().unwrap();
        match stream {
            Stream::Stdout => all.0.extend_from_slice(bytes),
            Stream::Stderr => all.1.extend_from_slice(bytes),
            Stream::Note => all.2.extend_from_slice(bytes),
        }
    }
}

impl Sink {
    pub(crate) fn stdout(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap().0).into_owned()
    }

    pub(crate) fn notes(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap().2).into_owned()
    }
}

/// This machine, over a connection that can be cut.
#[derive(Default)]
pub(crate) struct Flaky {
    calls: AtomicUsize,
    /// The calls (from 0) that are cut off, and after how many bytes of output; `None`: only at the end.
    pub(crate) cuts: Mutex<Vec<(usize, Option<usize>)>>,
    /// Calls with the first word are lost before they begin, until there is one with the second word.
    pub(crate) lost_until: Mutex<Option<(&'static str, &'static str)>>,
    /// The first call with this word is passed on; then something happens on the host, and the answer is lost.
    pub(crate) meanwhile: Mutex<Option<(&'static str, Happening)>>,
}

/// Something that happens on the host.
pub(crate) type Happening = Box<dyn FnOnce() + Send>;

impl Flaky {
    fn is_lost(&self, request: &Request) -> bool {
        let has = |word: &str| request.argv.iter().any(|argument| argument == word);
        let mut lost = self.lost_until.lock().unwrap();
        if lost.is_some_and(|(_, until)| has(until)) {
            *lost = None;
        }
        lost.is_some_and(|(word, _)| has(word))
    }

    fn happening(&self, request: &Request) -> Option<Happening> {
        let mut meanwhile = self.meanwhile.lock().unwrap();
        let is_it = |(word, _): &mut (&str, Happening)| request.argv.iter().any(|argument| argument == word);
        meanwhile.take_if(is_it).map(|(_, happening)| happening)
    }
}

struct Cut<'a> {
    left: usize,
    to: &'a mut dyn Receive,
}

impl Receive for Cut<'_> {
    fn take(&mut self, stream: Stream, bytes: &[u8]) -> bool {
        let length = self.left.min(bytes.len());
        self.left -= length;
        self.to.take(stream, &bytes[..length]) && self.left > 0
    }
}

#[async_trait]
impl Transport for Flaky {
    async fn exec(&self, request: &Request, receive: &mut dyn Receive) -> Result<Exit, TransportError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        let cut = self
            .cuts
            .lock()
            .unwrap()
            .iter()
            .find(|(at, _)| *at == call)
            .copied();
        let lost = || TransportError::Lost("cut".to_owned());
        if self.is_lost(request) {
            return Err(lost());
        }
        if let Some(happening) = self.happening(request) {
            let _ = Local.exec(request, receive).await;
            happening();
            return Err(lost());
        }
        match cut {
            None => Local.exec(request, receive).await,
            Some((_, None)) => Local.exec(request, receive).await.and(Err(lost())),
            Some((_, Some(left))) => {
                let mut cut = Cut { left, to: receive };
                let _ = Local.exec(request, &mut cut).await;
                Err(lost())
            }
        }
    }
}

/// A host that answers by a function of what it is asked, and of how often it was asked so far.
pub(crate) struct Scripted<F> {
    calls: AtomicUsize,
    answer: F,
}

#[async_trait]
impl<F> Transport for Scripted<F>
where
    F: Fn(&[String], usize) -> Result<String, TransportError> + Send + Sync,
{
    async fn exec(&self, request: &Request, receive: &mut dyn Receive) -> Result<Exit, TransportError> {
        let call = self.calls.fetch_add(1, Ordering::SeqCst);
        // Jobs start at once and end well.
        let verb = request
            .argv
            .get(6)
            .map(String::as_str)
            .filter(|_| request.argv[3..].iter().any(|word| word.starts_with("att_")));
        let answer = match verb {
            Some("start") => "started\n".to_owned(),
            Some("follow") => "s done 0 0 0\n".to_owned(),
            Some(_) => "ok\n".to_owned(),
            None => (self.answer)(&request.argv, call)?,
        };
        receive.take(Stream::Stdout, answer.as_bytes());
        Ok(Exit::Code(0))
    }
}

/// Hosts that all answer so.
pub(crate) fn scripted<F>(answer: F) -> Arc<Hosts>
where
    F: Fn(&[String], usize) -> Result<String, TransportError> + Send + Sync + 'static,
{
    struct Same(Arc<dyn Transport>);
    impl Reach for Same {
        fn transport(&self, _: &Server) -> Result<Arc<dyn Transport>, StepError> {
            Ok(self.0.clone())
        }
    }
    let transport = Scripted {
        calls: AtomicUsize::new(0),
        answer,
    };
    Hosts::over(Arc::new(Same(Arc::new(transport))), "/nowhere")
}

/// A host that is a temporary folder.
pub(crate) struct Lab {
    pub(crate) folder: TempDir,
    pub(crate) transport: Arc<Flaky>,
    pub(crate) sink: Arc<Sink>,
    pub(crate) context: Context,
}

struct Always(Arc<Flaky>);

impl Reach for Always {
    fn transport(&self, _: &Server) -> Result<Arc<dyn Transport>, StepError> {
        Ok(self.0.clone())
    }
}

pub(crate) fn attempt(number: u32) -> AttemptId {
    let run = RunId::new(Timestamp(1), &SeededEntropy::new(7));
    let step = StepRef {
        job: 0,
        lane: 0,
        step: 0,
    };
    AttemptId::derive(&"demo".parse().unwrap(), run, step, number)
}

impl Lab {
    pub(crate) fn new() -> Self {
        let sink = Arc::new(Sink::default());
        let server: Server = serde_json::from_value(json!({
            "id": ServerId::new(Timestamp(1), &SeededEntropy::new(1)), "tenant": "demo", "name": "web-1",
            "provider": "ssh", "address": "root@192.0.2.1:22", "env": "test", "version": 1,
        }))
        .unwrap();
        let context = Context {
            tenant: "demo".parse().unwrap(),
            server: Some(Arc::new(server)),
            attempt: Some(attempt(1)),
            epoch: 1,
            timeout: DurationMs::from_secs(60),
            clock: Arc::new(FixedClock::at(Timestamp(1))),
            redactor: clawd_provider::Redactor::default(),
            output: sink.clone(),
            cancel: CancellationToken::new(),
        };
        Self {
            folder: TempDir::new().unwrap(),
            transport: Arc::default(),
            sink,
            context,
        }
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    pub(crate) fn hosts(&self) -> Arc<Hosts> {
        Hosts::over(Arc::new(Always(self.transport.clone())), &self.path("jobs"))
    }

    pub(crate) fn host(&self) -> Host {
        self.hosts().of(self.context.server.as_ref().unwrap()).unwrap()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let mut tick = tokio::time::interval(Duration::from_millis(20));
    for _ in 0..1500 {
        if is_so() {
            return;
        }
        tick.tick().await;
    }
    panic!("it never came to this: {what}");
}

pub(crate) fn exists(path: &str) -> bool {
    Path::new(path).exists()
}

pub(crate) fn set_mode(path: &str, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}
