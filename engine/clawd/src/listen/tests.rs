//! Slow and greedy clients, over real sockets. Where time matters it is paused: tokio moves it on as soon as everybody
//! waits, so that ten seconds take none.

use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::*;

async fn start(limits: Limits) -> (SocketAddr, Arc<Connections>) {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/post", post(|body: String| async { body }));
    let connections = Arc::new(Connections::new(limits.connections));
    Listener::start(socket, router, None, limits, Arc::clone(&connections)).unwrap();
    (address, connections)
}

/// Sends this, keeps the connection open, and reads until the server closes it.
async fn until_closed(address: SocketAddr, sent: &str) -> (String, Duration) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(sent.as_bytes()).await.unwrap();
    let began = Instant::now();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer, began.elapsed())
}

fn about(took: Duration, limit: Duration) -> bool {
    took >= limit && took < limit + Duration::from_secs(2)
}

#[tokio::test(start_paused = true)]
async fn a_head_that_never_ends_is_given_up() {
    let limits = Limits::default();
    let (address, _) = start(limits).await;
    for half in [
        "",
        "GET / HT",
        "GET / HTTP/1.1\r\nhost: x\r\nx-slow: ",
        "PRI * HTTP/2.0\r\n\r\nSM",
    ] {
        let (answer, took) = until_closed(address, half).await;
        assert!(!answer.contains("here"), "{half:?}: {answer}");
        assert!(took < limits.head + Duration::from_secs(2), "{half:?}: {took:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_says_nothing_more_is_closed() {
    let limits = Limits::default();
    let (address, connections) = start(limits).await;
    let (answer, took) = until_closed(address, "GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
    assert!(answer.ends_with("here"), "{answer}");
    assert!(about(took, limits.head), "{took:?}");
    assert_eq!(connections.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_ends_is_given_up() {
    let limits = Limits::default();
    let (address, _) = start(limits).await;
    let sent = "POST /post HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nhalf";
    let (answer, took) = until_closed(address, sent).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert!(
        took < limits.body + limits.head + Duration::from_secs(2),
        "{took:?}"
    );
    let sent = "POST /post HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nwhole";
    assert!(until_closed(address, sent).await.0.ends_with("whole"));
}

#[tokio::test]
async fn one_connection_too_many_is_closed_and_a_closed_one_makes_room() {
    let limits = Limits {
        connections: 2,
        ..Limits::default()
    };
    let (address, connections) = start(limits).await;
    let ask = async |stream: &mut TcpStream| {
        let mut piece = [0; 256];
        let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await;
        let read = stream.read(&mut piece).await.unwrap_or(0);
        String::from_utf8_lossy(&piece[..read]).into_owned()
    };
    let mut first = TcpStream::connect(address).await.unwrap();
    let mut second = TcpStream::connect(address).await.unwrap();
    assert!(ask(&mut first).await.ends_with("here"));
    assert!(ask(&mut second).await.ends_with("here"));
    let mut third = TcpStream::connect(address).await.unwrap();
    assert_eq!(ask(&mut third).await, "");
    assert_eq!((connections.open(), connections.refused()), (2, 1));
    drop(first);
    // The server notices in its own time: whoever asks again is let in.
    loop {
        let mut next = TcpStream::connect(address).await.unwrap();
        if ask(&mut next).await.ends_with("here") {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(ask(&mut second).await.ends_with("here"));
}
