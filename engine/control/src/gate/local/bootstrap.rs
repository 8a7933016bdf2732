//! The first things of a tenant: its first principal, the policies and the runbooks that ship.

use std::collections::BTreeSet;
use std::sync::Arc;

use clawd_audit::Draft;
use clawd_model::{GroupName, Principal, PrincipalKind, PrincipalName, Problem, RunbookName, TenantName};
use clawd_policy::Bundle;
use clawd_store::{ReadError, TenantStore, WriteError};
use serde_json::{Value, json};

use super::{ACTOR, LocalOperator};

/// What a new tenant begins with.
#[derive(Clone, Debug)]
pub struct Bootstrap {
    /// Its name.
    pub tenant: TenantName,
    /// The short name of its first principal, a person.
    pub admin: PrincipalName,
    /// The name to show.
    pub display_name: String,
    /// The first principal's groups; `admin` is always among them.
    pub groups: BTreeSet<GroupName>,
}

/// What was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bootstrapped {
    /// Whether the tenant was not there before.
    pub created: bool,
    /// Runbooks that were published.
    pub runbooks: Vec<RunbookName>,
    /// Runbooks that ship and need operations which this process does not have.
    pub skipped: Vec<String>,
}

/// A tenant could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum BootstrapError {
    /// The policies that ship do not fit the operations of this process.
    #[error("the policies that ship cannot be used: {}", .0.first().map_or("", |problem| &problem.message))]
    Policies(Vec<Problem>),
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

fn draft(kind: &'static str, subject: String, data: Value) -> Draft {
    Draft {
        kind,
        actor: ACTOR.to_owned(),
        run: None,
        subject,
        data,
    }
}

impl LocalOperator {
    /// Makes a tenant with its first principal, the baseline policies and the runbooks that ship. Each of these is
    /// made only if it is missing, so that a start that was cut off is completed by the next one.
    ///
    /// # Errors
    /// When the policies that ship do not fit, or the store fails.
    pub async fn bootstrap(&self, wanted: &Bootstrap) -> Result<Bootstrapped, BootstrapError> {
        let store = &self.0.parts.store;
        let mut made = Bootstrapped {
            created: !store.tenants().await?.contains(&wanted.tenant),
            ..Bootstrapped::default()
        };
        if made.created {
            let record = draft("tenant.created", format!("tenant/{}", wanted.tenant), json!({}));
            store.create_tenant(wanted.tenant.clone(), &[record]).await?;
        }
        let tenant = store.tenant(wanted.tenant.clone());
        self.first_principal(&tenant, wanted).await?;
        self.first_policies(&tenant, wanted).await?;
        self.first_runbooks(&tenant, wanted, &mut made).await?;
        Ok(made)
    }

    async fn first_principal(&self, tenant: &TenantStore, wanted: &Bootstrap) -> Result<(), BootstrapError> {
        if !tenant.principals().await?.is_empty() {
            return Ok(());
        }
        let mut groups = wanted.groups.clone();
        groups.extend("admin".parse());
        let principal = Principal {
            tenant: wanted.tenant.clone(),
            kind: PrincipalKind::User,
            name: wanted.admin.clone(),
            display_name: wanted.display_name.clone(),
            groups: groups.into_iter().collect(),
            operator: None,
            disabled: false,
        };
        let data = json!({"kind": principal.kind, "groups": principal.groups});
        tenant
            .put_principal(
                &principal,
                &[draft(
                    "principal.created",
                    format!("principal/{}", wanted.admin),
                    data,
                )],
            )
            .await?;
        Ok(())
    }

    async fn first_policies(&self, tenant: &TenantStore, wanted: &Bootstrap) -> Result<(), BootstrapError> {
        if tenant.bundle().await?.is_some() {
            return Ok(());
        }
        let files = clawd_policy::library::baseline();
        let vocabulary = self.0.vocabulary(tenant.groups().await?);
        let bundle = Bundle::load(&files, &vocabulary).map_err(BootstrapError::Policies)?;
        let digest = bundle.digest();
        let record = draft(
            "policy.published",
            format!("bundle/{digest}"),
            json!({"pack": "baseline"}),
        );
        tenant
            .publish_bundle(digest, &files, &wanted.admin, &[record])
            .await?;
        self.0.policies().put(wanted.tenant.clone(), Arc::new(bundle));
        Ok(())
    }

    async fn first_runbooks(
        &self,
        tenant: &TenantStore,
        wanted: &Bootstrap,
        made: &mut Bootstrapped,
    ) -> Result<(), BootstrapError> {
        for (name, source) in clawd_workflow::library::runbooks() {
            let Some(workflow) = clawd_workflow::check(source, self.0.registry().specs()).workflow else {
                made.skipped.push((*name).to_owned());
                continue;
            };
            if tenant.runbook(&workflow.name).await?.is_some() {
                continue;
            }
            let record = draft(
                "runbook.published",
                format!("runbook/{}", workflow.name),
                json!({"digest": workflow.digest}),
            );
            tenant
                .publish_runbook(&workflow.name, workflow.digest, source, &wanted.admin, &[record])
                .await?;
            made.runbooks.push(workflow.name);
        }
        Ok(())
    }
}
