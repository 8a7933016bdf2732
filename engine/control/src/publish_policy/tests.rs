//! Publishing policies: what is refused, what comes into force, and who is asked anew.

use std::collections::BTreeMap;

use clawd_model::api::PublishPolicy;

use super::{PublishPolicyError, publish_policy};
use crate::testing::World;
use crate::{Permit, PolicyPublish, RunStart, RunbookOn};

async fn permit(world: &World) -> Permit<PolicyPublish> {
    let admin = world.caller("admin").await;
    world.app.permit::<PolicyPublish>(&admin).await.unwrap()
}

fn files(edit: impl FnOnce(&mut BTreeMap<String, String>)) -> PublishPolicy {
    let mut files = clawd_policy::library::baseline();
    edit(&mut files);
    PublishPolicy {
        files,
        check_only: false,
    }
}

#[tokio::test]
async fn a_tighter_bundle_comes_into_force_at_once() {
    let world = World::new().await;
    let ana = world.caller("ana").await;
    let runbook = "patch-security".parse().unwrap();
    world
        .app
        .permit_on::<RunStart, RunbookOn>(&ana, &runbook)
        .await
        .unwrap();
    let before = world.driver.changes();
    let freeze = "@id(\"freeze\")\n@reason(\"nothing is started today\")\n\
        forbid(principal, action == Action::\"run.start\", resource);\n";
    let wanted = files(|files| {
        // The tests that ship say that operators may start runs.
        files.retain(|name, _| !name.ends_with("_test.yaml"));
        files.insert("freeze.cedar".to_owned(), freeze.to_owned());
    });
    let published = publish_policy(&permit(&world).await, wanted).await.unwrap();
    assert!(published.in_force);
    let refused = world
        .app
        .permit_on::<RunStart, RunbookOn>(&ana, &runbook)
        .await
        .unwrap_err();
    let crate::Refused::Denied {
        reasons,
        policies,
        bundle,
        ..
    } = refused
    else {
        panic!("{refused}")
    };
    assert_eq!(
        (reasons, policies),
        (
            vec!["nothing is started today".to_owned()],
            vec!["freeze".to_owned()]
        )
    );
    assert_eq!(bundle, Some(published.digest));
    assert_eq!(
        world.driver.changes(),
        before + 1,
        "runs that wait are asked anew"
    );
    // It is what the next start of the process finds.
    assert!(world.operator.load_policies().await.unwrap().is_empty());
    world
        .app
        .permit_on::<RunStart, RunbookOn>(&ana, &runbook)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn what_is_broken_changes_nothing() {
    let world = World::new().await;
    let permit = permit(&world).await;
    let digest = world
        .app
        .permit::<crate::PolicyRead>(permit.caller())
        .await
        .unwrap()
        .bundle();
    let broken = files(|files| {
        files.insert(
            "x.cedar".to_owned(),
            "permit(principal in Group::\"srr\", action, resource);".to_owned(),
        );
    });
    let error = publish_policy(&permit, broken).await.unwrap_err();
    let PublishPolicyError::Invalid(problems) = error else {
        panic!("{error}")
    };
    assert!(
        problems
            .iter()
            .all(|problem| problem.file.as_deref() == Some("x.cedar")),
        "{problems:?}"
    );

    let untrue = files(|files| {
        let tests = files.get_mut("production_test.yaml").unwrap();
        *tests = tests.replace("needs-approval", "allow");
    });
    let error = publish_policy(&permit, untrue).await.unwrap_err();
    assert!(
        matches!(
            error,
            PublishPolicyError::TestsFail { .. } | PublishPolicyError::Invalid(_)
        ),
        "{error}"
    );

    let locked = PublishPolicy {
        files: BTreeMap::new(),
        check_only: false,
    };
    let error = publish_policy(&permit, locked).await.unwrap_err();
    assert!(matches!(error, PublishPolicyError::LocksOut), "{error}");

    let large = files(|files| {
        files.insert("README.md".to_owned(), "x".repeat(1 << 20));
    });
    assert!(matches!(
        publish_policy(&permit, large).await,
        Err(PublishPolicyError::TooLarge)
    ));
    assert_eq!(
        world
            .app
            .permit::<crate::PolicyRead>(permit.caller())
            .await
            .unwrap()
            .bundle(),
        digest
    );
}
