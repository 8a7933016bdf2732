//! The gate is asked about the runbook itself: which one it is, and the labels of both versions.

use clawd_model::api::PublishPolicy;

use super::{PublishRunbookError, publish_runbook};
use crate::testing::World;
use crate::{PolicyPublish, RunbookPublish, publish_policy};

const POLICY: &str = r#"
@id("frozen") @reason("the release team's runbooks are theirs")
forbid(principal, action == Action::"runbook.publish", resource is Runbook) when {
  resource.name == "release" || (resource.hasTag("owner") && resource.getTag("owner") == "release")
};
"#;

fn runbook(name: &str, labels: &str) -> String {
    format!(
        "apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {{name: {name}, labels: {{{labels}}}}}\n\
         targets: controller\njobs: {{a: {{steps: [{{id: x, uses: noop@v1}}]}}}}\n"
    )
}

async fn publish(world: &World, source: &str) -> Result<(), PublishRunbookError> {
    let ana = world.caller("ana").await;
    let permit = world.app.permit::<RunbookPublish>(&ana).await.unwrap();
    publish_runbook(&permit, source).await.map(drop)
}

#[tokio::test]
async fn a_policy_about_runbooks_is_asked_about_both_versions() {
    let world = World::new().await;
    publish(&world, &runbook("deploy", "owner: release"))
        .await
        .unwrap();
    publish(&world, &runbook("other", "")).await.unwrap();
    let admin = world.caller("admin").await;
    let permit = world.app.permit::<PolicyPublish>(&admin).await.unwrap();
    let mut files = clawd_policy::library::baseline();
    files.insert("frozen.cedar".to_owned(), POLICY.to_owned());
    let wanted = PublishPolicy {
        files,
        check_only: false,
    };
    publish_policy(&permit, wanted).await.unwrap();
    for source in [
        // By its name; by its new labels; and by its present ones, which a new version cannot shake off.
        runbook("release", ""),
        runbook("other", "owner: release"),
        runbook("deploy", "owner: nobody"),
    ] {
        let error = publish(&world, &source).await.unwrap_err();
        let PublishRunbookError::Refused(refused) = &error else {
            panic!("{source}: {error}")
        };
        assert!(
            format!("{refused:?}").contains("the release team's runbooks"),
            "{refused:?}"
        );
    }
    publish(&world, &runbook("other", "owner: nobody")).await.unwrap();
    let permit = world.app.permit::<crate::AuditRead>(&admin).await.unwrap();
    let which = crate::ListAudit {
        kind: Some("access.refused".to_owned()),
        ..crate::ListAudit::default()
    };
    let refusals = crate::list_audit(&permit, which).await.unwrap().items;
    let subjects: Vec<&str> = refusals.iter().map(|record| record.subject.as_str()).collect();
    assert_eq!(subjects, ["runbook/deploy", "runbook/other", "runbook/release"]);
}
