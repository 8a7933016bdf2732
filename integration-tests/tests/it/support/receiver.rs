//! A receiver of webhooks, as somebody who has read the Standard Webhooks would write one.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clawd_integration_tests::wait_for;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

const KEY: &[u8] = b"thirty-two bytes for the signing";

/// A request: its headers and its body.
type Request = (BTreeMap<String, String>, String);

/// Listens on this machine for as long as the test runs.
pub(crate) struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Request>>>,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let got = Arc::default();
        let receiver = Self {
            url,
            got: Arc::clone(&got),
        };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let request = take(stream).await;
                got.lock().unwrap().push(request);
            }
        });
        receiver
    }

    /// Configures the channel `pager` of a server that has not been started.
    pub(crate) fn configure(&self, data: &Path) {
        let secrets = data.join("secrets");
        std::fs::create_dir_all(&secrets).unwrap();
        std::fs::write(secrets.join("PAGER_URL"), &self.url).unwrap();
        std::fs::write(
            secrets.join("PAGER_SIGN"),
            format!("whsec_{}", STANDARD.encode(KEY)),
        )
        .unwrap();
        let config = "[http]\nallow = [\"127.0.0.1\"]\n\n[notify.pager]\nurl_secret = \"PAGER_URL\"\n\
                      signing_secret = \"PAGER_SIGN\"\n";
        std::fs::write(data.join("clawd.toml"), config).unwrap();
    }

    /// The messages so far, once there are so many; their signatures are checked.
    pub(crate) async fn messages(&self, count: usize) -> Vec<Value> {
        let what = format!("{count} messages at the receiver");
        let enough = async || Ok((self.got.lock().unwrap().len() >= count).then_some(()));
        wait_for(&what, Duration::from_secs(30), enough).await.unwrap();
        let got = self.got.lock().unwrap();
        got.iter()
            .map(|(headers, body)| verified(headers, body))
            .collect()
    }
}

fn verified(headers: &BTreeMap<String, String>, body: &str) -> Value {
    let (id, at) = (&headers["webhook-id"], &headers["webhook-timestamp"]);
    let mut mac = Hmac::<Sha256>::new_from_slice(KEY).unwrap();
    mac.update(format!("{id}.{at}.{body}").as_bytes());
    let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
    assert_eq!(headers["webhook-signature"], expected, "the signature of {body}");
    assert!(at.parse::<u64>().is_ok(), "{at}");
    serde_json::from_str(body).unwrap()
}

async fn take(stream: TcpStream) -> (BTreeMap<String, String>, String) {
    let mut stream = BufReader::new(stream);
    let (mut headers, mut line) = (BTreeMap::new(), String::new());
    while stream.read_line(&mut line).await.unwrap() > 2 {
        if let Some((name, value)) = line.trim_end().split_once(": ") {
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        line.clear();
    }
    let length = headers["content-length"].parse().unwrap();
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    stream.get_mut().write_all(answer).await.unwrap();
    (headers, String::from_utf8(body).unwrap())
}
