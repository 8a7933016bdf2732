//! This very machine, as the user that runs this process.
//!
//! Serves read-only operations only (see [`crate::register`]), and tests of scripts. Never becomes root.

use std::process::Stdio;

use async_trait::async_trait;
use clawd_provider::Stream;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

use crate::transport::{Exit, Receive, Request, Transport, TransportError};

/// Where programs are looked for, on every host.
pub(crate) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// This very machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct Local;

#[async_trait]
impl Transport for Local {
    async fn exec(&self, request: &Request, receive: &mut dyn Receive) -> Result<Exit, TransportError> {
        let (program, arguments) = request
            .argv
            .split_first()
            .ok_or_else(|| TransportError::Unsendable("the command is empty".to_owned()))?;
        let spawned = Command::new(program)
            .args(arguments)
            .env("LC_ALL", "C")
            .env("PATH", PATH)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = match spawned {
            Ok(child) => child,
            Err(error) => {
                // As a shell does.
                let found = error.kind() != std::io::ErrorKind::NotFound;
                receive.take(Stream::Stderr, format!("{program}: {error}\n").as_bytes());
                return Ok(Exit::Code(if found { 126 } else { 127 }));
            }
        };
        let (Some(mut stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(TransportError::Lost("the command has no pipes".to_owned()));
        };
        let feed = async move {
            // A command that does not read its input is no error.
            let _ = stdin.write_all(&request.stdin).await;
        };
        let ((), drained) = tokio::join!(feed, drain(stdout, stderr, receive));
        drained?;
        let status = child
            .wait()
            .await
            .map_err(|error| TransportError::Lost(error.to_string()))?;
        Ok(exit(status))
    }
}

fn exit(status: std::process::ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt as _;
    match status.code() {
        Some(code) => Exit::Code(u32::try_from(code).unwrap_or(255)),
        None => Exit::Signal(status.signal().unwrap_or_default().to_string()),
    }
}

async fn drain(
    mut stdout: impl AsyncRead + Unpin,
    mut stderr: impl AsyncRead + Unpin,
    receive: &mut dyn Receive,
) -> Result<(), TransportError> {
    let lost = |error: std::io::Error| TransportError::Lost(error.to_string());
    let (mut out, mut err) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let (mut out_open, mut err_open) = (true, true);
    while out_open || err_open {
        let (stream, bytes) = tokio::select! {
            count = stdout.read(&mut out), if out_open => {
                let count = count.map_err(lost)?;
                out_open = count > 0;
                (Stream::Stdout, out.get(..count))
            }
            count = stderr.read(&mut err), if err_open => {
                let count = count.map_err(lost)?;
                err_open = count > 0;
                (Stream::Stderr, err.get(..count))
            }
        };
        if bytes.is_some_and(|bytes| !bytes.is_empty() && !receive.take(stream, bytes)) {
            return Err(TransportError::TooMuch);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::Captured;

    fn sh(script: &str, stdin: &[u8]) -> Request {
        Request {
            argv: vec!["sh".to_owned(), "-c".to_owned(), script.to_owned()],
            stdin: stdin.to_vec(),
            root: false,
        }
    }

    #[tokio::test]
    async fn streams_input_and_exit_code_are_kept_apart() {
        let mut captured = Captured::up_to(1 << 20);
        let exit = Local
            .exec(&sh("cat; echo bad >&2; exit 7", b"good"), &mut captured)
            .await;
        assert_eq!(exit, Ok(Exit::Code(7)));
        assert_eq!(
            (captured.stdout.as_slice(), captured.stderr.as_slice()),
            (&b"good"[..], &b"bad\n"[..])
        );
    }

    #[tokio::test]
    async fn more_than_the_limit_is_not_read() {
        let mut captured = Captured::up_to(1000);
        let exit = Local.exec(&sh("yes", b""), &mut captured).await;
        assert_eq!(exit, Err(TransportError::TooMuch));
        assert!(captured.stdout.len() <= 1000);
    }

    #[tokio::test]
    async fn a_signal_is_no_exit_code() {
        let mut captured = Captured::up_to(10);
        let exit = Local.exec(&sh("kill -9 $$", b""), &mut captured).await;
        assert_eq!(exit, Ok(Exit::Signal("9".to_owned())));
    }
}
