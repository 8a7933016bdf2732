//! What people come for: a plan, a run, votes, the audit log, and what may go wrong on the way.

use axum::http::StatusCode;
use clawd_control::testing::World;
use clawd_model::{ErrorKind, Outcome, StepError};

use super::Browser;

/// Asks for a plan of `patch-security` and starts it; the address of the run.
async fn start(ana: &mut Browser) -> String {
    let seen = ana.get("/runs/new?runbook=patch-security&on=role%3Dweb").await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(seen.body.contains("3 servers match"), "{}", seen.body);
    let form = [
        ("runbook", "patch-security"),
        ("on", "role=web"),
        ("input.reboot", "never"),
    ];
    let seen = ana.submit("/runs/new", "/plans", &form).await;
    assert!(seen.location().starts_with("/plans/sha256:"), "{}", seen.body);
    let plan = ana.get(seen.location()).await;
    assert!(plan.body.contains("needs approval"), "{}", plan.body);
    assert!(plan.body.contains("pkg.apply on web-1"), "{}", plan.body);
    assert!(plan.body.contains("2 votes of sre"), "{}", plan.body);
    let (token, digest, key) = (plan.field("csrf"), plan.field("plan"), plan.field("key"));
    let fields = [("csrf", token.as_str()), ("plan", &digest), ("key", &key)];
    let seen = ana.post("/runs", &fields).await;
    let run = seen
        .location()
        .strip_suffix("?done=started")
        .unwrap_or_default()
        .to_owned();
    assert!(run.starts_with("/runs/run_"), "{}", seen.body);
    // Pressed twice: the same run.
    assert_eq!(
        ana.post("/runs", &fields).await.location(),
        format!("{run}?done=started")
    );
    run
}

#[tokio::test]
async fn a_run_from_the_plan_to_the_audit_log() {
    let world = World::new().await;
    let mut ana = Browser::of(&world, "ana").await;
    let run = start(&mut ana).await;
    let seen = ana.get(&format!("{run}?done=started")).await;
    assert!(seen.body.contains("The run has started."), "{}", seen.body);
    assert!(seen.body.contains("Votes wanted: rollout"), "{}", seen.body);
    assert!(
        seen.body.contains("your own vote does not count"),
        "{}",
        seen.body
    );
    assert!(
        seen.body.contains("Still missing: 2 votes of sre for rollout."),
        "{}",
        seen.body
    );
    assert!(seen.body.contains("simulated"), "{}", seen.body);
    // Twice: the second time from memory.
    for page in ["/runs", "/runs", "/runbooks/patch-security"] {
        let seen = ana.get(page).await;
        assert!(seen.body.contains(">simulated</span>"), "{page}: {}", seen.body);
    }

    let mut final_word = String::new();
    for (voter, comment) in [("ben", "the window is open"), ("cho", "<b>go</b>")] {
        let mut browser = Browser::of(&world, voter).await;
        let inbox = browser.get("/approvals").await;
        assert!(inbox.body.contains("Look and vote"), "{}", inbox.body);
        assert!(inbox.body.contains(">simulated</span>"), "{}", inbox.body);
        assert!(inbox.body.contains("id=\"nav-count\">1<"), "{}", inbox.body);
        let address = format!("/approvals/apr_{}", inbox.after("href=\"/approvals/apr_"));
        let request = browser.get(&address).await;
        let subject = request.field("subject");
        let fields = [
            ("subject", subject.as_str()),
            ("verdict", "approve"),
            ("comment", comment),
            ("back", &run),
        ];
        let seen = browser
            .submit(&address, &format!("{address}/vote"), &fields)
            .await;
        assert_eq!(seen.location(), format!("{run}?done=voted"), "{}", seen.body);
        final_word = address;
    }
    let seen = settled(&mut ana, &run, "succeeded").await;
    assert!(seen.contains("&#60;b&#62;go&#60;/b&#62;"), "{seen}");
    assert!(
        !seen.contains("hx-sse:connect"),
        "a run that is over is not followed"
    );
    let decided = ana.get(&final_word).await;
    assert!(decided.body.contains("rollout: granted"), "{}", decided.body);

    let id = run.trim_start_matches("/runs/");
    let log = ana.get(&format!("/audit?run={id}&kind=vote")).await;
    assert!(
        log.body.contains("vote.cast") && log.body.contains("user:cho"),
        "{}",
        log.body
    );
    let record = ana.get(&format!("/audit/{}", log.after("href=\"/audit/"))).await;
    assert!(record.body.contains("Inclusion path"), "{}", record.body);
    let export = ana.submit("/audit", "/audit/export", &[]).await;
    assert_eq!(export.status, StatusCode::OK);
    let report = clawd_audit::export::verify(export.body.as_bytes(), None);
    assert!(report.is_ok(), "{:?}", report.err());
}

/// Waits until the run's page says so.
async fn settled(browser: &mut Browser, run: &str, word: &str) -> String {
    let mut last = String::new();
    let mark = format!("<span class=\"word\">{word}</span>");
    let patience = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while tokio::time::Instant::now() < patience {
        let seen = browser.get(run).await;
        let (head, _) = seen
            .body
            .split_once("</header>\n<div")
            .unwrap_or((&seen.body, ""));
        let (_, status) = head.split_once("class=\"run-status\"").unwrap_or(("", head));
        if status.contains(&mark) {
            return seen.body;
        }
        last = status
            .split_once("</p>\n<")
            .map_or(status, |(head, _)| head)
            .to_owned();
        tokio::task::yield_now().await;
    }
    panic!("the run was never {word}: {last}");
}

#[tokio::test]
async fn a_step_shows_why_it_waits_and_what_it_came_to() {
    let world = World::new().await;
    let mut ana = Browser::of(&world, "ana").await;
    let run = start(&mut ana).await;
    let page = ana.get(&run).await;
    let waits = page.after("class=\"cell tone-wait\" id=\"c-");
    let seen = ana.get_part(&format!("{run}/steps/{waits}")).await;
    assert!(
        seen.body.contains("It waits for votes on its job."),
        "{}",
        seen.body
    );
    assert!(seen.body.contains("production.two-votes"), "{}", seen.body);
    assert!(seen.body.contains("hx-trigger=\"every 1500ms\""), "{}", seen.body);
    // The same without a script: in the page.
    let seen = ana.get(&format!("{run}?step={waits}")).await;
    assert!(
        seen.body.contains("It waits for votes on its job."),
        "{}",
        seen.body
    );
    assert!(seen.body.contains("aria-current=\"true\">"), "{}", seen.body);

    let changed = page.after("class=\"cell tone-good\" id=\"c-");
    let seen = ana.get_part(&format!("{run}/steps/{changed}")).await;
    assert!(seen.body.contains("attempt 1"), "{}", seen.body);
    assert!(
        !seen.body.contains("hx-trigger"),
        "what is over is not asked for again"
    );
}

#[tokio::test]
async fn somebody_decides_what_nobody_can_know() {
    let world = World::new().await;
    let error = StepError::new(ErrorKind::Indeterminate, "the connection was lost");
    world
        .driver
        .script("rollout/apply", Some(Outcome::Unknown { error }));
    let mut ana = Browser::of(&world, "ana").await;
    let run = start(&mut ana).await;
    let page = ana.get(&run).await;
    assert!(page.body.contains("somebody has to decide"), "{}", page.body);
    let step = page.after("class=\"cell tone-odd\" id=\"c-");
    let address = format!("{run}?step={step}");
    let seen = ana
        .submit(
            &address,
            &format!("{run}/resolve"),
            &[("step", &step), ("attempt", "1"), ("outcome", "done")],
        )
        .await;
    assert_eq!(
        seen.location(),
        format!("{address}&done=resolved"),
        "{}",
        seen.body
    );
    let mut found = String::new();
    for _ in 0..500 {
        found = ana.get(&address).await.body;
        if !found.contains("/resolve\"") {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(found.contains("ana says: changed"), "{found}");
}

#[tokio::test]
async fn a_run_is_cancelled_with_a_reason() {
    let world = World::new().await;
    let mut ana = Browser::of(&world, "ana").await;
    let run = start(&mut ana).await;
    let seen = ana
        .submit(&run, &format!("{run}/cancel"), &[("reason", "wrong servers")])
        .await;
    assert_eq!(seen.location(), format!("{run}?done=cancelled"));
    let mut found = String::new();
    for _ in 0..500 {
        found = ana.get(&run).await.body;
        if found.contains("ana cancelled it: wrong servers.") {
            break;
        }
        tokio::task::yield_now().await;
    }
    assert!(found.contains("ana cancelled it: wrong servers."), "{found}");
    assert!(
        !found.contains("/cancel\""),
        "what is cancelled is offered to be cancelled"
    );
}

#[tokio::test]
async fn what_is_wrong_with_a_form_is_said_in_the_form() {
    let world = World::new().await;
    let mut ana = Browser::of(&world, "ana").await;
    for (fields, said) in [
        (
            vec![("runbook", "patch-security"), ("on", "role in (web")],
            "role in (web",
        ),
        (
            vec![("runbook", "patch-security"), ("on", "role=none")],
            "No server matches",
        ),
        (
            vec![("runbook", "patch-security"), ("input.reboot", "always")],
            "is not one of its values",
        ),
    ] {
        let seen = ana.submit("/runs/new", "/plans", &fields).await;
        assert_eq!(seen.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        assert!(seen.body.contains(said), "{said}: {}", seen.body);
        let kept = fields.last().unwrap().1;
        assert!(seen.body.contains(kept), "{kept} was forgotten");
    }
    let fields = [
        ("runbook", "patch-security"),
        ("on", "env=prod"),
        ("preview", "1"),
    ];
    let seen = ana.submit("/runs/new", "/plans", &fields).await;
    assert_eq!(seen.status, StatusCode::OK);
    assert!(seen.body.contains("2 servers match"), "{}", seen.body);
    let seen = ana.get("/fleet?on=role%20in%20(web").await;
    assert!(seen.body.contains("aria-invalid=\"true\""), "{}", seen.body);
    let seen = ana.get("/audit?run=run_1").await;
    assert!(seen.body.contains("is not an id"), "{}", seen.body);
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_said_to_be_unreachable() {
    let world = World::new().await;
    let mut ana = Browser::of(&world, "ana").await;
    let seen = ana.submit("/fleet/web-1", "/fleet/web-1/facts", &[]).await;
    assert_eq!(seen.location(), "/fleet/web-1?done=facts", "{}", seen.body);
    world.servers.take_down("web-1");
    let seen = ana.submit("/fleet/web-1", "/fleet/web-1/facts", &[]).await;
    assert_eq!(seen.status, StatusCode::BAD_GATEWAY);
    assert!(seen.body.contains("does not answer"), "{}", seen.body);
    // The plan says it for that server, and goes on for the others.
    let seen = ana
        .submit("/runs/new", "/plans", &[("runbook", "patch-security")])
        .await;
    let plan = ana.get(seen.location()).await;
    assert!(plan.body.contains("does not answer"), "{}", plan.body);
    assert!(plan.body.contains("pkg.apply on web-2"), "{}", plan.body);
}

#[tokio::test]
async fn a_run_that_is_over_ends_its_stream() {
    let world = World::new().await;
    let mut ana = Browser::of(&world, "ana").await;
    let plan = ana.submit("/runs/new", "/plans", &[("runbook", "health")]).await;
    let plan = plan.location().to_owned();
    let page = ana.get(&plan).await;
    let (digest, key) = (page.field("plan"), page.field("key"));
    let seen = ana
        .submit(&plan, "/runs", &[("plan", &digest), ("key", &key)])
        .await;
    let run = seen.location().split('?').next().unwrap().to_owned();
    settled(&mut ana, &run, "succeeded").await;
    let stream = ana.get_part(&format!("{run}/events?after=0")).await;
    assert_eq!(stream.headers.get("content-type").unwrap(), "text/event-stream");
    assert!(stream.body.contains("hx-target=\"#run-head\""), "{}", stream.body);
    assert!(stream.body.contains("hx-target=\"#run-grid\""), "{}", stream.body);
    assert!(
        stream.body.trim_end().ends_with("event: end\ndata: over"),
        "{}",
        stream.body
    );
}

#[tokio::test]
async fn runbooks_and_policies_can_be_read() {
    let world = World::new().await;
    let mut vic = Browser::of(&world, "vic").await;
    let list = vic.get("/runbooks").await;
    assert!(list.body.contains("patch-security"), "{}", list.body);
    let seen = vic.get("/runbooks/patch-security").await;
    assert!(seen.body.contains("canary env=staging"), "{}", seen.body);
    assert!(seen.body.contains("class=\"graph-across\""), "{}", seen.body);
    let seen = vic.get("/policies").await;
    assert!(seen.body.contains("production.two-votes"), "{}", seen.body);
}
