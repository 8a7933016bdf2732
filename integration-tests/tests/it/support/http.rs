//! HTTP by hand: requests as they go over the wire, so that a test can send what no client would, and can tell a
//! process that died from one that answers nonsense.

use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde::de::DeserializeOwned;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// An answer that takes longer than this does not come.
const DEADLINE: Duration = Duration::from_secs(60);

/// There was nobody to answer, or the answer broke off: what a killed process leaves.
#[derive(Debug)]
pub(crate) struct Gone(String);

impl std::fmt::Display for Gone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "no whole answer: {}", self.0)
    }
}

impl std::error::Error for Gone {}

impl Gone {
    pub(crate) fn because(why: impl std::fmt::Display) -> anyhow::Error {
        Self(why.to_string()).into()
    }
}

/// What came back.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// All headers, a line each.
    pub(crate) fn head(&self) -> String {
        let lines = self
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}\n"));
        lines.collect()
    }

    /// The cookies that it sets, as a browser sends them back.
    pub(crate) fn cookies(&self) -> String {
        let set = self.headers.iter().filter(|(name, _)| name == "set-cookie");
        let pairs: Vec<&str> = set.filter_map(|(_, value)| value.split(';').next()).collect();
        pairs.join("; ")
    }

    /// The body of a success.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T> {
        if !(200..300).contains(&self.status) {
            bail!("refused with {}: {}", self.status, self.body);
        }
        self.any_json()
    }

    /// The body, whatever the status.
    pub(crate) fn any_json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(&self.body)
            .with_context(|| format!("no such JSON ({}): {}", self.status, self.body))
    }
}

/// One request, from its pieces.
#[derive(Clone, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) token: Option<&'a str>,
    /// More headers, each with its line break.
    pub(crate) headers: &'a str,
    pub(crate) body: &'a [u8],
}

/// Sends a request to the server at `url`, and reads the whole answer.
pub(crate) async fn send(url: &str, request: &Request<'_>) -> Result<Answer> {
    let address = url.strip_prefix("http://").context("not a plain HTTP address")?;
    let authorization = request
        .token
        .map(|token| format!("authorization: Bearer {token}\r\n"))
        .unwrap_or_default();
    let head = format!(
        "{} {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\ncontent-length: {}\r\n{authorization}{}\r\n",
        request.method,
        request.path,
        request.body.len(),
        request.headers
    );
    let exchange = async {
        let mut stream = TcpStream::connect(address).await?;
        // The server may answer, and close, before it has read everything.
        let written = async {
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(request.body).await
        }
        .await;
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes).await {
            Err(error) if bytes.is_empty() => Err(written.err().unwrap_or(error)),
            _ => Ok(bytes),
        }
    };
    let bytes = tokio::time::timeout(DEADLINE, exchange)
        .await
        .with_context(|| {
            format!(
                "no answer to {} {} within {DEADLINE:?}",
                request.method, request.path
            )
        })?
        .map_err(Gone::because)?;
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(text: &str) -> Result<Answer> {
    let (head, body) = text
        .split_once("\r\n\r\n")
        .ok_or_else(|| Gone::because("it broke off in its head"))?;
    let mut lines = head.lines();
    let status = lines
        .next()
        .and_then(|line| line.split(' ').nth(1))
        .and_then(|word| word.parse().ok());
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let mut answer = Answer {
        status: status.context("no status")?,
        headers,
        body: String::new(),
    };
    answer.body = match answer.header("transfer-encoding") {
        Some("chunked") => unchunked(body).ok_or_else(|| Gone::because("it broke off between its chunks"))?,
        _ => body.to_owned(),
    };
    let announced = answer
        .header("content-length")
        .and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > answer.body.len()) {
        return Err(Gone::because("it broke off in its body"));
    }
    Ok(answer)
}

fn unchunked(mut rest: &str) -> Option<String> {
    let mut whole = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n")?;
        let size = usize::from_str_radix(size.trim(), 16).ok()?;
        if size == 0 {
            return Some(whole);
        }
        whole.push_str(after.get(..size)?);
        rest = after.get(size..)?.strip_prefix("\r\n")?;
    }
}

#[test]
fn answers_are_whole_or_gone() {
    let whole = parse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
    assert_eq!((whole.status, whole.body.as_str()), (200, "{}"));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(parse(chunked).unwrap().body, "abcde");
    for broken in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}",
        &chunked[..chunked.len() - 8],
    ] {
        assert!(parse(broken).unwrap_err().is::<Gone>(), "{broken:?}");
    }
}
