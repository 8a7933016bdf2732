//! The way of one runbook through the whole system, on real hosts, in the order of the tour in
//! `docs/architecture.md`. One test, since every stop needs what the one before it left.

use clawd_integration_tests::{Effect, Host, Lab, workspace};
use serde_json::{Value, json};

use crate::people::{Office, assert_says, planned, step, text};
use crate::support::{Answer, Request, send};

const CANARY: &str = "canary-1";
const PROD: &str = "web-1";

#[tokio::test]
async fn a_runbook_is_planned_gated_applied_and_proved() {
    let lab = Lab::start().await.unwrap();
    let [canary, prod] = Host::boot_all(&lab, [CANARY, PROD]).await.unwrap();
    let mut office = Office::open().await;

    // 1, 2: YAML becomes a validated workflow.
    the_runbook_is_checked(&office).await;
    for (host, env) in [(&canary, "staging"), (&prod, "prod")] {
        a_server_is_added_once_its_key_is_accepted(&office, host, env).await;
    }
    // 3: somebody plans it, and looks at the plan.
    let digest = the_plan_says_what_would_change_and_who_must_agree(&office).await;
    for host in [&canary, &prod] {
        assert_eq!(host.effects().await.unwrap(), [], "a plan changes nothing");
    }
    // 4 to 8: it is started and stored; the worker drives it; the gate asks for people.
    let run = the_canary_is_patched_and_production_waits(&office, &digest, [&canary, &prod]).await;
    // 9: people vote.
    two_people_vote(&office, &run, &prod).await;
    // 10, 11: the attempts ran on the hosts, as jobs.
    the_hosts_were_patched_once(&office, &run, [&canary, &prod]).await;
    // 12: the records joined the audit log.
    the_audit_log_tells_who_and_why(&office, &run).await;
    the_audit_log_verifies_offline(&mut office).await;
    // 13: a person sees it.
    office.clawd.restart().await.unwrap();
    a_person_sees_it(&office, &run).await;
}

async fn the_runbook_is_checked(office: &Office) {
    let file = workspace().join("workflows/library/patch-security.yaml");
    let checked = office
        .cli("ana", &["runbook", "check", &file.to_string_lossy()])
        .await;
    let checked = checked.ok().unwrap();
    assert_says(&checked.stdout, &["patch-security: 3 jobs", "sha256:"]);

    // The one that ships is the one that was checked.
    let shown = office
        .cli("dan", &["runbook", "show", "patch-security"])
        .await
        .ok()
        .unwrap();
    assert_eq!(shown.stdout, std::fs::read_to_string(file).unwrap());
}

async fn a_server_is_added_once_its_key_is_accepted(office: &Office, host: &Host, env: &str) {
    let (address, fingerprint) = (format!("ops@{}", host.address()), host.fingerprint().unwrap());
    let identity = host.lab().identity();
    let identity = identity.to_string_lossy();
    let mut add = vec!["server", "add", host.name(), "--address", &address, "--env", env];
    add.extend(["--label", "role=web", "--identity", &identity]);

    let unasked = office.cli("admin", &add).await.expect_code(1).unwrap();
    let hint = format!("hint: compare it, then add --accept-host-key {fingerprint}");
    assert_says(
        &unasked.stderr,
        &[
            "presents this host key",
            &fingerprint,
            "error: the host key was not accepted",
            &hint,
        ],
    );
    let other = "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let wrong = office
        .cli("admin", &[add.as_slice(), &["--accept-host-key", other]].concat())
        .await;
    assert_says(
        &wrong.expect_code(1).unwrap().stderr,
        &["error:", &fingerprint, other, "hint:"],
    );
    let missing = office.cli("dan", &["server", "show", host.name()]).await;
    assert_ne!(missing.code, Some(0), "nothing was added: {missing}");

    add.extend(["--accept-host-key", &fingerprint]);
    let added = office.json("admin", 0, &add).await;
    assert_eq!(added["host_key_fingerprint"], fingerprint.as_str());
    assert_eq!(
        (&added["env"], &added["labels"]),
        (&json!(env), &json!({"role": "web"}))
    );
}

async fn the_plan_says_what_would_change_and_who_must_agree(office: &Office) -> String {
    let plan = ["plan", "patch-security", "--on", "role=web"];
    let view = office.json("ana", 2, &plan).await;
    assert_eq!(view["summary"]["servers"], 2);
    assert_eq!(view["summary"]["errors"], 0, "{view:#}");

    let frozen = json!([{"name": "clawd-lab-web", "from": "1.0", "to": "1.1", "security": true}]);
    for server in [CANARY, PROD] {
        assert_eq!(
            planned(&view, "plan", server, "set")["output"]["packages"],
            frozen
        );
        let apply = planned(&view, "rollout", server, "apply");
        assert_eq!(apply["change"]["diff"], "~ clawd-lab-web 1.0 → 1.1\n");
        assert_eq!(apply["input"]["set"], frozen, "the versions are frozen");
    }
    assert_eq!(
        planned(&view, "rollout", CANARY, "apply")["decision"]["is"],
        "allow"
    );
    let decision = &planned(&view, "rollout", PROD, "apply")["decision"];
    assert_eq!(decision["is"], "needs_approval");
    assert_eq!(
        decision["reasons"],
        json!(["changes in production need two votes of `sre`"])
    );
    assert_eq!(decision["missing"][0]["groups"], json!({"sre": 2}));
    let candidates: Vec<String> = decision["missing"][0]["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(text)
        .collect();
    assert!(
        ["ben", "cho"]
            .iter()
            .all(|name| candidates.iter().any(|who| who == name)),
        "{candidates:?}"
    );
    assert!(
        !candidates.iter().any(|who| who == "ana" || who == "dan"),
        "{candidates:?}"
    );

    // Planned again with nothing changed: the same digest. People read the same in words.
    let digest = text(&view["digest"]);
    let shown = office.cli("ana", &plan).await.expect_code(2).unwrap();
    assert_says(
        &shown.stdout,
        &[
            &digest,
            "~ clawd-lab-web 1.0 → 1.1",
            "needs approval 2 votes of sre",
        ],
    );
    digest
}

async fn the_canary_is_patched_and_production_waits(
    office: &Office,
    digest: &str,
    [canary, prod]: [&Host; 2],
) -> String {
    let start = ["run", "start", "patch-security", "--plan", digest];
    let refused = office.cli("dan", &start).await.expect_code(5).unwrap();
    assert_says(&refused.stderr, &["error:"]);
    let run = office.start(&start[2..]).await;
    let view = office.until_it_waits(&run).await;

    assert_eq!(view["plan"], digest);
    assert_eq!(view["status"], "waiting");
    for path in ["plan/canary-1/set", "plan/web-1/set", "rollout/canary-1/health"] {
        assert_eq!(step(&view, path)["status"], "succeeded", "{path}");
    }
    assert_eq!(step(&view, "rollout/canary-1/apply")["status"], "changed");
    assert_eq!(step(&view, "rollout/canary-1/reboot")["status"], "skipped");
    assert_eq!(step(&view, "rollout/web-1/apply")["status"], "waiting_for_votes");
    assert_eq!(step(&view, "report/controller/done")["status"], "pending");
    assert_eq!(versions(canary).await, ["clawd-lab-web 1.1"]);
    assert_eq!(prod.effects().await.unwrap(), []);
    run
}

async fn two_people_vote(office: &Office, run: &str, prod: &Host) {
    let open = office.open_approval(run).await;
    let (approval, subject) = (text(&open["id"]), text(&open["subject_digest"]));
    assert_eq!(
        (&open["subject"]["job"], &open["requester"]),
        (&json!("rollout"), &json!("ana"))
    );
    assert_eq!(open["may_vote"], true, "ben may vote: {open:#}");
    let shown = office
        .cli("ben", &["approval", "show", &approval])
        .await
        .ok()
        .unwrap();
    assert_says(
        &shown.stdout,
        &["missing: 2 votes of sre", "~ clawd-lab-web 1.0 → 1.1"],
    );

    let own = office
        .cli("ana", &["approve", &approval])
        .await
        .expect_code(5)
        .unwrap();
    assert_says(&own.stderr, &["the person who asks does not vote on it"]);
    let vote = [
        "approve",
        &approval,
        "--subject",
        &subject,
        "-m",
        "looked at the canary",
    ];
    for _ in 0..2 {
        // The same person twice is one vote.
        office.cli("ben", &vote).await.ok().unwrap();
        let view = office.until_it_waits(run).await;
        assert_eq!(step(&view, "rollout/web-1/apply")["status"], "waiting_for_votes");
    }
    assert_eq!(prod.effects().await.unwrap(), []);
    let voted = office.cli("cho", &vote).await.ok().unwrap();
    assert_says(&voted.stdout, &["cho voted yes"]);

    let (watched, view) = office.until_it_is_over(run).await;
    assert_says(&watched.ok().unwrap().stdout, &["succeeded"]);
    assert_eq!(step(&view, "rollout/web-1/apply")["status"], "changed");
    assert_eq!(step(&view, "report/controller/done")["status"], "succeeded");
    let late = office
        .cli("cho", &["approve", &approval])
        .await
        .expect_code(1)
        .unwrap();
    assert_says(&late.stderr, &["granted"]);
}

async fn the_hosts_were_patched_once(office: &Office, run: &str, hosts: [&Host; 2]) {
    let view = office.view(run).await;
    for host in hosts {
        assert_eq!(versions(host).await, ["clawd-lab-web 1.1"], "on {}", host.name());
        assert_eq!(
            host.installed("clawd-lab-web").await.unwrap().as_deref(),
            Some("1.1")
        );
        let path = format!("rollout/{}/apply", host.name());
        let apply = step(&view, &path);
        assert_eq!(apply["attempt"], 1);
        assert_eq!(
            apply["output"]["after"],
            json!([{"name": "clawd-lab-web", "version": "1.1"}])
        );
        assert_says(
            &office.output(run, &path).await,
            &["Setting up clawd-lab-web (1.1) ..."],
        );
    }
    // Nothing is left to do.
    let again = office
        .json("ana", 0, &["plan", "patch-security", "--on", "role=web"])
        .await;
    assert_eq!(again["summary"]["changes"], 0);
}

async fn the_audit_log_tells_who_and_why(office: &Office, run: &str) {
    let records = office.audit(run).await;
    let find = |kind: &str, subject: &str| -> (usize, &Value) {
        let found = |(_, record): &(usize, &Value)| record["kind"] == kind && record["subject"] == subject;
        let mut all = records.iter().enumerate().filter(found);
        let first = all
            .next()
            .unwrap_or_else(|| panic!("no {kind} of {subject} in {records:#?}"));
        assert_eq!(all.count(), 0, "one {kind} of {subject}");
        first
    };
    let by = |kind: &str| -> Vec<String> {
        let of_kind = records.iter().filter(|record| record["kind"] == kind);
        of_kind.map(|record| text(&record["actor"])).collect()
    };
    assert_eq!(by("run.requested"), ["user:ana"]);
    assert_eq!(by("vote.cast"), ["user:ben", "user:ben", "user:cho"]);

    let (asked, _) = find("gate.needs_approval", "rollout/web-1/apply");
    let (started, attempt) = find("attempt.started", "rollout/web-1/apply");
    let (succeeded, outcome) = find("attempt.succeeded", "rollout/web-1/apply");
    let last_vote = records
        .iter()
        .rposition(|record| record["kind"] == "vote.cast")
        .unwrap();
    assert!(asked < last_vote && last_vote < started && started < succeeded);
    let allowed = &attempt["data"]["allowed"];
    let voters = allowed["votes"].as_array().unwrap();
    assert!(
        voters.contains(&json!("ben")) && voters.contains(&json!("cho")),
        "{attempt:#}"
    );
    assert_eq!(allowed["action"], "pkg.apply@v1");
    assert_says(&text(&allowed["bundle"]), &["sha256:"]);
    assert_eq!(outcome["data"]["changed"], true);
    let (_, canary) = find("attempt.started", "rollout/canary-1/apply");
    assert_eq!(
        canary["data"]["allowed"]["votes"],
        json!([]),
        "nobody had to vote on the canary"
    );
    assert_eq!(records.last().unwrap()["kind"], "run.finished");
}

async fn the_audit_log_verifies_offline(office: &mut Office) {
    let file = office.clawd.data_dir().join("export.jsonl");
    let path = file.to_string_lossy().into_owned();
    let exported = office.cli("ben", &["audit", "export", &path]).await.ok().unwrap();
    assert_says(&exported.stderr, &["clawd audit verify"]);
    office.clawd.kill().await.unwrap();

    let verify = ["audit", "verify", &path];
    let good = office.clawd.cli(verify).await.unwrap().ok().unwrap();
    assert_says(
        &good.stdout,
        &["verified: ", " records of tenant `main`", "signed by "],
    );
    let original = std::fs::read_to_string(&file).unwrap();
    let key = original
        .split(r#""key":""#)
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let trusted = office
        .clawd
        .cli(["audit", "verify", &path, "--key", key])
        .await
        .unwrap();
    assert_eq!(trusted.ok().unwrap().stderr, "");

    // One byte: another person would have voted. The line is among those that the error names.
    let lines: Vec<&str> = original.lines().collect();
    let at = lines
        .iter()
        .position(|line| line.contains("vote.cast") && line.contains("user:cho"))
        .unwrap();
    std::fs::write(
        &file,
        original.replacen(lines[at], &lines[at].replacen("user:cho", "user:chu", 1), 1),
    )
    .unwrap();
    let refused = office.clawd.cli(verify).await.unwrap().expect_code(3).unwrap();
    assert_says(
        &refused.stderr,
        &[
            "does not verify",
            "the records do not give the signed root",
            "were altered",
            "hint:",
        ],
    );
    let (from, to) = refused
        .stderr
        .split("of lines ")
        .nth(1)
        .unwrap()
        .split_once(" to ")
        .unwrap();
    let to = to.split(' ').next().unwrap();
    let altered = from.parse::<usize>().unwrap()..=to.parse::<usize>().unwrap();
    assert!(
        altered.contains(&(at + 1)),
        "line {} is not in {altered:?}",
        at + 1
    );

    // One byte of the structure, and the end cut off.
    std::fs::write(
        &file,
        original.replacen(lines[at], &lines[at].replacen(':', ";", 1), 1),
    )
    .unwrap();
    let refused = office.clawd.cli(verify).await.unwrap().expect_code(3).unwrap();
    assert_says(
        &refused.stderr,
        &[&format!("line {}: neither a record nor a checkpoint", at + 1)],
    );
    std::fs::write(&file, lines[..at].join("\n")).unwrap();
    let refused = office.clawd.cli(verify).await.unwrap().expect_code(3).unwrap();
    assert_says(&refused.stderr, &[&format!("cut off after line {at}")]);
}

async fn a_person_sees_it(office: &Office, run: &str) {
    let url = office.clawd.url();
    let link = office.cli("ben", &["console"]).await.ok().unwrap().stdout;
    let secret = link.trim().rsplit('/').next().unwrap();
    let body = format!("link={secret}");
    let form = format!("origin: {url}\r\ncontent-type: application/x-www-form-urlencoded\r\n");
    let signed_in = ask(&url, "POST", "/sign-in/link", &form, body.as_bytes()).await;
    assert_eq!(signed_in.status, 303, "{}", signed_in.body);
    let cookies = format!("cookie: {}\r\n", signed_in.cookies());
    let see = async |path: &str| {
        let page = ask(&url, "GET", path, &cookies, b"").await;
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        page.body
    };

    let page = see(&format!("/runs/{run}")).await;
    assert_says(
        &page,
        &["patch-security", run, "succeeded", CANARY, PROD, "ben", "cho"],
    );
    // The cell of the step leads to what happened there.
    let (before, _) = page.split_once("apply on web-1").unwrap();
    let key = before
        .rsplit("data-key=\"")
        .next()
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let panel = see(&format!("/runs/{run}/steps/{key}")).await;
    assert_says(
        &panel,
        &[
            "pkg.apply@v1",
            "clawd-lab-web 1.0 → 1.1",
            "attempt 1",
            "Setting up clawd-lab-web (1.1) ...",
        ],
    );
    let stranger = ask(&url, "GET", &format!("/runs/{run}"), "", b"").await;
    assert_eq!(stranger.status, 303, "who is not signed in sees nothing");
}

async fn ask(url: &str, method: &str, path: &str, headers: &str, body: &[u8]) -> Answer {
    let request = Request {
        method,
        path,
        token: None,
        headers,
        body,
    };
    send(url, &request).await.unwrap()
}

/// What really happened on a host, as `package version`.
async fn versions(host: &Host) -> Vec<String> {
    let effects = host.effects().await.unwrap();
    effects
        .into_iter()
        .map(|Effect { package, version, .. }| format!("{package} {version}"))
        .collect()
}
