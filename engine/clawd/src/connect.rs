//! Makes the client that a command calls the API with, and turns its errors into exit codes.

use clawd_client::{Client, Error};
use clawd_model::env_name;
use clawd_model::product::BINARY;

use crate::cli::Globals;
use crate::exit::{Exit, Failure};
use crate::profiles::Profiles;

/// The client for this command: flags first, then the profile.
pub(crate) fn client(globals: &Globals) -> Result<Client, Failure> {
    let path = globals.data_dir.join("profiles.toml");
    let profiles = Profiles::read(&path)?;
    let name = globals.profile.clone().or(profiles.default.clone());
    let profile = match &name {
        Some(name) => match profiles.profiles.get(name) {
            Some(profile) => Some(profile),
            None if globals.url.is_some() && globals.token.is_some() => None,
            None => {
                let known: Vec<&str> = profiles.profiles.keys().map(String::as_str).collect();
                return Err(
                    Failure::usage(format!("there is no profile `{name}` in `{}`", path.display()))
                        .with_hint(format!("profiles: {}", known.join(", "))),
                );
            }
        },
        None => None,
    };
    let url = globals
        .url
        .as_deref()
        .or(profile.map(|profile| profile.url.as_str()));
    let token = globals
        .token
        .as_deref()
        .or(profile.map(|profile| profile.token.as_str()));
    match (url, token) {
        (Some(url), Some(token)) => Client::new(url, token).map_err(failure),
        _ => Err(
            Failure::usage(format!("no server is known: `{}` names none", path.display())).with_hint(format!(
                "start one with `{BINARY} serve` in this folder, point --data-dir at its data directory, or set {} \
                 and {}",
                env_name!("URL"),
                env_name!("TOKEN")
            )),
        ),
    }
}

/// Where people reach the console: what the profile says of it, or where the client goes.
pub(crate) fn console(globals: &Globals, client: &Client) -> Result<String, Failure> {
    let own = client.address().trim_end_matches('/').to_owned();
    if globals.url.is_some() {
        return Ok(own);
    }
    let profiles = Profiles::read(&globals.data_dir.join("profiles.toml"))?;
    let name = globals.profile.as_ref().or(profiles.default.as_ref());
    let profile = name.and_then(|name| profiles.profiles.get(name));
    Ok(profile.and_then(|profile| profile.console.clone()).unwrap_or(own))
}

/// An error of the client, for a person.
#[expect(clippy::needless_pass_by_value, reason = "the shape that `map_err` wants")]
pub(crate) fn failure(error: Error) -> Failure {
    let exit = match (&error, error.code()) {
        (Error::Unreachable { .. }, _) => Exit::Unreachable,
        (_, Some("host-unreachable" | "unreachable" | "server-unreachable")) => Exit::Unreachable,
        (_, Some(code)) if code == "forbidden" || code == "denied" || code.starts_with("denied") => {
            Exit::Denied
        }
        (_, Some("locked")) => Exit::Locked,
        _ => Exit::Usage,
    };
    let mut message = error.to_string();
    if let Some(source) = std::error::Error::source(&error) {
        message = format!("{message}: {}", root_cause(source));
    }
    if let Some(problem) = error.problem() {
        for reason in &problem.reasons {
            message.push_str(&format!("\n  {reason}"));
        }
        for found in &problem.problems {
            let place = found
                .span
                .map(|span| format!("{}:{} ", span.line, span.column))
                .unwrap_or_default();
            message.push_str(&format!("\n  {place}{}: {}", found.code, found.message));
        }
    }
    Failure {
        exit,
        message,
        hint: error.hint(),
    }
}

fn root_cause(mut error: &dyn std::error::Error) -> String {
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
