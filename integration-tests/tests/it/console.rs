//! The console in a real browser: sign in, see a run wait, vote, watch it end, find the vote in the audit log. No
//! console errors, and nothing serious for axe, on any page, light and dark, wide and narrow.

use std::time::Duration;

use clawd_integration_tests::{Browser, ClawdOptions, ClawdProcess, ColorScheme, wait_for};
use fantoccini::Locator;
use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(60);

/// The text of the page's main part.
async fn main_text(browser: &Browser) -> String {
    let main = browser.client().find(Locator::Css("main")).await.unwrap();
    main.text().await.unwrap()
}

async fn click(browser: &Browser, css: &str) {
    let element = browser
        .client()
        .wait()
        .at_most(DEADLINE)
        .for_element(Locator::Css(css))
        .await;
    element
        .unwrap_or_else(|error| panic!("no `{css}` on the page: {error}"))
        .click()
        .await
        .unwrap();
}

/// Waits until the page, which updates itself, shows a text.
async fn wait_for_text(browser: &Browser, text: &str) {
    wait_for(&format!("`{text}` on the page"), DEADLINE, async || {
        Ok(main_text(browser).await.contains(text).then_some(()))
    })
    .await
    .unwrap();
}

async fn hold(browser: &Browser, page: &str) {
    assert_eq!(
        browser.console_errors().await.unwrap(),
        [],
        "console errors on {page}"
    );
    assert_eq!(browser.serious_violations().await.unwrap(), [], "axe on {page}");
}

#[tokio::test]
async fn a_person_signs_in_votes_and_finds_the_vote_in_the_audit_log() {
    let mut clawd = ClawdProcess::start_with(ClawdOptions {
        demo: true,
        ..ClawdOptions::default()
    })
    .await
    .unwrap();
    let waiting = clawd.wait_for_line("clawd approve apr_", DEADLINE).await.unwrap();
    let approval = waiting
        .split_whitespace()
        .find(|word| word.starts_with("apr_"))
        .unwrap()
        .to_owned();
    let request: Value = clawd.json(["approval", "show", &approval]).await.unwrap();
    let run = request["subject"]["run"].as_str().unwrap().to_owned();
    let link = clawd
        .cli_as(Some("ben"), ["console"])
        .await
        .unwrap()
        .ok()
        .unwrap()
        .stdout;

    let browser = Browser::start().await.unwrap();
    browser.goto(link.trim()).await.unwrap();
    hold(&browser, "the sign-in link").await;
    click(&browser, "main form button[type=submit]").await;
    browser
        .client()
        .wait()
        .at_most(DEADLINE)
        .for_element(Locator::Css("main table"))
        .await
        .unwrap();
    browser.screenshot("fleet").await.unwrap();
    hold(&browser, "the fleet").await;

    // The link is used up: whoever finds it later gets nothing.
    browser
        .goto(&format!("{}/runs/{run}", clawd.url()))
        .await
        .unwrap();
    wait_for_text(&browser, "web-canary-1").await;
    assert!(
        main_text(&browser).await.contains("waiting"),
        "the run waits for votes"
    );
    browser.screenshot("run-waiting").await.unwrap();
    hold(&browser, "the waiting run").await;

    clawd
        .cli_as(Some("cho"), ["approve", &approval])
        .await
        .unwrap()
        .ok()
        .unwrap();
    browser.goto(&format!("{}/approvals", clawd.url())).await.unwrap();
    browser.screenshot("approvals").await.unwrap();
    hold(&browser, "the approvals").await;
    browser
        .goto(&format!("{}/runs/{run}", clawd.url()))
        .await
        .unwrap();
    click(&browser, "button[name=verdict][value=approve]").await;
    // Nobody reloads: the page follows the run by itself.
    wait_for_text(&browser, "succeeded").await;
    browser.screenshot("run-succeeded").await.unwrap();
    hold(&browser, "the run that succeeded").await;

    browser
        .goto(&format!("{}/audit?run={run}", clawd.url()))
        .await
        .unwrap();
    wait_for_text(&browser, "approval.granted").await;
    browser.screenshot("audit").await.unwrap();
    hold(&browser, "the audit log").await;
    for page in ["runs", "runbooks", "policies", "runs/new"] {
        browser.goto(&format!("{}/{page}", clawd.url())).await.unwrap();
        hold(&browser, page).await;
    }
    looks(&browser, &clawd.url(), &run).await;
}

/// Dark, and on a phone.
async fn looks(browser: &Browser, url: &str, run: &str) {
    browser.prefer(ColorScheme::Dark).await.unwrap();
    for (name, width, height) in [("wide-dark", 1600, 1000), ("phone-dark", 390, 844)] {
        browser.resize(width, height).await.unwrap();
        for (page, path) in [("fleet", "fleet".to_owned()), ("run", format!("runs/{run}"))] {
            browser.goto(&format!("{url}/{path}")).await.unwrap();
            browser.screenshot(&format!("{page}-{name}")).await.unwrap();
            hold(browser, &format!("{page}, {name}")).await;
        }
    }
    browser.prefer(ColorScheme::Light).await.unwrap();
    browser.goto(&format!("{url}/runs/{run}")).await.unwrap();
    browser.screenshot("run-phone-light").await.unwrap();
}
