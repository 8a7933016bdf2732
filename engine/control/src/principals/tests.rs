//! Changing people: nobody locks themselves out, and no policy loses a group that it names.

use clawd_model::PrincipalKind;
use clawd_model::api::{PublishPolicy, PutPrincipal};

use super::{PutPrincipalError, put_principal};
use crate::testing::World;
use crate::{Permit, PolicyPublish, PrincipalWrite, publish_policy};

async fn permit(world: &World) -> Permit<PrincipalWrite> {
    let admin = world.caller("admin").await;
    world.app.permit::<PrincipalWrite>(&admin).await.unwrap()
}

fn person(groups: &[&str]) -> PutPrincipal {
    PutPrincipal {
        kind: PrincipalKind::User,
        display_name: String::new(),
        groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
        operator: None,
        disabled: false,
    }
}

async fn put(world: &World, name: &str, wanted: PutPrincipal) -> Result<(), PutPrincipalError> {
    put_principal(&permit(world).await, name.parse().unwrap(), wanted)
        .await
        .map(drop)
}

#[tokio::test]
async fn nobody_locks_themselves_out() {
    let world = World::new().await;
    let error = put(&world, "admin", person(&["viewer"])).await.unwrap_err();
    assert!(matches!(error, PutPrincipalError::LocksOut), "{error}");
    let error = put(
        &world,
        "admin",
        PutPrincipal {
            disabled: true,
            ..person(&["admin"])
        },
    )
    .await
    .unwrap_err();
    assert!(matches!(error, PutPrincipalError::LocksOut), "{error}");
    put(&world, "admin", person(&["admin", "sre"])).await.unwrap();
}

#[tokio::test]
async fn a_group_that_policies_name_keeps_a_member() {
    let world = World::new().await;
    put(&world, "dan", person(&["dba"])).await.unwrap();
    let admin = world.caller("admin").await;
    let mut files = clawd_policy::library::baseline();
    let dba =
        "@id(\"dba\")\npermit(principal in Group::\"dba\", action == Action::\"server.read\", resource);\n";
    files.insert("dba.cedar".to_owned(), dba.to_owned());
    let publish = world.app.permit::<PolicyPublish>(&admin).await.unwrap();
    publish_policy(
        &publish,
        PublishPolicy {
            files,
            check_only: false,
        },
    )
    .await
    .unwrap();
    let error = put(&world, "dan", person(&["viewer"])).await.unwrap_err();
    assert!(
        matches!(&error, PutPrincipalError::GroupInUse(problems) if !problems.is_empty()),
        "{error}"
    );
    put(&world, "eve", person(&["dba"])).await.unwrap();
    put(&world, "dan", person(&["viewer"])).await.unwrap();
}

#[tokio::test]
async fn an_agent_has_somebody_who_answers_for_it() {
    let world = World::new().await;
    let agent = |operator: Option<&str>| PutPrincipal {
        kind: PrincipalKind::Agent,
        operator: operator.map(|name| name.parse().unwrap()),
        ..person(&["operator"])
    };
    for wrong in [
        agent(None),
        agent(Some("nobody-here")),
        PutPrincipal {
            operator: Some("ana".parse().unwrap()),
            ..person(&[])
        },
    ] {
        let error = put(&world, "bot", wrong).await.unwrap_err();
        assert!(matches!(error, PutPrincipalError::Invalid(_)), "{error}");
    }
    put(&world, "bot", agent(Some("ana"))).await.unwrap();
    let error = put(&world, "bot-2", agent(Some("bot"))).await.unwrap_err();
    assert!(
        matches!(error, PutPrincipalError::Invalid(_)),
        "an agent answers for nobody"
    );
}
