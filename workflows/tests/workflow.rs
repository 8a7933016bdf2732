//! A workflow in use: what the engine asks of it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "tests fail by panicking"
)]

mod shipped;

use std::collections::BTreeMap;

use clawd_model::{SeededEntropy, Server, ServerId, ServerProvider, StepRef, Timestamp};
use clawd_workflow::{Evaluated, Lookup, Scope, Section, Selector, Truth, Workflow, check, library};
use serde_json::{Value, json};

fn workflow(source: &str) -> Workflow {
    let checked = check(source, &shipped::specs());
    checked
        .workflow
        .unwrap_or_else(|| panic!("{:?}", checked.problems))
}

/// A lane on `web-1`, with the outputs of steps by `step` and `job/step`.
#[derive(Default)]
struct Lane(BTreeMap<&'static str, Value>, Value);

impl Scope for Lane {
    fn inputs(&self) -> Lookup {
        Lookup::Value(self.1.clone())
    }

    fn step(&self, step: &str) -> Lookup {
        self.0
            .get(step)
            .map_or(Lookup::Unknown(format!("steps.{step}")), |value| {
                Lookup::Value(value.clone())
            })
    }

    fn job_step(&self, job: &str, step: &str) -> Lookup {
        let key = format!("{job}/{step}");
        let known = self.0.get(key.as_str());
        known.map_or(Lookup::Unknown(format!("jobs.{job}.{step}")), |value| {
            Lookup::Value(value.clone())
        })
    }

    fn server(&self) -> Lookup {
        Lookup::Value(json!({"name": "web-1", "env": "prod", "labels": {"gpu-kind": "none"}}))
    }

    fn run(&self) -> Lookup {
        Lookup::Value(json!({"id": "run_1", "requester": "ana"}))
    }
}

fn server(name: &str, env: &str, role: &str) -> Server {
    let seed = name.bytes().fold(7_u64, |seed, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    Server {
        id: ServerId::new(Timestamp(0), &SeededEntropy::new(seed)),
        tenant: "demo".parse().unwrap(),
        name: name.parse().unwrap(),
        provider: ServerProvider::Sim,
        address: String::new(),
        env: env.to_owned(),
        labels: BTreeMap::from([("role".to_owned(), role.to_owned())]),
        protected: false,
        host_key: None,
        identity: None,
        facts: None,
        version: 1,
    }
}

#[test]
fn the_library_patches_in_waves_and_reboots_where_it_is_needed() {
    let source = library::runbooks()
        .iter()
        .find(|(name, _)| *name == "patch-security")
        .unwrap()
        .1;
    let workflow = workflow(source);
    let order: Vec<&str> = workflow
        .order
        .iter()
        .map(|job| workflow.jobs[usize::from(*job)].name.as_str())
        .collect();
    assert_eq!(order, ["plan", "rollout", "report"]);
    let inputs = workflow.complete_inputs(&json!({})).unwrap();
    assert_eq!(inputs, json!({"reboot": "if-needed", "channel": "ops"}));

    let mut fleet: Vec<Server> = (1..=9)
        .map(|number| server(&format!("web-{number}"), "prod", "web"))
        .collect();
    fleet.extend([server("stage-1", "staging", "web"), server("db-1", "prod", "db")]);
    let rollout = &workflow.jobs[usize::from(workflow.job_index("rollout").unwrap())];
    let sizes: Vec<usize> = rollout.waves(&fleet, None).iter().map(Vec::len).collect();
    assert_eq!(sizes, [1, 1, 4, 4], "staging, one, half of nine, the rest");
    assert_eq!(rollout.waves(&fleet, None)[0][0].name.as_str(), "stage-1");
    let report = &workflow.jobs[2];
    assert_eq!(report.waves(&fleet, None)[0][0].server, None);

    let packages = json!([{"name": "openssl", "from": "1", "to": "2", "security": true}]);
    let mut lane = Lane(
        BTreeMap::from([("plan/set", json!({"packages": packages, "kept_back": []}))]),
        inputs,
    );
    assert_eq!(
        rollout.steps[0].with.render(&lane),
        Ok(Evaluated::Value(json!({"set": packages})))
    );
    let reboot = rollout.steps[1].condition.as_ref().unwrap();
    assert_eq!(
        reboot.holds(&lane),
        Ok(Truth::DependsOn("steps.apply".to_owned()))
    );
    lane.0.insert(
        "apply",
        json!({"reboot_required": true, "before": [], "after": []}),
    );
    assert_eq!(reboot.holds(&lane), Ok(Truth::True));
    lane.1["reboot"] = json!("never");
    assert_eq!(reboot.holds(&lane), Ok(Truth::False));
    assert_eq!(rollout.section(1), Section::Steps);
    assert_eq!(rollout.section(rollout.rescue_from), Section::Rescue);
    assert_eq!(rollout.section(rollout.always_from), Section::Always);
    lane.0.insert("health", Value::Null);
    let tell = rollout.steps.last().unwrap().with.render(&lane);
    assert_eq!(
        tell,
        Ok(Evaluated::Value(
            json!({"to": "ops", "text": "web-1: not patched"})
        ))
    );
}

#[test]
fn a_choice_of_servers_replaces_the_runbooks_and_narrows_the_jobs_own() {
    let workflow = workflow(
        "apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {name: x}\ntargets: {selector: role=web}\njobs:\n  \
         web: {steps: [{uses: host.facts@v1}]}\n  \
         balancers: {targets: {selector: role=lb}, steps: [{uses: host.facts@v1}]}\n",
    );
    let fleet = [
        server("web-1", "prod", "web"),
        server("web-2", "lab", "web"),
        server("lb-1", "lab", "lb"),
    ];
    let names = |job: usize, instead: Option<&str>| {
        let instead = instead.map(|text| Selector::parse(text).unwrap());
        let waves = workflow.jobs[job].waves(&fleet, instead.as_ref());
        waves
            .concat()
            .iter()
            .map(|lane| lane.name.as_str().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        (names(0, None), names(1, None)),
        (vec!["web-1".into(), "web-2".into()], vec!["lb-1".into()])
    );
    assert_eq!(
        (names(0, Some("env=lab")), names(1, Some("env=lab"))),
        (vec!["lb-1".into(), "web-2".into()], vec!["lb-1".into()])
    );
    assert_eq!(
        (names(0, Some("name=web-1")), names(1, Some("name=web-1"))),
        (vec!["web-1".into()], vec![])
    );
}

#[test]
fn outputs_of_jobs_lead_to_the_outputs_of_their_steps() {
    let workflow = workflow(include_str!("accept/everything.yaml"));
    let middle = &workflow.jobs[usize::from(workflow.job_index("middle").unwrap())];
    let apply = middle
        .steps
        .iter()
        .find(|step| step.name.as_str() == "apply")
        .unwrap();
    let mut lane = Lane::default();
    let unknown = Evaluated::DependsOn("jobs.first.ask".to_owned());
    assert_eq!(apply.with.render(&lane), Ok(unknown));
    lane.0.insert("first/ask", json!({"value": 42}));
    let content =
        json!({"$concat": ["token: ", {"$secret": "TOKEN"}, "\nanswer: 42\nserver: web-1 in prod, none\n"]});
    assert_eq!(
        apply.with.render(&lane),
        Ok(Evaluated::Value(
            json!({"path": "/etc/x", "content": content, "mode": "0644"})
        ))
    );
    assert_eq!(middle.condition.as_ref().unwrap().holds(&lane), Ok(Truth::True));
}

#[test]
fn a_workflow_tells_what_it_uses() {
    let workflow = workflow(include_str!("accept/everything.yaml"));
    let secrets: Vec<String> = workflow.secrets().iter().map(ToString::to_string).collect();
    assert_eq!(secrets, ["TOKEN"]);
    assert!(
        workflow
            .operations()
            .iter()
            .any(|operation| operation.as_str() == "file.write@v1")
    );
    assert_eq!(workflow.step_label(1, 0), "first/ask");
    assert_eq!(workflow.step_label(9, 9), "?/?");
    let step = workflow
        .step(StepRef {
            job: 0,
            lane: 7,
            step: 1,
        })
        .unwrap();
    assert_eq!(step.name.as_str(), "check_tcp");
    assert_eq!(
        workflow
            .step(StepRef {
                job: 0,
                lane: 0,
                step: 99
            })
            .map(|step| &step.name),
        None
    );
    assert_eq!(workflow.inputs_schema()["required"], json!(["text"]));
    assert_eq!(workflow.complete_inputs(&json!({})).unwrap_err()[0].code, "RB071");
    let lock = workflow
        .lock
        .as_ref()
        .unwrap()
        .render(&Lane(BTreeMap::new(), json!({"choice": "b"})));
    assert_eq!(lock, Ok(Evaluated::Value(json!("env/b"))));
}
