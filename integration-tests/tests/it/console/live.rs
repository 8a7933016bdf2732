//! A page that is open while the server dies.

use super::desk::{Desk, ask, wait_for_text, wait_until};

#[tokio::test]
async fn an_open_page_survives_the_server_and_shows_the_end_of_the_run() {
    let mut desk = Desk::open_as("ben").await;
    let page = desk.url(&format!("/runs/{}", desk.run));
    desk.browser.goto(&page).await.unwrap();
    wait_for_text(&desk.browser, "Votes wanted").await;
    let word = |word: &str| format!("document.querySelector('#live .live-word')?.textContent === '{word}'");
    wait_until(&desk.browser, "the page to be live", &word("live")).await;
    // Lost when the page is loaded anew.
    let mark = "document.body.dataset.same = 'yes'";
    desk.browser.client().execute(mark, Vec::new()).await.unwrap();

    desk.clawd.kill().await.unwrap();
    wait_until(&desk.browser, "the page to notice", &word("reconnecting")).await;
    desk.browser.screenshot("run-reconnecting").await.unwrap();
    desk.clawd.restart().await.unwrap();
    wait_until(&desk.browser, "the page to be live again", &word("live")).await;

    desk.vote("ben").await;
    desk.vote("cho").await;
    let over = "document.querySelector('main .run-head')?.innerText.includes('succeeded')";
    wait_until(&desk.browser, "the end of the run on the page", over).await;
    assert_eq!(
        ask(&desk.browser, "document.body.dataset.same").await,
        "yes",
        "nobody reloaded it"
    );
}
