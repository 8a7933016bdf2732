//! Joins the use cases to what they may not import: the worker drives runs, the SSH transport asks for host keys.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use clawd_control::{AdmitError, HostProbe, NewRun, ProbeError, RunDriver};
use clawd_model::api::HostKey;
use clawd_model::{RunId, TenantName};
use clawd_worker::{AdmitError as WorkerError, Worker};
use tokio::sync::OnceCell;

/// The worker, as the use cases see it. It is started after the policies are in force, hence the cell.
#[derive(Clone, Default)]
pub(crate) struct Driver(pub(crate) Arc<OnceCell<Worker>>);

#[async_trait]
impl RunDriver for Driver {
    async fn admit(&self, run: NewRun) -> Result<(), AdmitError> {
        let worker = self.0.get().ok_or(AdmitError::Unavailable)?;
        let new = clawd_worker::NewRun {
            run: run.run,
            tenant: run.tenant,
            workflow: run.workflow,
            plan: run.plan,
            plan_digest: run.plan_digest,
            requester: run.requester,
            requester_kind: run.requester_kind,
            audit: run.audit,
        };
        worker.admit(new).await.map_err(|error| match error {
            WorkerError::NoLease | WorkerError::Stopping => AdmitError::Unavailable,
            other => AdmitError::Store(Box::new(other)),
        })
    }

    fn wake(&self, run: RunId) {
        if let Some(worker) = self.0.get() {
            worker.wake(run);
        }
    }

    fn policies_changed(&self, tenant: &TenantName) {
        if let Some(worker) = self.0.get() {
            worker.rules_changed(tenant);
        }
    }
}

/// How long a machine has for presenting its host key.
const PROBE_LIMIT: Duration = Duration::from_secs(15);

/// Asks machines for their host keys over SSH.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SshProbe;

#[async_trait]
impl HostProbe for SshProbe {
    async fn host_key(&self, address: &str) -> Result<HostKey, ProbeError> {
        match clawd_provider_host::probe_host_key(address, PROBE_LIMIT).await {
            Ok(key) => Ok(HostKey {
                algorithm: key.algorithm,
                fingerprint: key.fingerprint,
                line: key.line,
            }),
            Err(error) if error.kind == clawd_model::ErrorKind::InvalidInput => {
                Err(ProbeError::Address(error.message))
            }
            Err(error) => Err(ProbeError::Unreachable(error.message)),
        }
    }
}
