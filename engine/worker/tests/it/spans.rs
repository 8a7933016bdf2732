//! What a run does is traced under it: run, step, attempt.

use std::sync::{Arc, Mutex};

use clawd_model::RunStatus;
use tracing::Subscriber;
use tracing::span::{Attributes, Id};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;

use crate::fixture::Fixture;
use crate::world::Hold;

/// The names of each span and of those around it, innermost first.
#[derive(Clone, Default)]
struct Chains(Arc<Mutex<Vec<Vec<&'static str>>>>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Chains {
    fn on_new_span(&self, _: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let scope = context.span_scope(id).unwrap();
        self.0
            .lock()
            .unwrap()
            .push(scope.map(|span| span.name()).collect());
    }
}

impl Chains {
    fn of(&self, name: &str) -> Vec<Vec<&'static str>> {
        let chains = self.0.lock().unwrap();
        chains.iter().filter(|chain| chain[0] == name).cloned().collect()
    }
}

// On one thread, where the subscriber is.
#[tokio::test]
async fn attempts_and_checks_are_traced_under_their_step_and_run() {
    let chains = Chains::default();
    let _traced = tracing::subscriber::set_default(tracing_subscriber::registry().with(chains.clone()));
    let fixture = Fixture::new().await;
    fixture.servers(1, "dev").await;
    let worker = fixture.worker().await;
    // The first attempt begins with the run, the second after it, the third when the run is taken up again.
    let yaml = "
targets: {selector: role=web}
jobs:
  first: {targets: controller, steps: [{id: a, uses: look@v1}]}
  second: {needs: [first], steps: [{id: b, uses: reattach@v1}]}
";
    let new = fixture.run_of(yaml).await;
    let run = new.run;
    fixture.world.hold(Hold::AfterTheEffect);
    worker.admit(new).await.unwrap();
    fixture.world.stopped(1).await;
    fixture.world.hold(Hold::AfterTheEffect);
    fixture.world.stopped(2).await;
    worker.shutdown().await;
    let second = fixture.worker().await;
    second.join(run).await;
    assert_eq!(fixture.row(run).await.status, RunStatus::Succeeded);
    assert_eq!(
        chains.of("attempt"),
        [["attempt", "step", "run"], ["attempt", "step", "run"]]
    );
    assert_eq!(chains.of("check"), [["check", "step", "run"]]);
    assert_eq!(chains.of("recover"), [["recover", "step", "run"]]);
}
