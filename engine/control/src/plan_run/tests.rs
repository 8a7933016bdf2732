//! Plans of real runbooks over servers that answer as told.

use clawd_model::api::{MakePlan, PlanView};
use clawd_model::{DecisionKind, ErrorKind, PlannedStep, RunbookName, WillRun};
use serde_json::json;

use super::{PlanRunError, plan_run};
use crate::testing::World;
use crate::{PlanCreate, RunbookOn, ServerRead, publish_runbook};

async fn plan(world: &World, who: &str, runbook: &str, wanted: MakePlan) -> Result<PlanView, PlanRunError> {
    let caller = world.caller(who).await;
    let runbook: RunbookName = runbook.parse().unwrap();
    let permit = world
        .app
        .permit_on::<PlanCreate, RunbookOn>(&caller, &runbook)
        .await
        .unwrap();
    plan_run(&permit, &wanted).await
}

async fn publish(world: &World, source: &str) {
    let admin = world.caller("admin").await;
    let permit = world.app.permit::<crate::RunbookPublish>(&admin).await.unwrap();
    publish_runbook(&permit, source).await.unwrap();
}

fn step<'a>(view: &'a PlanView, job: &str, target: &str, step: &str) -> &'a PlannedStep {
    let found = view.plan.steps.iter().find(|planned| {
        planned.job.as_str() == job && planned.target.name.as_str() == target && planned.step.as_str() == step
    });
    found.unwrap_or_else(|| panic!("no {job}/{target}/{step}"))
}

#[tokio::test]
async fn a_plan_freezes_what_is_read_and_predicts_what_would_change() {
    let world = World::new().await;
    let view = plan(&world, "ana", "patch-security", MakePlan::default())
        .await
        .unwrap();
    let waves: Vec<Vec<&str>> = view.plan.jobs[1]
        .waves
        .iter()
        .map(|wave| wave.iter().map(|lane| lane.name.as_str()).collect())
        .collect();
    assert_eq!(waves, [vec!["stage-1"], vec!["web-1"], vec!["web-2"]]);
    let set = step(&view, "plan", "web-1", "set");
    let packages = json!([{"name": "openssl", "from": "3.0.1", "to": "3.0.2", "security": true}]);
    assert_eq!(set.output.as_ref().unwrap()["packages"], packages);
    let apply = step(&view, "rollout", "web-1", "apply");
    assert_eq!(
        apply.input,
        Some(json!({"set": packages})),
        "the frozen output feeds the next job"
    );
    assert_eq!(apply.change.as_ref().unwrap().summary, "pkg.apply on web-1");
    assert!(matches!(
        apply.decision.as_ref().unwrap().kind,
        DecisionKind::NeedsApproval { .. }
    ));
    let DecisionKind::NeedsApproval { missing, .. } = &apply.decision.as_ref().unwrap().kind else {
        panic!()
    };
    let candidates: Vec<&str> = missing[0].candidates.iter().map(|name| name.as_str()).collect();
    assert_eq!(candidates, ["ben", "cho"]);
    assert!(
        step(&view, "rollout", "stage-1", "apply")
            .decision
            .as_ref()
            .unwrap()
            .is_allow()
    );
    let reboot = step(&view, "rollout", "web-1", "reboot");
    assert!(
        matches!(&reboot.will_run, WillRun::Depends { on } if on.contains("apply")),
        "{:?}",
        reboot.will_run
    );
    assert_eq!(view.summary.servers, 3);
    assert_eq!(view.summary.changes, 3);
    let facts = world
        .servers
        .asked()
        .iter()
        .filter(|asked| asked.starts_with("host.facts"))
        .count();
    assert!(
        facts >= 3,
        "the runbook wants facts that are younger than ten minutes"
    );
}

#[tokio::test]
async fn planning_again_gives_the_same_digest_until_something_changes() {
    let world = World::new().await;
    let first = plan(&world, "ana", "patch-security", MakePlan::default())
        .await
        .unwrap();
    world.clock.advance(clawd_model::DurationMs::from_secs(60));
    let second = plan(&world, "ana", "patch-security", MakePlan::default())
        .await
        .unwrap();
    assert_eq!(first.digest, second.digest);
    assert_ne!(first.plan.at, second.plan.at);
    world.servers.release();
    let third = plan(&world, "ana", "patch-security", MakePlan::default())
        .await
        .unwrap();
    assert_ne!(first.digest, third.digest);
}

#[tokio::test]
async fn a_server_that_is_down_costs_one_question_and_spoils_only_its_own_lane() {
    let world = World::new().await;
    // Facts first, so that only steps are counted below.
    let ana = world.caller("ana").await;
    for (server, _) in crate::testing::SERVERS {
        let permit = world
            .app
            .permit_on::<ServerRead, _>(&ana, &server.parse().unwrap())
            .await
            .unwrap();
        crate::refresh_facts(&permit).await.unwrap();
    }
    world.servers.take_down("web-1");
    let before = world.servers.asked().len();
    let view = plan(&world, "ana", "patch-security", MakePlan::default())
        .await
        .unwrap();
    let asked = world.servers.asked();
    let web_1 = asked
        .iter()
        .skip(before)
        .filter(|asked| asked.ends_with("web-1"))
        .count();
    assert_eq!(web_1, 1, "{asked:?}");
    let set = step(&view, "plan", "web-1", "set");
    assert_eq!(set.error.as_ref().unwrap().kind, ErrorKind::Connection);
    let apply = step(&view, "rollout", "web-1", "apply");
    assert!(matches!(&apply.will_run, WillRun::Depends { on } if on.contains("could not be predicted")));
    assert!(step(&view, "rollout", "web-2", "apply").change.is_some());
    assert!(view.summary.errors >= 1);
}

#[tokio::test]
async fn what_the_gate_denies_is_not_looked_at() {
    let world = World::new().await;
    let view = plan(&world, "ben", "patch-security", MakePlan::default())
        .await
        .unwrap();
    let apply = step(&view, "rollout", "stage-1", "apply");
    assert_eq!(apply.decision.as_ref().unwrap().kind, DecisionKind::Deny);
    assert_eq!(apply.change, None);
    assert!(
        !world
            .servers
            .asked()
            .iter()
            .any(|asked| asked.starts_with("pkg.apply"))
    );
    assert!(
        step(&view, "plan", "stage-1", "set").output.is_some(),
        "on-call may look"
    );
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_with_what_is_wrong() {
    let world = World::new().await;
    let on = |on: &str| MakePlan {
        on: Some(on.to_owned()),
        ..MakePlan::default()
    };
    let error = plan(&world, "ana", "patch-security", on("role="))
        .await
        .unwrap_err();
    assert!(matches!(error, PlanRunError::Selector { .. }), "{error}");
    let error = plan(&world, "ana", "patch-security", on("role=database"))
        .await
        .unwrap_err();
    assert_eq!(error.to_string(), "no server matches `role=database`");
    let inputs = MakePlan {
        inputs: json!({"reboot": "sometimes", "colour": "red"}),
        ..MakePlan::default()
    };
    let error = plan(&world, "ana", "patch-security", inputs).await.unwrap_err();
    let PlanRunError::Inputs { problems, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(problems.len(), 2, "all problems at once: {problems:?}");
    let view = plan(&world, "ana", "patch-security", on("env=staging"))
        .await
        .unwrap();
    assert_eq!(view.summary.servers, 1);
}

const CONDITIONS: &str = r#"
apiVersion: clawd.dev/v1
kind: Runbook
metadata: {name: conditions}
inputs: {deep: {type: boolean, default: false}}
targets: {selector: "env=staging"}
jobs:
  look:
    steps: [{id: set, uses: pkg.plan@v1}]
  skipped:
    needs: [look]
    if: "${{ inputs.deep }}"
    steps: [{id: facts, uses: host.facts@v1}]
  work:
    needs: [look, skipped]
    approval: {quorum: 1}
    steps:
      - {id: never, uses: host.facts@v1, if: "${{ size(jobs.look.set.packages) == 0 }}"}
      - {id: apply, uses: pkg.apply@v1, with: {set: "${{ jobs.look.set.packages }}"}}
      - {id: after, uses: shell@v1, with: {argv: [echo, "reboot: ${{ steps.apply.reboot_required }}"]}}
    rescue: [{id: alarm, uses: notify@v1, with: {to: ops, text: "failed"}}]
    always: [{id: done, uses: notify@v1, with: {to: ops, text: "done"}}]
"#;

#[tokio::test]
async fn conditions_decide_what_runs_and_a_runbook_can_ask_for_more_votes() {
    let world = World::new().await;
    publish(&world, CONDITIONS).await;
    let view = plan(&world, "ana", "conditions", MakePlan::default())
        .await
        .unwrap();
    assert!(matches!(
        step(&view, "skipped", "stage-1", "facts").will_run,
        WillRun::No { .. }
    ));
    let never = step(&view, "work", "stage-1", "never");
    assert!(matches!(&never.will_run, WillRun::No { condition } if condition.contains("size")));
    assert_eq!(never.decision, None);
    let apply = step(&view, "work", "stage-1", "apply");
    assert_eq!(apply.will_run, WillRun::Yes);
    let DecisionKind::NeedsApproval { missing, .. } = &apply.decision.as_ref().unwrap().kind else {
        panic!("{:?}", apply.decision)
    };
    assert_eq!(missing[0].distinct, 1);
    assert!(
        !missing[0].candidates.iter().any(|name| name.as_str() == "ana"),
        "not the requester"
    );
    assert!(apply.change.is_some(), "people vote on what would change");
    let after = step(&view, "work", "stage-1", "after");
    assert!(
        matches!(&after.will_run, WillRun::Depends { on } if on.contains("apply")),
        "{:?}",
        after.will_run
    );
    assert!(matches!(
        step(&view, "work", "stage-1", "alarm").will_run,
        WillRun::Depends { .. }
    ));
    assert_eq!(step(&view, "work", "stage-1", "done").will_run, WillRun::Yes);
}
