//! What there is: servers, runbooks, people, tokens, audit records.

use serde_json::{Value, json};

use super::{documents, header};
use crate::support::Site;

#[tokio::test]
async fn everything_that_there_is_can_be_listed_and_shown() {
    let site = Site::start().await.unwrap();
    site.add_server("web-1", "staging").await.unwrap();

    servers(&site).await;
    people(&site).await;
    tokens(&site).await;
    runbooks(&site).await;
    audit(&site).await;
}

async fn table(site: &Site, args: &[&str], columns: &[&str]) -> String {
    let ran = site.cli("admin", args).await.unwrap().ok().unwrap();
    assert_eq!(header(&ran), columns, "{ran}");
    ran.stdout
}

async fn servers(site: &Site) {
    let columns = ["NAME", "KIND", "ENV", "ADDRESS", "SECURITY", "FACTS", "LABELS"];
    let servers = table(site, &["server", "ls"], &columns).await;
    assert!(servers.contains("web-1  simulated "), "{servers}");
    let listed = documents(site, "ana", &["server", "ls", "--on", "role=web"]).await;
    assert_eq!(listed[0]["provider"], "sim");
    let shown = site
        .cli("ana", &["server", "show", "web-1"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        shown.stdout.contains("simulated") && shown.stdout.contains("  hostname"),
        "{shown}"
    );
    assert_eq!(
        documents(site, "ana", &["server", "show", "web-1"]).await,
        listed[0]
    );
    let nothing = site
        .cli("ana", &["server", "ls", "--on", "role=db"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(
        (nothing.stdout.as_str(), nothing.stderr.as_str()),
        ("", "no servers\n")
    );
}

async fn people(site: &Site) {
    let listed = table(
        site,
        &["principal", "ls"],
        &["NAME", "KIND", "SHOWN", "AS", "GROUPS"],
    )
    .await;
    assert!(
        listed.contains("ben") && listed.contains("operator,sre"),
        "{listed}"
    );
    let people = documents(site, "ana", &["principal", "ls"]).await;
    assert!(
        people.as_array().unwrap().iter().any(|one| one["name"] == "sam"),
        "{people:#}"
    );

    // An operator starts runs: of runbooks, since that is what runs are started of.
    let ana = site.cli("ana", &["whoami"]).await.unwrap().ok().unwrap();
    assert!(ana.stdout.starts_with("ana of main (operator)\n"), "{ana}");
    let on = ana
        .stdout
        .lines()
        .find(|line| line.starts_with("may on runbooks "))
        .unwrap();
    assert!(
        on.contains("patch-security") && on.contains("run.start") && on.contains("plan.create"),
        "{ana}"
    );
    let me = documents(site, "ana", &["whoami"]).await;
    let may = me["may_on_runbooks"]["write-file"].as_array().unwrap();
    assert!(may.contains(&json!("run.start")), "{me:#}");
    let sam = documents(site, "sam", &["whoami"]).await;
    assert_eq!(
        sam["may_on_runbooks"]["write-file"],
        json!(["runbook.read"]),
        "{sam:#}"
    );
}

async fn tokens(site: &Site) {
    let made = [
        "token",
        "create",
        "laptop",
        "--for",
        "sam",
        "--lifetime",
        "1d",
        "-o",
        "json",
    ];
    let made: Value = site
        .cli("admin", &made)
        .await
        .unwrap()
        .ok()
        .unwrap()
        .json()
        .unwrap();
    let (id, secret) = (
        made["token"]["id"].as_str().unwrap(),
        made["secret"].as_str().unwrap(),
    );
    let listed = table(
        site,
        &["token", "ls"],
        &["TOKEN", "FOR", "LABEL", "UNTIL", "ISSUED", "BY", "SCOPES"],
    )
    .await;
    assert!(listed.contains(id) && !listed.contains(secret), "{listed}");
    documents(site, "admin", &["token", "ls"]).await;

    let works = site.clawd.cli(["--token", secret, "run", "ls"]).await.unwrap();
    works.ok().unwrap();
    let revoked = site
        .cli("admin", &["token", "revoke", id])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert_eq!(
        (revoked.stdout.as_str(), revoked.stderr),
        ("", format!("revoked {id}\n"))
    );
    let ended = site.clawd.cli(["--token", secret, "run", "ls"]).await.unwrap();
    assert_ne!(ended.code, Some(0), "{ended}");
}

async fn runbooks(site: &Site) {
    let listed = table(site, &["runbook", "ls"], &["RUNBOOK", "DIGEST", "BY", "FOR"]).await;
    assert!(
        listed.contains("patch-security") && listed.contains("Install security updates"),
        "{listed}"
    );
    let all = documents(site, "ana", &["runbook", "ls"]).await;
    assert_eq!(all.as_array().unwrap().len(), 5, "{all:#}");
}

async fn audit(site: &Site) {
    let listed = table(
        site,
        &["audit", "ls", "--kind", "token"],
        &["#", "AT", "KIND", "BY", "ABOUT"],
    )
    .await;
    assert!(listed.contains("token.revoked"), "{listed}");
    let records = documents(site, "ben", &["audit", "ls", "--limit", "3"]).await;
    assert_eq!(records.as_array().unwrap().len(), 3);
    let shown = documents(site, "ben", &["audit", "show", "0"]).await;
    assert_eq!(shown["record"]["index"], 0);
    let table = site
        .cli("ben", &["audit", "show", "0"])
        .await
        .unwrap()
        .ok()
        .unwrap();
    assert!(
        table.stdout.contains("\nleaf ") && table.stdout.contains("\nproof "),
        "{table}"
    );

    let file = site.clawd.data_dir().join("log.jsonl");
    let file = file.to_string_lossy();
    site.cli("ben", &["audit", "export", &file])
        .await
        .unwrap()
        .ok()
        .unwrap();
    let verified = documents(site, "ben", &["audit", "verify", &file]).await;
    assert_eq!(
        (&verified["tenant"], &verified["key_is_trusted"]),
        (&json!("main"), &json!(false))
    );
    assert!(verified["records"].as_u64().unwrap() > 3, "{verified:#}");
}
