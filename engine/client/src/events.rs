//! The stream of a run's events, which picks up where it was when the connection breaks.

use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;

use clawd_model::{Event, Recorded, RunId};
use futures::{Stream, StreamExt};
use reqwest::{Method, StatusCode, header};

use crate::client::{send, unreachable};
use crate::sse::SseParser;
use crate::{Client, Error};

type Bytes = Pin<Box<dyn Stream<Item = Result<Vec<u8>, reqwest::Error>> + Send>>;

/// How long to wait before connecting again; and how often in a row, before it is an error.
const PAUSE: Duration = Duration::from_millis(500);
const RETRIES: u32 = 120;
/// The server sends a heartbeat every 15 seconds: a connection that is silent for longer is dead.
const SILENCE: Duration = Duration::from_secs(45);

/// What came of reading.
enum Read {
    /// Something; perhaps events are ready now.
    Piece,
    /// The server closed the stream, or is silent for too long.
    Closed,
}

/// The events of one run, as they happen.
pub struct RunEvents {
    client: Client,
    run: RunId,
    after: u64,
    bytes: Option<Bytes>,
    parser: SseParser,
    ready: VecDeque<Recorded>,
    failures: u32,
    over: bool,
}

impl RunEvents {
    pub(crate) fn new(client: Client, run: RunId, after: u64) -> Self {
        Self {
            client,
            run,
            after,
            bytes: None,
            parser: SseParser::default(),
            ready: VecDeque::new(),
            failures: 0,
            over: false,
        }
    }

    /// The next event; `None` when the run is over. A broken connection is made again, for about a minute:
    /// long enough for a server that is started again.
    pub async fn next(&mut self) -> Option<Result<Recorded, Error>> {
        loop {
            if let Some(recorded) = self.ready.pop_front() {
                self.after = recorded.seq;
                self.failures = 0;
                return Some(Ok(recorded));
            }
            if self.over {
                return None;
            }
            match self.read().await {
                Ok(Read::Piece) => {}
                Ok(Read::Closed) if self.failures < RETRIES => self.pause().await,
                Err(Error::Unreachable { .. }) if self.failures < RETRIES => self.pause().await,
                Ok(Read::Closed) => self.over = true,
                Err(error) => {
                    self.over = true;
                    return Some(Err(error));
                }
            }
        }
    }

    async fn pause(&mut self) {
        self.bytes = None;
        self.failures += 1;
        tokio::time::sleep(PAUSE).await;
    }

    /// Connects if need be, and takes one piece.
    async fn read(&mut self) -> Result<Read, Error> {
        let Some(bytes) = &mut self.bytes else {
            return self.connect().await;
        };
        let piece = match tokio::time::timeout(SILENCE, bytes.next()).await {
            Ok(Some(piece)) => piece.map_err(unreachable)?,
            Ok(None) | Err(_) => return Ok(Read::Closed),
        };
        let corrupt = |source| Error::Unexpected {
            url: self.client.address().to_owned(),
            status: 200,
            source,
        };
        let events = self.parser.push(&piece).ok_or_else(|| corrupt(None))?;
        for event in events {
            if event.name == "run" {
                let recorded: Recorded =
                    serde_json::from_str(&event.data).map_err(|error| corrupt(Some(error)))?;
                self.over |= matches!(recorded.event, Event::RunFinished { .. });
                self.ready.push_back(recorded);
            }
        }
        Ok(Read::Piece)
    }

    async fn connect(&mut self) -> Result<Read, Error> {
        let run = self.run.to_string();
        let url = self.client.url(&["runs", &run, "events"], &[]);
        let request = self
            .client
            .request(Method::GET, url)
            .header(header::ACCEPT, "text/event-stream")
            .header("last-event-id", self.after.to_string());
        let response = send(request).await?;
        if response.status() == StatusCode::NO_CONTENT {
            self.over = true;
            return Ok(Read::Piece);
        }
        self.parser = SseParser::default();
        self.bytes = Some(Box::pin(
            response
                .bytes_stream()
                .map(|piece| piece.map(|bytes| bytes.to_vec())),
        ));
        Ok(Read::Piece)
    }
}
