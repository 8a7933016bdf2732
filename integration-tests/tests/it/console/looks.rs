//! Every page, on a desk and on a phone, light and dark: it holds, nothing of it is wider than the screen, and there is
//! a picture of it for people to look at, in `target/screenshots`.

use clawd_integration_tests::{Browser, ColorScheme};

use super::desk::{Desk, ask, hold, wait_for_text};

const LOOKS: [(&str, ColorScheme, u32, u32); 4] = [
    ("wide-light", ColorScheme::Light, 1440, 1000),
    ("wide-dark", ColorScheme::Dark, 1440, 1000),
    ("phone-light", ColorScheme::Light, 390, 844),
    ("phone-dark", ColorScheme::Dark, 390, 844),
];

/// A page: its name, its path, and a text that it shows.
type Page = (&'static str, String, &'static str);

fn pages(desk: &Desk, record: &str) -> Vec<Page> {
    let (run, plan, approval) = (&desk.run, &desk.plan, &desk.approval);
    // `rollout` is the second job; its first lane is the canary, which has run.
    let step = format!("/runs/{run}?step=1.0.0");
    vec![
        ("fleet", "/fleet".to_owned(), "web-canary-1"),
        ("server", "/fleet/web-canary-1".to_owned(), "How it is reached"),
        (
            "server-local",
            "/fleet/localhost".to_owned(),
            "this machine, read-only",
        ),
        ("runs", "/runs".to_owned(), "patch-security"),
        (
            "new-run",
            "/runs/new?runbook=patch-security&on=role%3Dweb".to_owned(),
            "match",
        ),
        ("run", format!("/runs/{run}"), "Votes wanted"),
        ("step", step, "Output"),
        ("plan", format!("/plans/{plan}"), "needs approval"),
        ("approvals", "/approvals".to_owned(), "Look and vote"),
        ("approval", format!("/approvals/{approval}"), "Still missing"),
        ("runbooks", "/runbooks".to_owned(), "patch-security"),
        ("runbook", "/runbooks/patch-security".to_owned(), "Inputs"),
        ("policies", "/policies".to_owned(), "What it says"),
        ("audit", "/audit".to_owned(), "run.requested"),
        ("record", format!("/audit/{record}"), "gate."),
    ]
}

async fn fits(browser: &Browser, page: &str) {
    // Without the scroll bar: with it a page that is a little too wide would fit.
    let wide = "[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]";
    let widths = ask(browser, wide).await;
    assert!(
        widths[0].as_u64() <= widths[1].as_u64(),
        "{page} is wider than the screen: {widths}"
    );
}

async fn look(browser: &Browser, name: &str, look: &str) {
    hold(browser, &format!("{name}, {look}")).await;
    fits(browser, &format!("{name}, {look}")).await;
    browser.screenshot(&format!("{name}-{look}")).await.unwrap();
}

#[tokio::test]
async fn every_page_holds_on_every_screen() {
    let desk = Desk::open_as("ben").await;
    let browser = &desk.browser;
    let records = desk.records().await;
    let asked = records
        .iter()
        .find(|record| record["kind"] == "gate.needs_approval")
        .unwrap();
    let pages = pages(&desk, &asked["index"].to_string());
    for (word, scheme, width, height) in LOOKS {
        browser.prefer(scheme).await.unwrap();
        browser.resize(width, height).await.unwrap();
        for (name, path, says) in &pages {
            browser.goto(&desk.url(path)).await.unwrap();
            wait_for_text(browser, says).await;
            look(browser, name, word).await;
        }
        // The browser tells of the status; nothing else is wrong.
        browser.goto(&desk.url("/runs/run_of_nobody")).await.unwrap();
        wait_for_text(browser, "There is nothing here").await;
        let errors = browser.console_errors().await.unwrap();
        assert!(
            errors.iter().all(|error| error.message.contains("404")),
            "{errors:?}"
        );
        look(browser, "error", word).await;
    }
    // The door is another page for those who are not signed in.
    browser.client().delete_all_cookies().await.unwrap();
    for (word, scheme, width, height) in LOOKS {
        browser.prefer(scheme).await.unwrap();
        browser.resize(width, height).await.unwrap();
        browser.goto(&desk.url("/fleet")).await.unwrap();
        wait_for_text(browser, "Sign in").await;
        look(browser, "sign-in", word).await;
    }
}
