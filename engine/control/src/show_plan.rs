//! Shows a stored plan. A plan is the preview of a run, so who may see such a run may see it.

use clawd_model::api::PlanView;

use crate::RunRow;
use crate::error::StoreFailed;
use crate::gate::{Permit, PlannedRun, RunRead};
use crate::plan_run::plan_view;

/// The newest plan with the digest that the permit is for.
#[must_use]
pub fn show_plan(permit: &Permit<RunRead, PlannedRun>) -> PlanView {
    let on = permit.on();
    plan_view(on.digest, &on.plan)
}

/// The plan that a run was started with, exactly.
///
/// # Errors
/// When the store fails.
pub async fn show_run_plan(permit: &Permit<RunRead, RunRow>) -> Result<Option<PlanView>, StoreFailed> {
    let run = permit.on();
    let plan = permit.store().run_plan(run.id).await?;
    Ok(plan.map(|plan| plan_view(run.plan, &plan)))
}

#[cfg(test)]
mod tests {
    use clawd_model::api::{MakePlan, PublishPolicy};

    use crate::testing::World;
    use crate::{
        PlanCreate, PlannedRun, PolicyPublish, Refused, RunRead, RunbookOn, plan_run, publish_policy,
        show_plan,
    };

    const POLICY: &str = r#"
@id("secret") @reason("these runs are hidden")
forbid(principal, action == Action::"run.read", resource is Run) when {
  resource.runbook == "patch-security" && principal.name != resource.requester
};
"#;

    #[tokio::test]
    async fn a_policy_that_hides_the_runs_hides_the_plans() {
        let world = World::new().await;
        let ana = world.caller("ana").await;
        let patch = "patch-security".parse().unwrap();
        let permit = world
            .app
            .permit_on::<PlanCreate, RunbookOn>(&ana, &patch)
            .await
            .unwrap();
        let digest = plan_run(&permit, &MakePlan::default()).await.unwrap().digest;
        let vic = world.caller("vic").await;
        let permit = world
            .app
            .permit_on::<RunRead, PlannedRun>(&vic, &digest)
            .await
            .unwrap();
        assert_eq!(show_plan(&permit).digest, digest);

        let admin = world.caller("admin").await;
        let publish = world.app.permit::<PolicyPublish>(&admin).await.unwrap();
        let mut files = clawd_policy::library::baseline();
        files.insert("secret.cedar".to_owned(), POLICY.to_owned());
        let wanted = PublishPolicy {
            files,
            check_only: false,
        };
        publish_policy(&publish, wanted).await.unwrap();
        let refused = world
            .app
            .permit_on::<RunRead, PlannedRun>(&vic, &digest)
            .await
            .unwrap_err();
        assert!(matches!(refused, Refused::Denied { .. }), "{refused:?}");
        world
            .app
            .permit_on::<RunRead, PlannedRun>(&ana, &digest)
            .await
            .unwrap();
    }
}
