//! One host, as operations see it: a transport, and how it is called in messages.

use std::sync::Arc;
use std::time::Duration;

use clawd_model::{ErrorKind, StepError};
use clawd_provider::{Context, OutputSink, ProviderError, Redactor, Stream};
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

use crate::errors;
use crate::text;
use crate::transport::{Captured, Exit, Receive, Request, Transport, TransportError};

/// What most answers stay far below.
pub(crate) const ANSWER_MAX: usize = 1 << 20;

/// One host.
#[derive(Clone)]
pub struct Host {
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) place: String,
    pub(crate) jobs_dir: String,
    /// Of the call for which the host is asked.
    pub(crate) redactor: Redactor,
}

/// What a command answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) exit: Exit,
    pub(crate) stdout: Vec<u8>,
    pub(crate) stderr: Vec<u8>,
    pub(crate) redactor: Redactor,
}

impl Reply {
    pub(crate) fn is_success(&self) -> bool {
        self.exit == Exit::Code(0)
    }

    /// The output as text; what is no UTF-8 is replaced.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// What the command complained about last.
    pub(crate) fn complaint(&self) -> String {
        let last = |output| text::last_line(&self.redactor.text(&String::from_utf8_lossy(output)));
        last(&self.stderr)
            .or_else(|| last(&self.stdout))
            .unwrap_or_else(|| match &self.exit {
                Exit::Code(code) => format!("exit code {code}"),
                Exit::Signal(name) => format!("ended by signal {name}"),
            })
    }
}

/// A constant script with arguments as data. Never build `source` from anything.
pub(crate) fn script(source: &'static str, arguments: &[&str]) -> Request {
    let argv = ["sh", "-c", source, "sh"]
        .iter()
        .chain(arguments)
        .map(|word| (*word).to_owned())
        .collect();
    Request {
        argv,
        stdin: Vec::new(),
        root: true,
    }
}

impl Host {
    /// Runs a command once.
    pub(crate) async fn call(&self, request: &Request, limit: usize) -> Result<Reply, TransportError> {
        let mut captured = Captured::up_to(limit);
        let exit = self.transport.exec(request, &mut captured).await?;
        Ok(Reply {
            exit,
            stdout: captured.stdout,
            stderr: captured.stderr,
            redactor: self.redactor.clone(),
        })
    }

    /// Runs a command once, passing its output on as it appears.
    pub(crate) async fn stream(
        &self,
        request: &Request,
        limit: usize,
        sink: &dyn OutputSink,
    ) -> Result<Reply, TransportError> {
        let mut tee = Tee {
            captured: Captured::up_to(limit),
            sink,
        };
        let exit = self.transport.exec(request, &mut tee).await?;
        let Captured { stdout, stderr, .. } = tee.captured;
        Ok(Reply {
            exit,
            stdout,
            stderr,
            redactor: self.redactor.clone(),
        })
    }

    /// Runs a command that only looks: when the connection is lost, once more.
    pub(crate) async fn ask(&self, request: &Request, limit: usize) -> Result<Reply, StepError> {
        let answer = match self.call(request, limit).await {
            Err(TransportError::Lost(_)) => self.call(request, limit).await,
            answer => answer,
        };
        answer.map_err(|error| self.error(&error))
    }

    /// The same, for a command that must succeed.
    pub(crate) async fn ask_ok(&self, request: &Request, limit: usize) -> Result<Reply, StepError> {
        let reply = self.ask(request, limit).await?;
        if reply.is_success() {
            Ok(reply)
        } else {
            Err(self.failed(&reply.complaint()))
        }
    }

    /// A failure of the transport, in words.
    pub(crate) fn error(&self, error: &TransportError) -> StepError {
        let error = errors::step_error(error, &self.place);
        StepError {
            message: self.redactor.text(&error.message),
            ..error
        }
    }

    /// What the host said went wrong. A full disk is told from the rest.
    pub(crate) fn failed(&self, said: &str) -> StepError {
        let message = format!("{}: {said}", self.place);
        if said.contains("No space left on device") || said.contains("disk-full") {
            StepError::new(ErrorKind::DiskFull, message)
                .with_hint("free some space: `df -h` on the host shows where")
        } else {
            StepError::new(ErrorKind::Failed, message)
        }
    }

    /// The host answered something that it never should.
    pub(crate) fn garbled(&self, what: &str) -> StepError {
        StepError::new(
            ErrorKind::Failed,
            format!("{}: cannot understand its answer: {what}", self.place),
        )
        .with_hint("the host may be broken, or not be trusted any more")
    }
}

/// Keeps output and passes it on.
struct Tee<'a> {
    captured: Captured,
    sink: &'a dyn OutputSink,
}

impl Receive for Tee<'_> {
    fn take(&mut self, stream: Stream, bytes: &[u8]) -> bool {
        let fits = self.captured.take(stream, bytes);
        if fits {
            self.sink.write(stream, bytes);
        }
        fits
    }
}

/// When the time of this call is up.
pub(crate) fn deadline(context: &Context) -> Instant {
    Instant::now() + context.timeout.to_std()
}

/// Runs something that only looks, within the limits of the call.
pub(crate) async fn looking<T>(
    context: &Context,
    place: &str,
    work: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    looking_until(deadline(context), context, place, work).await
}

/// The same, for the first part of a call that goes on afterwards: both have one deadline.
pub(crate) async fn looking_until<T>(
    deadline: Instant,
    context: &Context,
    place: &str,
    work: impl Future<Output = Result<T, ProviderError>>,
) -> Result<T, ProviderError> {
    tokio::select! {
        done = work => done,
        () = sleep_until(deadline) => Err(out_of_time(context, place).into()),
        () = context.cancel.cancelled() => Err(cancelled(place).into()),
    }
}

/// The pause between two looks of [`insist`].
const PAUSE: Duration = Duration::from_secs(1);
/// What is known to have happened is looked for at least so long, however little time the step has left.
const LOOK_MIN: Duration = Duration::from_secs(15);

/// Looks at what was done: it has taken place, so a lost connection is no failure of it. Looks again until the deadline;
/// then what it came to is unknown, and nobody may simply try again.
pub(crate) async fn insist<T, F: Future<Output = Result<T, StepError>>>(
    context: &Context,
    place: &str,
    deadline: Instant,
    look: impl Fn() -> F,
) -> Result<T, ProviderError> {
    let deadline = deadline.max(Instant::now() + LOOK_MIN);
    let mut last = None;
    let looking = async {
        loop {
            match look().await {
                Err(error) if matches!(error.kind, ErrorKind::Connection | ErrorKind::Timeout) => {
                    last = Some(error);
                    sleep(PAUSE).await;
                }
                done => return done,
            }
        }
    };
    match timeout_at(deadline, looking).await {
        Ok(done) => Ok(done?),
        Err(_) => {
            let error = last.unwrap_or_else(|| out_of_time(context, place));
            let message = format!(
                "{} (the command has ended well; what it came to was not seen)",
                error.message
            );
            Err(ProviderError::OutcomeUnknown(
                StepError::new(error.kind, message)
                    .with_hint("look at the host, then say what became of the step"),
            ))
        }
    }
}

pub(crate) fn out_of_time(context: &Context, place: &str) -> StepError {
    StepError::new(
        ErrorKind::Timeout,
        format!("{place}: not done within {}", context.timeout),
    )
    .with_hint("the step's `timeout` can be raised")
}

pub(crate) fn cancelled(place: &str) -> StepError {
    StepError::new(ErrorKind::Cancelled, format!("{place}: the run was cancelled"))
}
