//! The client against the real API on a loopback port: every method finds its route, and reads its answer.

use clawd_client::{AuditQuery, Client, Error, OutputQuery, RunsQuery};
use clawd_control::testing::World;
use clawd_model::api::{
    AddServer, CastVote, CreateSignInLink, CreateToken, Explain, MakePlan, PublishPolicy, PutPrincipal,
    Resolution, ResolveStep,
};
use clawd_model::{Event, Labels, PrincipalKind, RunStatus, ServerProvider, Verdict};
use futures::StreamExt;

struct Site {
    world: World,
    address: String,
}

impl Site {
    async fn new() -> Self {
        let world = World::new().await;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let router = clawd_api::router(world.app.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { world, address }
    }

    async fn client(&self, name: &str) -> Client {
        Client::new(&self.address, &self.world.token(name).await).expect("a client")
    }
}

#[tokio::test]
async fn servers_runbooks_and_people() {
    let site = Site::new().await;
    let admin = site.client("admin").await;
    assert_eq!(admin.whoami().await.unwrap().principal.name.as_str(), "admin");
    assert_eq!(admin.servers(Some("env=prod")).await.unwrap().items.len(), 2);
    let key = admin.probe_server("root@203.0.113.5:22").await.unwrap();
    let mut server = AddServer {
        name: "own-1".parse().unwrap(),
        provider: ServerProvider::Ssh,
        address: "root@203.0.113.5:22".to_owned(),
        env: "prod".to_owned(),
        labels: Labels::new(),
        protected: false,
        identity: None,
        host_key: None,
    };
    let error = admin.add_server(&server, None).await.unwrap_err();
    assert_eq!(error.code(), Some("host-key-unconfirmed"));
    assert!(error.hint().unwrap().contains("ssh-keygen"));
    server.host_key = Some(key.fingerprint.clone());
    let added = admin.add_server(&server, Some("k")).await.unwrap();
    assert_eq!(
        added,
        admin.add_server(&server, Some("k")).await.unwrap(),
        "the key makes it one request"
    );
    assert_eq!(
        admin.server(&server.name).await.unwrap().host_key_fingerprint,
        Some(key.fingerprint)
    );
    admin.remove_server(&server.name).await.unwrap();
    assert_eq!(
        admin.server(&server.name).await.unwrap_err().code(),
        Some("not-found")
    );
    let fresh = admin.refresh_facts(&"web-1".parse().unwrap()).await.unwrap();
    assert_eq!(fresh.facts.unwrap().values["hostname"], "web-1");

    let name = "patch-security".parse().unwrap();
    let runbook = admin.runbook(&name).await.unwrap();
    assert!(admin.runbooks().await.unwrap().items.contains(&runbook.summary));
    assert_eq!(admin.check_runbook("jobs: 1").await.unwrap().digest, None);
    let published = admin.publish_runbook(&runbook.source, None).await.unwrap();
    assert_eq!(published.digest, Some(runbook.summary.digest));
    let error = admin.publish_runbook("jobs: 1", None).await.unwrap_err();
    assert!(!error.problem().unwrap().problems.is_empty());

    let zoe = PutPrincipal {
        kind: PrincipalKind::User,
        display_name: "Zoë".to_owned(),
        groups: vec!["viewer".parse().unwrap()],
        operator: None,
        disabled: false,
    };
    admin.put_principal(&"zoe".parse().unwrap(), &zoe).await.unwrap();
    assert!(
        admin
            .principals()
            .await
            .unwrap()
            .items
            .iter()
            .any(|one| one.display_name == "Zoë")
    );
    let wanted = CreateToken {
        principal: Some("zoe".parse().unwrap()),
        label: "laptop".to_owned(),
        scopes: Vec::new(),
        lifetime_ms: None,
    };
    let made = admin.create_token(&wanted).await.unwrap();
    let client = Client::new(&site.address, &made.secret).unwrap();
    assert_eq!(client.whoami().await.unwrap().principal.name.as_str(), "zoe");
    assert!(
        admin
            .tokens()
            .await
            .unwrap()
            .items
            .iter()
            .any(|token| token.id == made.token.id)
    );
    admin.revoke_token(made.token.id).await.unwrap();
    assert_eq!(client.whoami().await.unwrap_err().code(), Some("token-unknown"));
    let link = admin
        .create_sign_in_link(&CreateSignInLink { principal: None })
        .await
        .unwrap();
    assert!(link.path.starts_with("/sign-in/"));
}

#[tokio::test]
async fn a_run_from_its_plan_to_its_end() {
    let site = Site::new().await;
    let ana = site.client("ana").await;
    let runbook = "patch-security".parse().unwrap();
    let plan = ana.plan(&runbook, &MakePlan::default(), None).await.unwrap();
    assert_eq!(ana.stored_plan(plan.digest).await.unwrap(), plan);
    let run = ana.start_planned(plan.digest, Some("k")).await.unwrap();
    assert_eq!(
        ana.start_planned(plan.digest, Some("k")).await.unwrap().id,
        run.id
    );
    let waiting = RunsQuery {
        status: Some(RunStatus::Waiting),
        ..RunsQuery::default()
    };
    assert_eq!(ana.runs(&waiting).await.unwrap().items.len(), 1);
    let open = ana.approvals(true).await.unwrap().items.remove(0);
    for name in ["ben", "cho"] {
        let client = site.client(name).await;
        let shown = client.approval(open.approval.id).await.unwrap();
        assert!(shown.may_vote && !shown.steps.is_empty());
        let vote = CastVote {
            verdict: Verdict::Approve,
            subject: shown.subject_digest,
            comment: String::new(),
        };
        client.vote(open.approval.id, &vote).await.unwrap();
    }
    let mut events = ana.run_events(run.id, 0);
    let mut last = None;
    while let Some(recorded) = events.next().await {
        let recorded = recorded.unwrap();
        assert_eq!(recorded.seq, last.as_ref().map_or(1, |(seq, _)| seq + 1));
        last = Some((recorded.seq, recorded.event));
    }
    let (seq, event) = last.unwrap();
    assert!(matches!(event, Event::RunFinished { .. }));
    assert!(
        ana.run_events(run.id, seq).next().await.is_none(),
        "nothing comes behind the end"
    );
    let view = ana.run(run.id).await.unwrap();
    assert_eq!((view.summary.status, view.last_seq), (RunStatus::Succeeded, seq));
    let output = OutputQuery {
        step: "rollout/web-1/apply".to_owned(),
        ..OutputQuery::default()
    };
    assert!(ana.output(run.id, &output).await.unwrap().complete);
    assert_eq!(
        ana.cancel_run(run.id, "late").await.unwrap_err().code(),
        Some("run-over")
    );
    let resolve = ResolveStep {
        step: "rollout/web-1/apply".to_owned(),
        attempt: 1,
        resolution: Resolution::DidNotHappen,
    };
    assert_eq!(
        ana.resolve_step(run.id, &resolve).await.unwrap_err().code(),
        Some("not-unknown")
    );
    let staging = MakePlan {
        on: Some("env=staging".to_owned()),
        ..MakePlan::default()
    };
    assert_eq!(
        ana.start(&runbook, &staging, None).await.unwrap().status,
        RunStatus::Succeeded
    );
}

#[tokio::test]
async fn policies_and_the_audit_log() {
    let site = Site::new().await;
    site.world.start_patch().await;
    let admin = site.client("admin").await;
    let bundle = admin.policies().await.unwrap();
    let check = PublishPolicy {
        files: bundle.files,
        check_only: true,
    };
    let checked = admin.publish_policies(&check).await.unwrap();
    assert_eq!((checked.digest, checked.in_force), (bundle.digest, false));
    let question = Explain {
        principal: Some("ana".parse().unwrap()),
        action: "pkg.apply@v1".to_owned(),
        server: Some("web-1".parse().unwrap()),
        runbook: None,
        votes: 0,
        group_votes: std::collections::BTreeMap::new(),
    };
    let answer = admin.explain(&question).await.unwrap();
    assert!(
        answer
            .policies
            .iter()
            .any(|part| part.id == "production.two-votes" && part.outcome == "asks_for_votes")
    );

    let started = AuditQuery {
        kind: Some("run".to_owned()),
        ..AuditQuery::default()
    };
    let records = admin.audit(&started).await.unwrap().items;
    assert!(
        records
            .iter()
            .any(|record| record.kind == "run.requested" && record.actor == "user:ana")
    );
    let proof = admin.audit_record(records[0].index).await.unwrap();
    assert!(proof.tree.size > proof.record.index);
    let tree = admin.audit_tree().await.unwrap();
    assert!(tree.size >= proof.tree.size);
    let mut export = admin.export_audit().await.unwrap();
    let mut text = Vec::new();
    while let Some(piece) = export.next().await {
        text.extend(piece.unwrap());
    }
    let lines: Vec<&[u8]> = text
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .collect();
    let header: serde_json::Value = serde_json::from_slice(lines[0]).unwrap();
    assert_eq!(header["tenant"], "demo");
    assert!(lines.len() as u64 > header["size"].as_u64().unwrap());
}

#[tokio::test]
async fn nobody_there_is_an_error_with_a_hint() {
    let client = Client::new("http://127.0.0.1:9", "clawd_pat_x").unwrap();
    let error = client.whoami().await.unwrap_err();
    assert!(
        matches!(&error, Error::Unreachable { url, .. } if url == "http://127.0.0.1:9/"),
        "{error}"
    );
    assert!(error.hint().unwrap().contains("is a server running"));
}
