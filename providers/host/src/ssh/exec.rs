//! One command over one channel.

use std::time::Duration;

use clawd_provider::Stream;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf};
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::bootstrap::{self, Ready};
use super::connection::Connection;
use super::handler::describe;
use crate::text;
use crate::transport::{Exit, Receive, Request, TransportError};

/// What is kept of the error output before the bootstrap is there.
const COMPLAINT_MAX: usize = 4 * 1024;

/// Why there is no channel; nothing has begun.
pub(super) enum NoChannel {
    /// The host allows no more of them on this connection.
    Refused,
    /// The connection is dead.
    Dead(TransportError),
    /// The host does not answer in time. Others may still be served on this connection.
    Slow(TransportError),
}

/// Opens a channel.
pub(super) async fn open(connection: &Connection, limit: Duration) -> Result<Channel<Msg>, NoChannel> {
    match timeout(limit, connection.handle.channel_open_session()).await {
        Ok(Ok(channel)) => Ok(channel),
        Ok(Err(russh::Error::ChannelOpenFailure(_))) => Err(NoChannel::Refused),
        Ok(Err(error)) => Err(NoChannel::Dead(TransportError::Unreachable(describe(&error)))),
        Err(_) => Err(NoChannel::Slow(super::connection::no_answer(limit))),
    }
}

/// Closes the channel when it is let go of, and gives its room back only then.
struct Closing(Option<(ChannelWriteHalf<Msg>, OwnedSemaphorePermit)>);

impl Drop for Closing {
    fn drop(&mut self) {
        if let (Some((channel, room)), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                let _ = channel.close().await;
                drop(room);
            });
        }
    }
}

/// Sends the command, feeds it, and takes its output.
pub(super) async fn run(
    channel: Channel<Msg>,
    room: OwnedSemaphorePermit,
    user: &str,
    request: &Request,
    receive: &mut dyn Receive,
) -> Result<Exit, TransportError> {
    let as_root = request.root && user != "root";
    let mut input = bootstrap::encode(&request.argv)?.into_bytes();
    input.extend_from_slice(&request.stdin);
    let lost = |error: russh::Error| TransportError::Lost(describe(&error));
    let (read_half, write_half) = channel.split();
    write_half
        .exec(true, bootstrap::command(as_root))
        .await
        .map_err(lost)?;
    let writer = write_half.make_writer();
    let closing = Closing(Some((write_half, room)));
    let mut reading = Reading::new(user, as_root);
    // The command may well end without having read all of its input: the reading side decides about the end.
    let ended = tokio::select! {
        biased;
        ended = reading.drain(read_half, receive) => ended,
        () = feed(writer, &input) => Err(TransportError::Lost("unreachable".to_owned())),
    };
    drop(closing);
    ended
}

/// Writes the input; then waits for ever, since its end says nothing about the command's.
async fn feed(mut writer: impl AsyncWrite + Unpin, input: &[u8]) {
    if writer.write_all(input).await.is_ok() {
        let _ = writer.shutdown().await;
    }
    std::future::pending::<()>().await;
}

/// What was seen of the command so far.
struct Reading<'a> {
    user: &'a str,
    as_root: bool,
    ready: Ready,
    complaint: Vec<u8>,
    exit: Option<Exit>,
}

impl<'a> Reading<'a> {
    fn new(user: &'a str, as_root: bool) -> Self {
        Self {
            user,
            as_root,
            ready: Ready::default(),
            complaint: Vec::new(),
            exit: None,
        }
    }

    async fn drain(
        &mut self,
        mut channel: ChannelReadHalf,
        receive: &mut dyn Receive,
    ) -> Result<Exit, TransportError> {
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } => {
                    let bytes = self.ready.pass(&data)?;
                    if !bytes.is_empty() && !receive.take(Stream::Stdout, &bytes) {
                        return Err(TransportError::TooMuch);
                    }
                }
                ChannelMsg::ExtendedData { data, .. } => {
                    if !self.ready.found() {
                        self.complaint.extend_from_slice(&data);
                        self.complaint.truncate(COMPLAINT_MAX);
                    } else if !receive.take(Stream::Stderr, &data) {
                        return Err(TransportError::TooMuch);
                    }
                }
                ChannelMsg::ExitStatus { exit_status } => self.exit = Some(Exit::Code(exit_status)),
                ChannelMsg::ExitSignal { signal_name, .. } => {
                    self.exit = Some(Exit::Signal(text::line(&format!("{signal_name:?}"), 40)));
                }
                ChannelMsg::Failure => {
                    return Err(TransportError::NoShell("it refuses to run commands".to_owned()));
                }
                ChannelMsg::Close => break,
                _ => {}
            }
        }
        self.ended()
    }

    /// The peer that vanishes leaves a channel that just ends: only an exit status is an end of the command.
    fn ended(&mut self) -> Result<Exit, TransportError> {
        let exit = self
            .exit
            .take()
            .ok_or_else(|| TransportError::Lost("it ended without an exit status".to_owned()))?;
        if self.ready.found() {
            return Ok(exit);
        }
        let said = text::last_line(&String::from_utf8_lossy(&self.complaint))
            .unwrap_or_else(|| "it said nothing".to_owned());
        Err(if self.as_root {
            TransportError::NoRoot {
                user: self.user.to_owned(),
                said,
            }
        } else {
            TransportError::NoShell(said)
        })
    }
}
