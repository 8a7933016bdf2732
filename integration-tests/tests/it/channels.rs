//! The channels of `@notify`: a receiver hears that votes are wanted, and nobody waits for one that is not there.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::support::Site;

/// Takes one message, and gives its id and body.
async fn hear(listener: &TcpListener) -> (String, Value) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut request = Vec::new();
    loop {
        let mut piece = [0; 4096];
        let read = stream.read(&mut piece).await.unwrap();
        request.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let header = |name: &str| {
            let line = head
                .lines()
                .find(|line| line.to_ascii_lowercase().starts_with(name));
            line.and_then(|line| line.split_once(": "))
                .map(|(_, value)| value.to_owned())
        };
        let length: usize = header("content-length").unwrap().parse().unwrap();
        if body.len() < length {
            continue;
        }
        let answer = "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        return (header("webhook-id").unwrap(), serde_json::from_str(body).unwrap());
    }
}

#[tokio::test]
async fn the_channel_of_a_guard_hears_that_votes_are_wanted() {
    let mut site = Site::start().await.unwrap();
    site.add_server("web-1", "prod").await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    site.clawd.stop().await.unwrap();
    let data = site.clawd.data_dir();
    // Nobody listens on the other channel.
    let config = "[http]\nallow = [\"127.0.0.0/8\"]\n\
                  [notify.ops]\nurl_secret = \"HOOK\"\nsigning_secret = \"SIGN\"\n\
                  [notify.gone]\nurl_secret = \"GONE\"\nsigning_secret = \"SIGN\"\n";
    std::fs::write(data.join("clawd.toml"), config).unwrap();
    for (name, value) in [
        ("HOOK", format!("http://{address}/hook")),
        ("GONE", "http://127.0.0.1:9/hook".to_owned()),
        ("SIGN", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned()),
    ] {
        std::fs::write(data.join("secrets").join(name), value).unwrap();
    }
    site.restart().await.unwrap();
    site.publish(|files| {
        let production = files.get_mut("production.cedar").unwrap();
        *production = production.replace("@notify(\"ops\")", "@notify(\"ops,gone\")");
        assert!(production.contains("ops,gone"));
    })
    .await
    .unwrap();
    let inputs = json!({"path": "/etc/motd", "content": "ours"});
    let run = site.start_run("write-file", &inputs, "write").await.unwrap();
    let wanted = site.wait_missing(&run, &json!({"sre": 2})).await.unwrap();
    let (id, told) = hear(&listener).await;
    assert_eq!(wanted["id"], json!(id), "the same id whenever it is sent");
    assert_eq!(told["type"], "votes_wanted");
    assert_eq!(told["data"]["path"], format!("/approvals/{id}"));
    let text = told["text"].as_str().unwrap();
    for part in ["`ana`", "write-file", "2 of sre", "two votes of `sre`"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for who in ["ben", "cho"] {
        site.vote(who, &wanted, "approve").await.unwrap();
    }
    site.wait_run(&run, &["succeeded"]).await.unwrap();
    let events = site.events(&run).await.unwrap();
    let announced: Vec<&Value> = events
        .iter()
        .filter(|recorded| recorded["event"]["type"] == "approval_announced")
        .map(|recorded| &recorded["event"]["channel"])
        .collect();
    assert_eq!(announced, ["ops"], "and it is known who heard");
}
