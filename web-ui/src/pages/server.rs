//! One server.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use clawd_control::{ServerRead, refresh_facts, show_server};
use clawd_model::Server;
use clawd_model::api::ServerView;
use serde_json::Value;

use super::fleet::server_row;
use crate::door::{AllowedOn, Answer, Sent, Web, render};
use crate::view::server::ServerPage;
use crate::view::shell::Section;

/// Shows it.
pub(crate) async fn show(
    State(web): State<Web>,
    AllowedOn { visitor, permit }: AllowedOn<ServerRead, Server>,
) -> Answer {
    let server = show_server(&permit);
    let facts = server.facts.as_ref().map(|facts| &facts.values);
    let reasons = facts.and_then(|facts| facts.get("reboot_reasons"));
    render(&ServerPage {
        shell: web.shell(&visitor, Section::Fleet).await,
        id: server.id.to_string(),
        server: server_row(&server),
        address: server.address.clone(),
        host_key: server.host_key_fingerprint.clone(),
        facts: fact_pairs(&server),
        reboot_reasons: reasons
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(ToOwned::to_owned)
            .collect(),
        can_audit: visitor.may("audit.read"),
    })
}

/// Reads its facts anew.
pub(crate) async fn read_facts(
    AllowedOn { permit, .. }: AllowedOn<ServerRead, Server>,
    _sent: Sent,
) -> Answer {
    let server = refresh_facts(&permit).await?;
    Ok(Redirect::to(&format!("/fleet/{}?done=facts", server.name)).into_response())
}

/// Facts in words.
fn fact_pairs(server: &ServerView) -> Vec<(String, String)> {
    let Some(facts) = &server.facts else {
        return Vec::new();
    };
    let text = |name: &str| {
        facts
            .values
            .get(name)
            .and_then(Value::as_str)
            .map(ToOwned::to_owned)
    };
    let number = |name: &str| facts.values.get(name).and_then(Value::as_u64);
    let mib = |name: &str| number(name).map(|mib| format!("{} MiB", grouped(mib)));
    let system = [text("os"), text("os_version"), text("arch")];
    let system: Vec<String> = system.into_iter().flatten().collect();
    let pairs = [
        ("name of its own", text("hostname")),
        ("system", (!system.is_empty()).then(|| system.join(" "))),
        ("kernel", text("kernel")),
        ("processors", number("cpus").map(|count| count.to_string())),
        ("memory", mib("memory_mib")),
        ("free on /", mib("disk_free_mib")),
        ("up", number("uptime_s").map(uptime)),
        ("boot id", text("boot_id")),
    ];
    pairs
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

fn uptime(seconds: u64) -> String {
    match seconds {
        0..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// `31402` as `31,402`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + 4);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn numbers_and_times_are_readable() {
        let grouped: Vec<String> = [0, 999, 1000, 31_402, 1_234_567]
            .into_iter()
            .map(super::grouped)
            .collect();
        assert_eq!(grouped, ["0", "999", "1,000", "31,402", "1,234,567"]);
        assert_eq!(super::uptime(3_542_400), "41 days");
        assert_eq!(super::uptime(59), "0 min");
    }
}
