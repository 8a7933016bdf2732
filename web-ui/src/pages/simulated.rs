//! Which runs and requests are about simulated servers: those are labelled so everywhere.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use clawd_control::{PlannedRun, Refused, RunRead, show_plan};
use clawd_model::api::RunSummary;
use clawd_model::{Digest, ServerName, ServerProvider, TenantName};

use super::plan::{Providers, providers};
use super::runs::run_row;
use crate::door::{Failure, Visitor, Web};
use crate::view::fleet::Simulated;
use crate::view::runs::RunRow;

/// How many plans are remembered.
const REMEMBERED_MAX: usize = 4096;

/// What plans came to. A plan never changes, and lists show the same ones again and again.
#[derive(Default)]
pub(crate) struct Remembered(Mutex<HashMap<(TenantName, Digest), Option<Simulated>>>);

/// How many of these servers are simulated; what is no server counts as none.
pub(super) fn among<'a>(
    names: impl IntoIterator<Item = &'a ServerName>,
    providers: &Providers,
) -> Option<Simulated> {
    let (mut simulated, mut real) = (false, false);
    for name in names {
        match providers.get(name) {
            Some(ServerProvider::Sim) => simulated = true,
            Some(ServerProvider::Ssh | ServerProvider::Local) => real = true,
            None => {}
        }
    }
    simulated.then_some(if real {
        Simulated::Partly
    } else {
        Simulated::Wholly
    })
}

/// Runs as lists show them.
pub(super) async fn run_rows(
    web: &Web,
    visitor: &Visitor,
    runs: &[RunSummary],
) -> Result<Vec<RunRow>, Failure> {
    let providers = providers(web, visitor).await?;
    let any = providers
        .values()
        .any(|provider| *provider == ServerProvider::Sim);
    let mut rows = Vec::with_capacity(runs.len());
    for run in runs {
        let simulated = match any {
            true => of_plan(web, visitor, run.plan, &providers).await?,
            false => None,
        };
        rows.push(run_row(run, simulated));
    }
    Ok(rows)
}

async fn of_plan(
    web: &Web,
    visitor: &Visitor,
    digest: Digest,
    providers: &Providers,
) -> Result<Option<Simulated>, Failure> {
    let key = (visitor.caller.tenant().clone(), digest);
    let known = {
        let remembered = web.simulated.0.lock().unwrap_or_else(PoisonError::into_inner);
        remembered.get(&key).copied()
    };
    if let Some(known) = known {
        return Ok(known);
    }
    // Who sees a run sees its plan, as a rule: it is asked for as a run of the same runbook and the same person.
    let permit = web.app.permit_on::<RunRead, PlannedRun>(&visitor.caller, &digest);
    let plan = match permit.await {
        Ok(permit) => show_plan(&permit).plan,
        Err(Refused::NotFound { .. } | Refused::Denied { .. }) => return Ok(None),
        Err(error) => return Err(Failure::refused(error)),
    };
    let targets = plan.jobs.iter().flat_map(|job| job.waves.iter().flatten());
    let found = among(targets.map(|target| &target.name), providers);
    let mut remembered = web.simulated.0.lock().unwrap_or_else(PoisonError::into_inner);
    if remembered.len() >= REMEMBERED_MAX {
        remembered.clear();
    }
    remembered.insert(key, found);
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mixture_is_called_one() {
        let name = |text: &str| text.parse::<ServerName>().unwrap();
        let (sim, ssh, gone) = (name("sim-1"), name("ssh-1"), name("gone-1"));
        let providers = Providers::from([
            (sim.clone(), ServerProvider::Sim),
            (ssh.clone(), ServerProvider::Ssh),
        ]);
        assert_eq!(among([&sim, &gone], &providers), Some(Simulated::Wholly));
        assert_eq!(among([&sim, &ssh], &providers), Some(Simulated::Partly));
        assert_eq!(among([&ssh], &providers), None);
        assert_eq!(among([&gone], &providers), None);
    }
}
