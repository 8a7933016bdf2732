//! Health checks of a real service, what follows when it is not well, and who is told.

use clawd_integration_tests::{ClawdOptions, ClawdProcess, Host, Lab};
use serde_json::Value;

use crate::people::{Office, assert_says, step};
use crate::support::Receiver;

const WATCH: &str = r#"
      - {id: tcp, uses: check.tcp@v1, with: {port: 8080, within: 5s}}
      - {id: http, uses: check.http@v1, with: {path: /healthz, port: 8080, contains: ok, within: 2s}}
    rescue:
      - {id: repair, uses: shell@v1, with: {argv: [rm, /etc/clawd-lab-unhealthy]}}
    always:
      - id: tell
        uses: notify@v1
        with: {to: pager, text: "${{ server.name }} is ${{ has(steps.http.status) ? 'well' : 'ill' }}"}
"#;

#[tokio::test]
async fn an_unhealthy_service_is_rescued_and_people_are_told_by_a_signed_message() {
    let lab = Lab::start().await.unwrap();
    let host = Host::boot(&lab, "web-1").await.unwrap();
    let receiver = Receiver::start().await;
    let mut clawd = ClawdProcess::prepare(ClawdOptions::default()).unwrap();
    receiver.configure(clawd.data_dir());
    clawd.restart().await.unwrap();
    let office = Office::over(clawd).await;
    office.add(&host, "staging").await;
    office.publish("watch", WATCH).await;
    let texts = |messages: Vec<Value>| -> Vec<String> {
        let text = |message: Value| message["text"].as_str().unwrap().to_owned();
        messages.into_iter().map(text).collect()
    };

    let view = office.run(&["watch"]).await;
    assert_eq!(step(&view, "work/web-1/http")["output"]["status"], 200);
    assert_eq!(step(&view, "work/web-1/repair")["status"], "skipped");
    let messages = receiver.messages(1).await;
    assert_eq!(messages[0]["data"]["server"], "web-1");
    assert_eq!(messages[0]["data"]["channel"], "pager");
    assert_eq!(texts(messages), ["web-1 is well"]);

    host.write("/etc/clawd-lab-unhealthy", "").await.unwrap();
    let run = office.start(&["watch"]).await;
    let (watched, view) = office.until_it_is_over(&run).await;
    watched.expect_code(3).unwrap();
    assert_eq!(step(&view, "work/web-1/tcp")["status"], "succeeded");
    let http = step(&view, "work/web-1/http");
    assert_eq!(http["status"], "failed");
    assert_says(http["error"]["message"].as_str().unwrap(), &["/healthz", "503"]);
    assert_eq!(step(&view, "work/web-1/repair")["status"], "changed");
    assert_eq!(
        texts(receiver.messages(2).await),
        ["web-1 is well", "web-1 is ill"]
    );
    assert!(
        host.read("/etc/clawd-lab-unhealthy").await.is_err(),
        "the rescue ran"
    );
    office.run(&["watch"]).await;

    // A port that nobody listens on.
    let closed = "      - {id: tcp, uses: check.tcp@v1, with: {port: 9, within: 1s}}\n";
    office.publish("closed", closed).await;
    let run = office.start(&["closed"]).await;
    let (watched, view) = office.until_it_is_over(&run).await;
    assert!(!watched.success());
    assert_eq!(step(&view, "work/web-1/tcp")["status"], "failed");
    // Where messages go stands nowhere, and a message is sent once.
    assert_eq!(receiver.messages(3).await.len(), 3);
    assert!(!office.clawd.log().contains("/hook"));
}
