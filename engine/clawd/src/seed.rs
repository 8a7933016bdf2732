//! What the demo begins with: people, servers, and a second tenant. Made through the API, as anybody would.

use std::collections::BTreeSet;

use clawd_client::Client;
use clawd_control::{Bootstrap, LocalOperator};
use clawd_model::api::{AddServer, PutPrincipal};
use clawd_model::{Labels, PrincipalKind, ServerProvider};
use clawd_provider_sim::demo_fleet;
use futures::future::try_join_all;

use crate::connect::failure;
use crate::exit::Failure;

/// Name, shown name, groups.
const PEOPLE: [(&str, &str, &[&str]); 3] = [
    ("ana", "Ana Kovač", &["operator"]),
    ("ben", "Ben Adeyemi", &["sre", "operator"]),
    ("cho", "Cho Min-ji", &["sre", "viewer"]),
];

/// Makes the three people, unless they are there.
pub(crate) async fn people(admin: &Client) -> Result<(), Failure> {
    let known = admin.principals().await.map_err(failure)?;
    let missing = PEOPLE
        .into_iter()
        .filter(|(name, ..)| !known.items.iter().any(|person| person.name.as_str() == *name));
    try_join_all(missing.map(|(name, display_name, groups)| async move {
        let person = PutPrincipal {
            kind: PrincipalKind::User,
            display_name: display_name.to_owned(),
            groups: groups.iter().filter_map(|group| group.parse().ok()).collect(),
            operator: None,
            disabled: false,
        };
        let name = name.parse().map_err(anyhow::Error::from)?;
        admin.put_principal(&name, &person).await.map_err(failure)
    }))
    .await?;
    Ok(())
}

/// Adds the simulated fleet and this machine, unless they are there: all at once, so that their commits are grouped.
pub(crate) async fn servers(admin: &Client) -> Result<(), Failure> {
    let known = admin.servers(None).await.map_err(failure)?;
    let known: BTreeSet<String> = known.items.iter().map(|server| server.name.to_string()).collect();
    let simulated = demo_fleet().into_iter().map(|server| AddServer {
        name: server.name,
        provider: ServerProvider::Sim,
        address: server.address,
        env: server.env,
        labels: server.labels,
        protected: server.protected,
        identity: None,
        host_key: None,
    });
    let this_machine = AddServer {
        name: "localhost".parse().map_err(anyhow::Error::from)?,
        provider: ServerProvider::Local,
        address: "this machine".to_owned(),
        env: "local".to_owned(),
        labels: Labels::from([("role".to_owned(), "controller".to_owned())]),
        protected: true,
        identity: None,
        host_key: None,
    };
    let missing = simulated
        .chain([this_machine])
        .filter(|server| !known.contains(server.name.as_str()));
    try_join_all(missing.map(|server| async move {
        admin.add_server(&server, None).await.map_err(failure)?;
        admin.refresh_facts(&server.name).await.map_err(failure)
    }))
    .await?;
    Ok(())
}

/// A second tenant, which sees nothing of the first.
pub(crate) async fn other_tenant(operator: &LocalOperator) -> Result<(), Failure> {
    let acme = Bootstrap {
        tenant: "acme".parse().map_err(anyhow::Error::from)?,
        admin: "dora".parse().map_err(anyhow::Error::from)?,
        display_name: "Dora Novak".to_owned(),
        groups: BTreeSet::new(),
    };
    operator.bootstrap(&acme).await.map_err(anyhow::Error::from)?;
    Ok(())
}
