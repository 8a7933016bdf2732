//! A demo, a browser, and what the tests do with both.

use std::time::Duration;

use clawd_integration_tests::{Browser, ClawdOptions, ClawdProcess, wait_for};
use fantoccini::Locator;
use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(90);

/// A demo whose run waits for votes, and a browser in which nobody is signed in.
pub(super) struct Desk {
    pub(super) clawd: ClawdProcess,
    pub(super) browser: Browser,
    pub(super) run: String,
    pub(super) plan: String,
    pub(super) approval: String,
}

impl Desk {
    /// The audit records of the run.
    pub(super) async fn records(&self) -> Vec<Value> {
        self.clawd
            .json(["audit", "ls", "--run", &self.run, "--limit", "500"])
            .await
            .unwrap()
    }

    pub(super) async fn open() -> Self {
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
        let of_subject = |field: &str| request["subject"][field].as_str().unwrap().to_owned();
        Self {
            run: of_subject("run"),
            plan: of_subject("plan"),
            clawd,
            browser: Browser::start().await.unwrap(),
            approval,
        }
    }

    /// The same, with somebody signed in.
    pub(super) async fn open_as(who: &str) -> Self {
        let desk = Self::open().await;
        desk.browser.goto(&desk.link(who).await).await.unwrap();
        click(&desk.browser, "main form button[type=submit]").await;
        wait_for_text(&desk.browser, "Fleet").await;
        desk
    }

    pub(super) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.clawd.url())
    }

    /// A link that signs somebody in, once.
    pub(super) async fn link(&self, who: &str) -> String {
        let link = self.clawd.cli_as(Some(who), ["console"]).await.unwrap();
        link.ok().unwrap().stdout.trim().to_owned()
    }

    /// Votes yes on the command line.
    pub(super) async fn vote(&self, who: &str) {
        let vote = ["approve", self.approval.as_str()];
        self.clawd.cli_as(Some(who), vote).await.unwrap().ok().unwrap();
    }
}

/// The text of the page's main part.
pub(super) async fn main_text(browser: &Browser) -> String {
    let main = browser.client().find(Locator::Css("main")).await.unwrap();
    main.text().await.unwrap()
}

pub(super) async fn click(browser: &Browser, css: &str) {
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
pub(super) async fn wait_for_text(browser: &Browser, text: &str) {
    wait_for(&format!("`{text}` on the page"), DEADLINE, async || {
        let main = browser.client().find(Locator::Css("main")).await?;
        Ok(main.text().await?.contains(text).then_some(()))
    })
    .await
    .unwrap();
}

/// Asks the page: an expression of JavaScript.
pub(super) async fn ask(browser: &Browser, expression: &str) -> Value {
    let script = format!("return {expression};");
    browser.client().execute(&script, Vec::new()).await.unwrap()
}

/// Waits until an expression of JavaScript is true.
pub(super) async fn wait_until(browser: &Browser, what: &str, expression: &str) {
    wait_for(what, DEADLINE, async || {
        Ok((ask(browser, expression).await == Value::Bool(true)).then_some(()))
    })
    .await
    .unwrap();
}

/// No console errors, nothing serious for axe.
pub(super) async fn hold(browser: &Browser, page: &str) {
    assert_eq!(
        browser.console_errors().await.unwrap(),
        [],
        "console errors on {page}"
    );
    assert_eq!(browser.serious_violations().await.unwrap(), [], "axe on {page}");
}
