//! The suite that every provider passes, over a real sshd. What needs systemd, or would change packages or restart the
//! machine that runs the tests, keeps the rules that change nothing here; the rest of it is tested on hosts of the lab.

use std::sync::Arc;

use clawd_model::OperationSpec;
use clawd_provider::conformance::{
    Case, all, check_only_looks, description_is_sane, input_is_guarded, never_started_is_not_found,
};
use clawd_provider::{DiscardOutput, Operation, Registry};
use clawd_provider_host::{
    FileWrite, HostFacts, HostReboot, PkgApply, PkgPlan, ServiceState, Shell, register,
};
use serde_json::{Value, json};

use super::sshd::Sshd;

fn case(sshd: &Sshd, operation: impl Operation + 'static, input: Value) -> Case {
    Case::new(Arc::new(operation), sshd.context(Arc::new(DiscardOutput)), input)
}

/// As many effects as a file has lines.
fn lines(path: String) -> impl Fn() -> usize + Send + Sync + 'static {
    move || std::fs::read_to_string(&path).map_or(0, |text| text.lines().count())
}

#[tokio::test]
async fn shell() {
    let sshd = Sshd::start();
    let trace = sshd.path("trace");
    let argv = json!(["sh", "-c", "echo once >>\"$1\"", "sh", trace]);
    let creates = json!({"argv": argv, "creates": trace});
    all(&case(&sshd, Shell::new(sshd.hosts()), creates).counting(lines(trace)))
        .await
        .unwrap();

    let sshd = Sshd::start();
    let trace = sshd.path("trace");
    let argv = json!(["sh", "-c", "echo once >>\"$1\"", "sh", trace]);
    let act = json!({ "argv": argv });
    let act = case(&sshd, Shell::new(sshd.hosts()), act).repeating();
    all(&act.counting(lines(trace))).await.unwrap();
}

/// What `unless` does is counted: a check that asked it would have an effect.
#[tokio::test]
async fn unless_is_no_part_of_a_check() {
    let sshd = Sshd::start();
    let trace = sshd.path("trace");
    let unless = json!(["sh", "-c", "echo asked >>\"$1\"; false", "sh", trace]);
    let input = json!({"argv": ["true"], "unless": unless});
    let case = case(&sshd, Shell::new(sshd.hosts()), input).repeating();
    check_only_looks(&case.counting(lines(trace))).await.unwrap();
}

#[tokio::test]
async fn file_write() {
    let sshd = Sshd::start();
    let path = sshd.path("written");
    let input = json!({"path": path, "content": "one line\n", "mode": "0640"});
    all(&case(&sshd, FileWrite::new(sshd.hosts()), input).counting(lines(path)))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_only_looks() {
    let sshd = Sshd::start();
    all(&case(&sshd, HostFacts::new(sshd.hosts()), json!({})))
        .await
        .unwrap();
    // Simulating all of what may be a whole release takes too long here.
    let input = json!({"classes": ["all"], "exclude": ["*"]});
    all(&case(&sshd, PkgPlan::without_refresh(sshd.hosts()), input))
        .await
        .unwrap();
}

#[tokio::test]
async fn what_would_change_this_machine() {
    let sshd = Sshd::start();
    let package = json!({"name": "no-such-package", "from": "1.0", "to": "1.1", "security": true});
    for case in [
        case(&sshd, PkgApply::new(sshd.hosts()), json!({"set": [package]})),
        case(&sshd, HostReboot::new(sshd.hosts()), json!({"when": "always"})),
    ] {
        description_is_sane(&case).unwrap();
        input_is_guarded(&case).await.unwrap();
        check_only_looks(&case).await.unwrap();
        never_started_is_not_found(&case).await.unwrap();
    }
    all(&case(&sshd, PkgApply::new(sshd.hosts()), json!({"set": []})))
        .await
        .unwrap();
    let service = json!({"name": "no-such-unit", "state": "running"});
    let service = case(&sshd, ServiceState::new(sshd.hosts()), service);
    description_is_sane(&service).unwrap();
    input_is_guarded(&service).await.unwrap();
    never_started_is_not_found(&service).await.unwrap();
}

/// Whatever stands in any field of any operation, looking at it runs none of it.
#[tokio::test]
async fn no_check_runs_what_the_input_says() {
    let sshd = Sshd::start();
    let mut registry = Registry::default();
    register(&mut registry, &sshd.hosts()).unwrap();
    let trap = sshd.path("trap");
    let server = sshd.server();
    let mut tried = 0;
    for spec in registry.specs().values() {
        let operation = registry.resolve(&spec.name, Some(&server)).unwrap();
        if spec.name.as_str() == "pkg.plan@v1" {
            // It would refresh the lists of the machine that runs the tests.
            continue;
        }
        for (field, shape) in spec.input["properties"].as_object().unwrap() {
            for bait in baits(shape, &trap) {
                let mut input = sample(spec, &sshd);
                input[field] = bait;
                let context = sshd.context(Arc::new(DiscardOutput));
                // Whether it is refused does not matter here.
                let _ = operation.check(&context, &input).await;
                assert!(!std::path::Path::new(&trap).exists(), "{}: {input}", spec.name);
                tried += 1;
            }
        }
    }
    assert!(tried > 20, "{tried}");
}

/// An input that an operation takes.
fn sample(spec: &OperationSpec, sshd: &Sshd) -> Value {
    match spec.name.as_str() {
        "file.write@v1" => json!({"path": sshd.path("x"), "content": ""}),
        "host.facts@v1" => json!({}),
        "host.reboot@v1" => json!({"when": "required"}),
        "pkg.apply@v1" => json!({"set": []}),
        "service.state@v1" => json!({"name": "no-such-unit", "state": "running"}),
        "shell@v1" => json!({"argv": ["true"]}),
        other => panic!("`{other}` needs a sample and a case in this file"),
    }
}

/// Values for a field that leave a trace when somebody runs them, or hands them to a shell.
fn baits(shape: &Value, trap: &str) -> Vec<Value> {
    let words = || {
        let quotes = ["", "'", "\"", "\n", "\\'"];
        let spliced = quotes.map(|quote| format!("{quote}; touch {trap}; {quote}"));
        let substituted = [
            format!("$(touch {trap})"),
            format!("`touch {trap}`"),
            format!("touch {trap}"),
        ];
        spliced.into_iter().chain(substituted)
    };
    match (shape["type"].as_str(), shape["items"]["type"].as_str()) {
        (Some("string"), _) => words().map(Value::from).collect(),
        (Some("array"), Some("string")) => {
            let mut lists: Vec<Value> = words().map(|word| json!([word])).collect();
            lists.push(json!(["touch", trap]));
            lists.push(json!(["sh", "-c", format!("touch {trap}")]));
            lists
        }
        (Some("array"), _) => words()
            .map(|word| json!([{"name": word, "from": "1", "to": word, "security": true}]))
            .collect(),
        _ => Vec::new(),
    }
}
