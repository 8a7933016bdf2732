//! Facts that are older than the runbook accepts are read anew before the plan is made.

use std::collections::BTreeMap;
use std::sync::Arc;

use clawd_model::{DurationMs, Server, ServerId};
use tokio::sync::Semaphore;

use super::Question;
use super::targets::Expanded;
use crate::gate::{Permit, PlanCreate, RunbookOn};
use crate::refresh_facts::read_facts;

/// Reads what is too old. A server that does not answer is found out by its steps, so nothing is reported here.
pub(super) async fn refresh(
    permit: &Permit<PlanCreate, RunbookOn>,
    question: &Question,
    targets: &Expanded,
    slots: &Semaphore,
) {
    let reads = stale(permit, question, targets)
        .into_values()
        .map(|server| async move {
            let _slot = slots.acquire().await;
            if let Err(error) = read_facts(permit, &server).await {
                tracing::info!(server = %server.name, %error, "facts could not be read anew");
            }
        });
    futures::future::join_all(reads).await;
}

fn stale(
    permit: &Permit<PlanCreate, RunbookOn>,
    question: &Question,
    targets: &Expanded,
) -> BTreeMap<ServerId, Arc<Server>> {
    let now = permit.app().now();
    let mut stale = BTreeMap::new();
    for (index, job) in (0_u16..).zip(&question.workflow.jobs) {
        let Some(max_age) = job.facts_max_age else {
            continue;
        };
        for id in targets.lanes(index).filter_map(|lane| lane.server) {
            let Some(server) = targets.servers.get(&id) else {
                continue;
            };
            if is_stale(server, max_age, now) {
                stale.insert(id, Arc::clone(server));
            }
        }
    }
    stale
}

fn is_stale(server: &Server, max_age: DurationMs, now: clawd_model::Timestamp) -> bool {
    server
        .facts
        .as_ref()
        .is_none_or(|facts| now.since(facts.at) > max_age)
}
