//! The fleet.

use std::collections::BTreeMap;

use axum::extract::{Query, State};
use clawd_control::{Class, Explained, ServerRead, list_servers};
use clawd_model::ServerProvider;
use clawd_model::api::ServerView;
use serde::Deserialize;
use serde_json::Value;

use crate::door::{Allowed, Answer, Web, render, sentence};
use crate::view::fleet::{FleetGroup, FleetPage, ServerRow, Updates};
use crate::view::shell::Section;

#[derive(Deserialize)]
pub(crate) struct Which {
    on: Option<String>,
}

/// Lists servers, by environment.
pub(crate) async fn list(
    State(web): State<Web>,
    Allowed { visitor, permit }: Allowed<ServerRead>,
    Query(which): Query<Which>,
) -> Answer {
    let selector = which.on.unwrap_or_default().trim().to_owned();
    let wanted = (!selector.is_empty()).then_some(selector.as_str());
    let all = list_servers(&permit, None).await?.items;
    let total = all.len();
    let (servers, problem) = match wanted {
        None => (all, None),
        Some(_) => match list_servers(&permit, wanted).await {
            Ok(page) => (page.items, None),
            Err(error) if error.class() == Class::Invalid => (all, Some(with_hint(&error))),
            Err(error) => return Err(error.into()),
        },
    };
    let mut groups: BTreeMap<String, Vec<ServerRow>> = BTreeMap::new();
    for server in &servers {
        groups
            .entry(server.env.clone())
            .or_default()
            .push(server_row(server));
    }
    render(&FleetPage {
        shell: web.shell(&visitor, Section::Fleet).await,
        selector,
        problem,
        groups: groups
            .into_iter()
            .map(|(env, servers)| FleetGroup { env, servers })
            .collect(),
        total,
    })
}

/// An error of ours as a sentence, with what to do about it.
pub(super) fn with_hint(error: &impl Explained) -> String {
    let mut text = sentence(&error.to_string());
    if let Some(hint) = error.hint() {
        text.push(' ');
        text.push_str(&sentence(&hint));
    }
    text
}

/// A server as lists show it. What a host said of itself is data: a fact of the wrong type is no fact.
pub(super) fn server_row(server: &ServerView) -> ServerRow {
    let facts = server.facts.as_ref().map(|facts| &facts.values);
    let text = |name: &str| facts.and_then(|facts| facts.get(name)).and_then(Value::as_str);
    let count = |name: &str| {
        let number = facts.and_then(|facts| facts.get(name)).and_then(Value::as_u64)?;
        u32::try_from(number).ok()
    };
    let flag = |name: &str| facts.and_then(|facts| facts.get(name)).and_then(Value::as_bool);
    ServerRow {
        name: server.name.to_string(),
        provider: server.provider,
        env: server.env.clone(),
        labels: server
            .labels
            .iter()
            // The tag beside the name says so already.
            .filter(|(key, _)| server.provider != ServerProvider::Sim || *key != "simulated")
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        protected: server.protected,
        system: [text("os"), text("os_version")]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" "),
        updates: count("updates").map(|all| Updates {
            all,
            security: count("security_updates").unwrap_or(0),
            reboot: flag("reboot_required").unwrap_or(false),
        }),
        facts_at: server.facts.as_ref().map(|facts| facts.at),
    }
}
