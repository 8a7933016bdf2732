//! How a command gets to a host and its output back: the seam between the operations and SSH, this machine,
//! and whatever comes later.
//!
//! A transport never retries: it knows whether a command can have begun, and says so; its callers decide.

use async_trait::async_trait;
use clawd_provider::Stream;

/// A command for a host: an argument list, never a line for a shell to split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// Its standard input.
    pub stdin: Vec<u8>,
    /// Whether it needs to be root.
    pub root: bool,
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself.
    Code(u32),
    /// By a signal: `KILL`.
    Signal(String),
}

/// Takes output as it appears.
pub trait Receive: Send {
    /// Takes a piece, of any length, at any border. False: no more of it is wanted; the command is left alone.
    fn take(&mut self, stream: Stream, bytes: &[u8]) -> bool;
}

/// Why a command did not come to an end that we saw.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The connection was never made; the command did not begin.
    #[error("cannot connect: {0}")]
    Unreachable(String),
    /// The host shows another key than the pinned one; nothing was sent.
    #[error("the host key has changed: {offered} was offered, {pinned} is pinned")]
    HostKeyChanged {
        /// Fingerprint of the key that we know.
        pinned: String,
        /// Fingerprint of the key that was shown, or what is known of it.
        offered: String,
    },
    /// No key is pinned, or it cannot be read.
    #[error("no usable host key is pinned")]
    NoHostKey,
    /// Our own key or certificate cannot be used.
    #[error("{0}")]
    Identity(String),
    /// The host does not let us in.
    #[error("`{user}` may not sign in with the key `{key}`")]
    Refused {
        /// As whom.
        user: String,
        /// The name of the key.
        key: String,
    },
    /// We are in, but may not become root; the command did not begin.
    #[error("`{user}` may not become root: {said}")]
    NoRoot {
        /// As whom we are in.
        user: String,
        /// What sudo said.
        said: String,
    },
    /// We are in, but there is no usable shell; the command did not begin.
    #[error("the host does not start a POSIX shell: {0}")]
    NoShell(String),
    /// The connection ended before the command did: what it did is unknown.
    #[error("the connection was lost: {0}")]
    Lost(String),
    /// The output was not wanted any more.
    #[error("the host sent more than was asked for")]
    TooMuch,
    /// The command cannot be sent; it did not begin.
    #[error("{0}")]
    Unsendable(String),
}

impl TransportError {
    /// Whether it is proven that the command did not begin.
    #[must_use]
    pub fn never_began(&self) -> bool {
        !matches!(self, Self::Lost(_) | Self::TooMuch)
    }

    /// Whether trying again later could help.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Lost(_) | Self::Unreachable(_))
    }
}

/// A way to one host.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Runs a command to its end. Dropping the future lets go of the command, which may go on or not.
    ///
    /// # Errors
    /// See [`TransportError`].
    async fn exec(&self, request: &Request, receive: &mut dyn Receive) -> Result<Exit, TransportError>;

    /// Makes sure that a command could be sent now.
    ///
    /// # Errors
    /// See [`TransportError`]; nothing has begun.
    async fn ready(&self) -> Result<(), TransportError> {
        Ok(())
    }

    /// Lets go of connections that may be dead: the host is known to have gone away.
    async fn reset(&self) {}
}

/// Output kept in memory, up to a limit for both streams together.
#[derive(Debug, Default)]
pub struct Captured {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Error output.
    pub stderr: Vec<u8>,
    limit: usize,
}

impl Captured {
    /// Keeps at most so many bytes.
    #[must_use]
    pub fn up_to(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }
}

impl Receive for Captured {
    fn take(&mut self, stream: Stream, bytes: &[u8]) -> bool {
        let kept = self.stdout.len() + self.stderr.len();
        let fits = kept.saturating_add(bytes.len()) <= self.limit;
        if fits {
            match stream {
                Stream::Stdout => self.stdout.extend_from_slice(bytes),
                Stream::Stderr | Stream::Note => self.stderr.extend_from_slice(bytes),
            }
        }
        fits
    }
}
