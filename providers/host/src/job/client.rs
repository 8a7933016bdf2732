//! The verbs of `job.sh`, called on a host. Installs the script there when it is missing.

use std::sync::LazyLock;

use clawd_model::product::BINARY;
use clawd_model::{AttemptId, Digest, StepError};

use super::answer::{self, Start, State, Stop};
use super::collect::{Collected, STREAM_MAX};
use super::frames::Frames;
use super::spec::JobSpec;
use crate::host::{Host, Reply, script};
use crate::transport::{Exit, TransportError};

/// The host's half of the protocol.
const SCRIPT: &str = include_str!("job.sh");
/// Named by digest: an upgraded controller never changes the script of a job that runs.
static SCRIPT_NAME: LazyLock<String> =
    LazyLock::new(|| format!("job-{}.sh", Digest::of(SCRIPT.as_bytes()).short()));

/// Runs the installed script; 97 when it is not there.
const CALL: &str = r#"[ -r "$1" ] || exit 97; exec sh "$@""#;
const NOT_INSTALLED: Exit = Exit::Code(97);
/// FOLDER NAME LENGTH <script: in one piece or not at all.
const INSTALL: &str = r#"umask 077
mkdir -p "$1" && chmod 700 "$1" && new=$1/.$2.$$ && cat >"$new" && [ "$(wc -c <"$new")" -eq "$3" ] || exit 1
sync "$new" 2>/dev/null || sync
mv -f "$new" "$1/$2""#;
/// Answers of the script are lines.
const LINES_MAX: usize = 64 * 1024;

/// Why a verb gave no answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum CallError {
    /// The transport failed.
    Transport(TransportError),
    /// The script could not be installed: it did nothing.
    NotInstalled(StepError),
    /// The host cannot say now: its disk is full, or somebody else is at work on the job.
    Passing(StepError),
    /// The host answered, but not as it should.
    Host(StepError),
}

impl From<TransportError> for CallError {
    fn from(error: TransportError) -> Self {
        Self::Transport(error)
    }
}

/// The job of one attempt on one host.
pub(crate) struct Jobs<'a> {
    pub(crate) host: &'a Host,
    key: String,
    epoch: u64,
}

impl<'a> Jobs<'a> {
    pub(crate) fn new(host: &'a Host, attempt: AttemptId, epoch: u64) -> Self {
        Self {
            host,
            key: attempt.to_string(),
            epoch,
        }
    }

    /// Starts the command, unless it was started.
    pub(crate) async fn start(&self, spec: &JobSpec, generation: u64) -> Result<Start, CallError> {
        let input = spec.encode()?;
        let unit = self.unit();
        let blocks = (STREAM_MAX / 512).to_string();
        let (epoch, generation, digest) = (
            self.epoch.to_string(),
            generation.to_string(),
            JobSpec::digest(&input),
        );
        let arguments = [&*epoch, &*generation, &*digest, &*unit, &*blocks];
        let reply = self.verb("start", &arguments, input).await?;
        answer::start(&reply.text()).ok_or_else(|| self.nonsense(&reply))
    }

    /// What is known, and its note. `None` is proof: what was sent to start it before comes too late.
    pub(crate) async fn settle(&self) -> Result<(State, String), CallError> {
        let reply = self
            .verb("settle", &[&self.epoch.to_string()], Vec::new())
            .await?;
        let text = reply.text();
        let mut lines = text.lines();
        let line = lines.next().unwrap_or_default();
        if let Some(said) = line.strip_prefix("error ") {
            let said = crate::text::line(said, 300);
            return Err(CallError::Passing(self.host.failed(&said)));
        }
        let state = answer::state(line).ok_or_else(|| self.nonsense(&reply))?;
        let note = lines
            .next()
            .and_then(|line| line.strip_prefix("note "))
            .unwrap_or_default();
        Ok((state, unescape(note)))
    }

    /// Output from where `collected` is, as it appears, until the job ends.
    pub(crate) async fn follow(&self, collected: &mut Collected) -> Result<State, CallError> {
        let (out, err) = collected.offsets();
        let request = self.request("follow", &[&out.to_string(), &err.to_string()], Vec::new());
        let mut frames = Frames::new(collected);
        let exit = self.host.transport.exec(&request, &mut frames).await;
        match (frames.state(), exit) {
            (Ok(Some(state)), _) => Ok(state),
            (Err(()), _) => Err(CallError::Host(self.host.garbled("its frames make no sense"))),
            (Ok(None), Err(error)) => Err(error.into()),
            (Ok(None), Ok(_)) => Err(TransportError::Lost("the job cannot be followed".to_owned()).into()),
        }
    }

    /// Ends the command, and all that belongs to it.
    pub(crate) async fn stop(&self) -> Result<Stop, CallError> {
        let reply = self.verb("stop", &[&self.unit()], Vec::new()).await?;
        answer::stop(&reply.text()).ok_or_else(|| self.nonsense(&reply))
    }

    /// The result is with us: the host may forget it in a while.
    pub(crate) async fn collected(&self) -> Result<(), CallError> {
        self.verb("collected", &[], Vec::new()).await.map(drop)
    }

    /// The unit in which the command runs, on a host with systemd.
    fn unit(&self) -> String {
        format!("{BINARY}-{}", self.key)
    }

    fn request(&self, verb: &str, arguments: &[&str], stdin: Vec<u8>) -> crate::transport::Request {
        let path = format!("{}/{}", self.host.jobs_dir, *SCRIPT_NAME);
        let mut all = vec![&*path, &*self.host.jobs_dir, verb, &*self.key];
        all.extend_from_slice(arguments);
        let mut request = script(CALL, &all);
        request.stdin = stdin;
        request
    }

    async fn verb(&self, verb: &str, arguments: &[&str], stdin: Vec<u8>) -> Result<Reply, CallError> {
        let request = self.request(verb, arguments, stdin);
        let reply = self.host.call(&request, LINES_MAX).await?;
        if reply.exit != NOT_INSTALLED {
            return Ok(reply);
        }
        self.install().await?;
        Ok(self.host.call(&request, LINES_MAX).await?)
    }

    async fn install(&self) -> Result<(), CallError> {
        let length = SCRIPT.len().to_string();
        let mut request = script(INSTALL, &[&self.host.jobs_dir, &SCRIPT_NAME, &length]);
        request.stdin = SCRIPT.as_bytes().to_vec();
        match self.host.call(&request, LINES_MAX).await {
            Ok(reply) if reply.is_success() => Ok(()),
            Ok(reply) => Err(CallError::NotInstalled(self.host.failed(&format!(
                "cannot write to `{}`: {}",
                self.host.jobs_dir,
                reply.complaint()
            )))),
            // What was lost is only the script: no job can have begun.
            Err(TransportError::Lost(why)) => Err(TransportError::Unreachable(why).into()),
            Err(error) => Err(error.into()),
        }
    }

    /// An answer without a known word.
    fn nonsense(&self, reply: &Reply) -> CallError {
        CallError::Host(self.host.garbled(&reply.complaint()))
    }
}

/// Undoes `escape`; what is not well formed stays as it is.
fn unescape(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, tail)) = rest.split_once("\\0") {
        bytes.extend_from_slice(plain.as_bytes());
        match tail.split_at_checked(3) {
            Some((digits, after)) if u8::from_str_radix(digits, 8).is_ok() => {
                bytes.extend(u8::from_str_radix(digits, 8));
                rest = after;
            }
            _ => {
                bytes.extend_from_slice(b"\\0");
                rest = tail;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    #[test]
    fn notes_survive() {
        for note in ["", "plain", "a\nb\\0\t", "ä\\"] {
            let escaped = crate::ssh::bootstrap::escape(note);
            assert_eq!(super::unescape(&escaped), note);
        }
        assert_eq!(super::unescape("\\09x\\0"), "\\09x\\0");
    }
}
