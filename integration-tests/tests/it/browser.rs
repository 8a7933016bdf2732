//! The browser of the tests: does it see what is wrong with a page?

use clawd_integration_tests::{Browser, ColorScheme};
use fantoccini::Locator;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Serves one page, under the strict policy that the console has, to everybody who asks.
async fn serve(page: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let known = request[..read].starts_with(b"GET / ");
            let (status, body) = if known {
                ("200 OK", page)
            } else {
                ("404 Not Found", "")
            };
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {}\r\n\
                 Content-Security-Policy: default-src 'none'; style-src 'self'\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    format!("http://{address}/")
}

#[tokio::test]
async fn axe_finds_a_planted_violation_even_under_a_strict_policy() {
    let url = serve(
        "<!doctype html><html lang=en><head><title>Bad</title></head><body><main><h1>Bad</h1>\
         <img src='data:image/gif;base64,R0lGODlhAQABAAAAACw='><button></button></main></body></html>",
    );
    let browser = Browser::start().await.unwrap();
    browser.goto(&url.await).await.unwrap();

    let violations = browser.serious_violations().await.unwrap();
    let mut found: Vec<&str> = violations.iter().map(|violation| violation.id.as_str()).collect();
    found.sort_unstable();
    assert_eq!(found, ["button-name", "image-alt"], "{violations:#?}");
    assert!(violations.iter().all(|violation| violation.nodes.len() == 1));
    // The policy forbids the picture: the console says so.
    let errors = browser.console_errors().await.unwrap();
    assert!(
        errors
            .iter()
            .any(|error| error.message.contains("Content Security Policy")),
        "{errors:#?}"
    );
    assert_eq!(
        browser.console_errors().await.unwrap(),
        [],
        "each message is told once"
    );
}

#[tokio::test]
async fn a_good_page_is_clean_and_can_be_seen_on_a_phone_in_the_dark() {
    let url = serve(
        "<!doctype html><html lang=en><head><title>Good</title><link rel=icon href='data:,'>\
         <meta name=viewport content='width=device-width'><meta name=color-scheme content='light dark'></head>\
         <body><main><h1>Good</h1><p>Nothing is wrong here.</p></main></body></html>",
    );
    let browser = Browser::start().await.unwrap();
    browser.resize(390, 844).await.unwrap();
    browser.prefer(ColorScheme::Dark).await.unwrap();
    browser.goto(&url.await).await.unwrap();

    assert_eq!(browser.client().title().await.unwrap(), "Good");
    let heading = browser.client().find(Locator::Css("h1")).await.unwrap();
    assert_eq!(heading.text().await.unwrap(), "Good");
    let script = "return [innerWidth, innerHeight, matchMedia('(prefers-color-scheme: dark)').matches]";
    let seen = browser.client().execute(script, Vec::new()).await.unwrap();
    assert_eq!(seen, serde_json::json!([390, 844, true]));
    assert_eq!(browser.serious_violations().await.unwrap(), []);

    let picture = browser.screenshot("self-test").await.unwrap();
    let bytes = std::fs::read(picture).unwrap();
    assert!(bytes.starts_with(b"\x89PNG") && bytes.len() > 1000);
}
