//! The console in a real browser, over the demo: people sign in, look, vote and watch. No console errors, and nothing
//! serious for axe, on any page, light and dark, wide and narrow.

mod desk;
mod keyboard;
mod live;
mod looks;

use serde_json::Value;

use self::desk::{Desk, click, hold, main_text, wait_for_text};

#[tokio::test]
async fn a_person_signs_in_votes_and_finds_the_vote_in_the_audit_log() {
    let desk = Desk::open().await;
    let browser = &desk.browser;
    let link = desk.link("ben").await;
    browser.goto(&link).await.unwrap();
    hold(browser, "the sign-in link").await;
    click(browser, "main form button[type=submit]").await;
    wait_for_text(browser, "Fleet").await;
    let fleet = main_text(browser).await;
    assert!(
        fleet.contains("simulated") && !fleet.contains("simulated=true"),
        "a server is called simulated once: {fleet}"
    );
    // The link is used up: whoever finds it later gets nothing.
    browser.goto(&link).await.unwrap();
    wait_for_text(browser, "no longer").await;
    let _ = browser.console().await.unwrap();

    browser
        .goto(&desk.url(&format!("/runs/{}", desk.run)))
        .await
        .unwrap();
    wait_for_text(browser, "web-canary-1").await;
    assert!(
        main_text(browser).await.contains("waiting"),
        "the run waits for votes"
    );
    browser.goto(&desk.url("/approvals")).await.unwrap();
    wait_for_text(browser, "simulated").await;
    browser.goto(&desk.url("/runs")).await.unwrap();
    wait_for_text(browser, "simulated").await;

    desk.vote("cho").await;
    // The request shows what one votes on, and is voted on there.
    browser
        .goto(&desk.url(&format!("/approvals/{}", desk.approval)))
        .await
        .unwrap();
    let request = main_text(browser).await;
    assert!(request.contains("libssl3 3.0.15"), "no diff: {request}");
    click(browser, "button[name=verdict][value=approve]").await;
    wait_for_text(browser, "Your vote is recorded").await;
    hold(browser, "the request after the vote").await;
    browser
        .goto(&desk.url(&format!("/runs/{}", desk.run)))
        .await
        .unwrap();
    // Nobody reloads: the page follows the run by itself.
    wait_for_text(browser, "succeeded").await;
    hold(browser, "the run that succeeded").await;

    the_own_vote_is_in_the_audit_log(&desk).await;
}

async fn the_own_vote_is_in_the_audit_log(desk: &Desk) {
    let browser = &desk.browser;
    let records = desk.records().await;
    let own = |record: &&Value| record["kind"] == "vote.cast" && record["actor"] == "user:ben";
    let own = records.iter().find(own).expect("ben's vote is a record");
    let page = format!("/audit?run={}", desk.run);
    browser.goto(&desk.url(&page)).await.unwrap();
    wait_for_text(browser, "approval.granted").await;
    let rows: Vec<String> = main_text(browser).await.lines().map(str::to_owned).collect();
    let cast = rows.iter().filter(|row| row.contains("vote.cast")).count();
    assert_eq!(cast, 2, "{rows:#?}");
    // The record itself says who, and what the vote was for.
    click(browser, &format!("a[href='/audit/{}']", own["index"])).await;
    wait_for_text(browser, "user:ben").await;
    let record = main_text(browser).await;
    // Pages show the end of an id.
    let approval = &desk.approval[desk.approval.len() - 6..];
    for part in ["vote.cast", "approve", approval] {
        assert!(record.contains(part), "`{part}` is missing in {record}");
    }
    hold(browser, "the record of the vote").await;
}
