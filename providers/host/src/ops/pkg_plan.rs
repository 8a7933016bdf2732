//! `pkg.plan@v1`: refreshes the package indices and freezes the set of upgrades. Never touches a package.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clawd_model::{OperationSpec, StepError};
use clawd_provider::contract::pkg_plan::{Input, Output, spec};
use clawd_provider::contract::read_input;
use clawd_provider::{Applied, Checked, Context, Operation, ProviderError, Stream};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::output;
use crate::apt;
use crate::host::{ANSWER_MAX, Host, looking};
use crate::hosts::Hosts;
use crate::transport::Request;

/// The pause between two looks at a lock.
const LOCK_PAUSE: Duration = Duration::from_secs(2);

/// Freezes the set of upgrades.
pub struct PkgPlan {
    spec: OperationSpec,
    hosts: Arc<Hosts>,
    refreshes: bool,
}

impl PkgPlan {
    /// On these hosts, with fresh indices.
    #[must_use]
    pub fn new(hosts: Arc<Hosts>) -> Self {
        Self {
            spec: spec(),
            hosts,
            refreshes: true,
        }
    }

    /// On these hosts, by the indices that they have: for hosts where nothing at all may be written.
    #[must_use]
    pub fn without_refresh(hosts: Arc<Hosts>) -> Self {
        Self {
            refreshes: false,
            ..Self::new(hosts)
        }
    }

    async fn read(&self, context: &Context, input: &Value) -> Result<Value, ProviderError> {
        let input: Input = read_input(input)?;
        let host = self.hosts.of_lane(context)?;
        let work = async { Ok(output(&self.plan(&host, context, &input).await?)?) };
        looking(context, &host.place, work).await
    }

    async fn plan(&self, host: &Host, context: &Context, input: &Input) -> Result<Output, StepError> {
        if self.refreshes {
            refresh(host, context).await?;
        }
        let survey = apt::survey(host).await?.ok_or_else(|| apt::no_apt(host))?;
        apt::select(host, &survey, input).await
    }
}

#[async_trait]
impl Operation for PkgPlan {
    fn spec(&self) -> &OperationSpec {
        &self.spec
    }

    async fn check(&self, context: &Context, input: &Value) -> Result<Checked, ProviderError> {
        self.read(context, input).await.map(Checked::Read)
    }

    async fn apply(&self, context: &Context, input: &Value) -> Result<Applied, ProviderError> {
        let output = self.read(context, input).await?;
        Ok(Applied {
            output,
            changed: false,
        })
    }
}

/// `apt-get update`; waits while somebody else does it, for most of the time that there is.
async fn refresh(host: &Host, context: &Context) -> Result<(), StepError> {
    let argv = [
        "apt-get",
        "-q",
        "-o",
        "DPkg::Lock::Timeout=30",
        // Without it, what could not be fetched is a warning and exit code 0: no updates would be seen, and nobody
        // would be told. Older apt does not know the option, hence `apt::unfetched` below.
        "-o",
        "APT::Update::Error-Mode=any",
        "update",
    ];
    let request = Request {
        argv: argv.map(str::to_owned).to_vec(),
        stdin: Vec::new(),
        root: true,
    };
    let patience = Instant::now() + context.timeout.to_std().mul_f32(0.75);
    let mut told = false;
    loop {
        let reply = host
            .stream(&request, ANSWER_MAX, context.output.as_ref())
            .await
            .map_err(|error| host.error(&error))?;
        let said = String::from_utf8_lossy(&reply.stderr).into_owned();
        if let Some(error) = apt::unfetched(&host.place, &said) {
            return Err(error);
        }
        if reply.is_success() {
            return Ok(());
        }
        if !apt::is_locked(&said) || Instant::now() >= patience {
            return Err(apt::complaint(&host.place, &said));
        }
        if !told {
            context
                .output
                .write(Stream::Note, b"waiting for another package manager\n");
            told = true;
        }
        sleep(LOCK_PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use clawd_provider::contract::pkg_plan::Package;

    use super::*;
    use crate::testing::{Lab, exists};

    /// The real apt of this machine, where there is one; nothing is written.
    #[tokio::test]
    async fn this_machine_is_planned_without_a_trace() {
        if !exists("/usr/bin/apt-get") {
            return;
        }
        let lab = Lab::new();
        let status = || {
            std::fs::metadata("/var/lib/dpkg/status")
                .unwrap()
                .modified()
                .unwrap()
        };
        let before = status();
        let plan = PkgPlan::without_refresh(lab.hosts());
        // Simulating all of what may be a whole release takes too long here.
        let input = serde_json::json!({"classes": ["all"], "exclude": ["*"]});
        let output = match plan.check(&lab.context, &input).await {
            Ok(Checked::Read(output)) => serde_json::from_value::<Output>(output).unwrap(),
            other => panic!("{other:?}"),
        };
        assert!(output.packages.is_empty());
        assert!(output.kept_back.is_sorted_by(|a, b| a.name < b.name));
        for kept in &output.kept_back {
            assert_eq!(
                apt::compare(&kept.from, &kept.to),
                std::cmp::Ordering::Less,
                "{kept:?}"
            );
        }
        if let Some(kept) = output.kept_back.first() {
            let package = Package {
                name: kept.name.clone(),
                from: Some(kept.from.clone()),
                to: kept.to.clone(),
                security: false,
            };
            apt::simulate(&lab.host(), &[package]).await.unwrap();
        }
        assert_eq!(status(), before);
    }
}
