//! Everything by keyboard alone.

use clawd_integration_tests::Browser;
use fantoccini::key::Key;
use serde_json::Value;

use super::desk::{Desk, ask, hold, wait_for_text, wait_until};

/// More stops than any page has before what is looked for.
const STOPS_MAX: usize = 80;

async fn press(browser: &Browser, key: Key) {
    let focused = browser.client().active_element().await.unwrap();
    focused.send_keys(&char::from(key).to_string()).await.unwrap();
}

/// Whether the focus can be seen: a ring around it, within the window.
async fn focus_is_seen(browser: &Browser) -> bool {
    let seen = "(() => {
        const at = document.activeElement, style = getComputedStyle(at), box = at.getBoundingClientRect();
        const frame = at.matches('.graph-box') ? getComputedStyle(at.querySelector('rect')).strokeWidth : 0;
        const ring = (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) || parseFloat(frame) >= 3;
        return ring && box.width > 0 && box.bottom > 0 && box.top < innerHeight;
    })()";
    ask(browser, seen).await == Value::Bool(true)
}

/// Goes on with Tab until an element is reached; each stop on the way can be seen.
async fn tab_to(browser: &Browser, css: &str) {
    let reached = format!("document.activeElement.matches({})", Value::from(css));
    for _ in 0..STOPS_MAX {
        press(browser, Key::Tab).await;
        let at = ask(browser, "document.activeElement.outerHTML.slice(0, 200)").await;
        assert!(focus_is_seen(browser).await, "the focus cannot be seen on {at}");
        if ask(browser, &reached).await == Value::Bool(true) {
            return;
        }
    }
    panic!("`{css}` is not reached with Tab");
}

#[tokio::test]
async fn a_vote_by_keyboard_alone() {
    let desk = Desk::open_as("ben").await;
    let browser = &desk.browser;
    browser
        .goto(&desk.url(&format!("/approvals/{}", desk.approval)))
        .await
        .unwrap();
    wait_for_text(browser, "Still missing").await;
    // The first stop leads past the navigation.
    tab_to(browser, "a.skip").await;
    browser.screenshot("keyboard-skip").await.unwrap();
    press(browser, Key::Enter).await;
    wait_until(
        browser,
        "the focus in the main part",
        "document.activeElement.id === 'main'",
    )
    .await;
    press(browser, Key::Tab).await;
    assert_eq!(
        ask(browser, "document.activeElement.closest('main') !== null").await,
        true
    );

    tab_to(browser, "button[name=verdict][value=approve]").await;
    browser.screenshot("keyboard-vote").await.unwrap();
    tab_to(browser, "button[name=verdict][value=reject]").await;
    let back = "document.querySelector('button[name=verdict][value=approve]').focus()";
    browser.client().execute(back, Vec::new()).await.unwrap();
    press(browser, Key::Enter).await;
    wait_for_text(browser, "You voted").await;
    let request: Value = desk
        .clawd
        .json(["approval", "show", &desk.approval])
        .await
        .unwrap();
    assert_eq!(
        (&request["votes"][0]["voter"], &request["votes"][0]["verdict"]),
        (&Value::from("ben"), &Value::from("approve"))
    );
    hold(browser, "the request after the vote").await;
}

#[tokio::test]
async fn a_step_is_opened_and_closed_and_the_grid_walked_through() {
    let desk = Desk::open_as("ana").await;
    let browser = &desk.browser;
    browser
        .goto(&desk.url(&format!("/runs/{}", desk.run)))
        .await
        .unwrap();
    wait_for_text(browser, "Votes wanted").await;
    tab_to(browser, ".cell").await;
    let key = "document.activeElement.dataset.key ?? ''";
    let first = ask(browser, key).await;
    press(browser, Key::Right).await;
    let beside = ask(browser, key).await;
    press(browser, Key::Left).await;
    assert_eq!(ask(browser, key).await, first);
    press(browser, Key::Down).await;
    let below = ask(browser, key).await;
    assert!(focus_is_seen(browser).await);
    assert!(first != below && beside != below, "{first} {beside} {below}");

    press(browser, Key::Enter).await;
    let opened = "document.activeElement.closest('#step') !== null";
    wait_until(browser, "the focus in the panel", opened).await;
    hold(browser, "the opened step").await;
    press(browser, Key::Escape).await;
    wait_until(
        browser,
        "the panel closed",
        "document.querySelector('#step') === null",
    )
    .await;
    assert_eq!(ask(browser, key).await, below, "the focus is where it was");
    assert!(focus_is_seen(browser).await);
}
