//! `clawd principal`, `clawd token`, `clawd console`, `clawd whoami`: who may sign in, and how.

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use clawd_model::api::{CreateSignInLink, CreateToken, PutPrincipal, TokenView};
use clawd_model::{
    DurationMs, GroupName, Principal as Person, PrincipalKind, PrincipalName, RunbookName, TokenId,
};

use crate::cli::Globals;
use crate::connect::{self, client, failure};
use crate::exit::{Exit, Outcome};
use crate::render::{print, print_list, printable, table};

/// People, programs and their groups.
#[derive(Debug, Subcommand)]
pub(crate) enum Principal {
    /// List everybody.
    Ls,
    /// Create or change somebody.
    Put(Put),
}

/// Create or change somebody.
#[derive(Debug, Args)]
pub(crate) struct Put {
    /// The short name: `ana`.
    name: PrincipalName,
    /// What it is: user, agent, trigger or service.
    #[arg(long, default_value = "user", value_parser = kind)]
    kind: PrincipalKind,
    /// The name to show.
    #[arg(long, default_value = "")]
    display_name: String,
    /// A role or an approver group; may be given several times.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<GroupName>,
    /// For an agent: the person who answers for it.
    #[arg(long)]
    operator: Option<PrincipalName>,
    /// Somebody who left: may do nothing, and votes no longer count.
    #[arg(long)]
    disabled: bool,
}

fn kind(text: &str) -> Result<PrincipalKind, String> {
    match text {
        "user" => Ok(PrincipalKind::User),
        "agent" => Ok(PrincipalKind::Agent),
        "trigger" => Ok(PrincipalKind::Trigger),
        "service" => Ok(PrincipalKind::Service),
        _ => Err("expected user, agent, trigger or service".to_owned()),
    }
}

/// Tokens: create, list, revoke.
#[derive(Debug, Subcommand)]
pub(crate) enum Token {
    /// Make a token. Its secret is printed this once.
    Create {
        /// What it is for.
        label: String,
        /// For whom; you when absent.
        #[arg(long = "for", value_name = "NAME")]
        principal: Option<PrincipalName>,
        /// Limit it to an action (`run.read`); may be given several times.
        #[arg(long = "scope", value_name = "ACTION")]
        scopes: Vec<String>,
        /// For how long: `30d`.
        #[arg(long, value_name = "DURATION", value_parser = duration)]
        lifetime: Option<DurationMs>,
    },
    /// List tokens, without their secrets.
    Ls,
    /// Revoke a token.
    Revoke {
        // Not called `token`: that is the option to sign in with.
        #[arg(value_name = "TOKEN")]
        id: TokenId,
    },
}

fn duration(text: &str) -> Result<DurationMs, String> {
    DurationMs::parse(text).ok_or_else(|| "expected a duration such as 30d or 12h".to_owned())
}

/// Print a one-time link that signs you in to the console.
#[derive(Debug, Args)]
pub(crate) struct Console {
    /// For whom; you when absent.
    #[arg(long = "for", value_name = "NAME")]
    principal: Option<PrincipalName>,
}

impl Principal {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let client = client(globals)?;
        match self {
            Self::Ls => {
                let people = client.principals().await.map_err(failure)?;
                print_list(globals.output, &people.items, list)?;
            }
            Self::Put(put) => {
                let body = PutPrincipal {
                    kind: put.kind,
                    display_name: put.display_name,
                    groups: put.groups,
                    operator: put.operator,
                    disabled: put.disabled,
                };
                let person = client.put_principal(&put.name, &body).await.map_err(failure)?;
                print(globals.output, &person, |person| {
                    list(std::slice::from_ref(person))
                })?;
            }
        }
        Ok(Exit::Ok)
    }
}

impl Token {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let client = client(globals)?;
        match self {
            Self::Create {
                label,
                principal,
                scopes,
                lifetime,
            } => {
                let body = CreateToken {
                    principal,
                    label,
                    scopes,
                    lifetime_ms: lifetime.map(|lifetime| lifetime.0),
                };
                let made = client.create_token(&body).await.map_err(failure)?;
                print(globals.output, &made, |made| {
                    outln!("{}", made.secret);
                    eprintln!(
                        "{} for {}, until {}; it is not shown again",
                        made.token.id, made.token.principal, made.token.expires_at
                    );
                })?;
            }
            Self::Ls => {
                let tokens = client.tokens().await.map_err(failure)?;
                print_list(globals.output, &tokens.items, list_tokens)?;
            }
            Self::Revoke { id } => {
                client.revoke_token(id).await.map_err(failure)?;
                eprintln!("revoked {id}");
            }
        }
        Ok(Exit::Ok)
    }
}

impl Console {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let client = client(globals)?;
        let link = client
            .create_sign_in_link(&CreateSignInLink {
                principal: self.principal,
            })
            .await
            .map_err(failure)?;
        let console = connect::console(globals, &client)?;
        print(globals.output, &link, |link| {
            outln!("{console}{}", link.path);
            eprintln!("signs in {} once, until {}", link.principal, link.expires_at);
        })?;
        Ok(Exit::Ok)
    }
}

/// Who you are, and what you may do.
pub(crate) async fn whoami(globals: &Globals) -> Outcome {
    let me = client(globals)?.whoami().await.map_err(failure)?;
    print(globals.output, &me, |me| {
        let groups: Vec<&str> = me.principal.groups.iter().map(AsRef::as_ref).collect();
        outln!(
            "{} of {} ({})",
            me.principal.name,
            me.principal.tenant,
            groups.join(", ")
        );
        outln!("by {} until {}", me.via, me.expires_at);
        outln!("issued by {}", issuers(&me.issued_by));
        outln!("may: {}", me.may.join(" "));
        for (may, on) in by_powers(&me.may_on_runbooks) {
            outln!("may on {on}: {may}");
        }
    })?;
    Ok(Exit::Ok)
}

/// Runbooks on which the same is allowed stand together.
fn by_powers(runbooks: &BTreeMap<RunbookName, Vec<String>>) -> Vec<(String, String)> {
    let mut groups: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (runbook, may) in runbooks {
        groups.entry(may.join(" ")).or_default().push(runbook.as_str());
    }
    groups
        .into_iter()
        .map(|(may, names)| (may, format!("runbooks {}", names.join(", "))))
        .collect()
}

fn list(people: &[Person]) {
    let rows = people.iter().map(|person| {
        let groups: Vec<&str> = person.groups.iter().map(AsRef::as_ref).collect();
        let left = if person.disabled { "left" } else { "" };
        vec![
            person.name.to_string(),
            person.kind.as_str().to_lowercase(),
            printable(&person.display_name),
            groups.join(","),
            left.to_owned(),
        ]
    });
    table::print(
        &["NAME", "KIND", "SHOWN AS", "GROUPS", ""],
        rows.collect(),
        "nobody",
    );
}

/// Who issued a credential to somebody else.
fn issuers(names: &[PrincipalName]) -> String {
    if names.is_empty() {
        return "this machine's operator".to_owned();
    }
    let names: Vec<&str> = names.iter().map(PrincipalName::as_str).collect();
    names.join(",")
}

fn list_tokens(tokens: &[TokenView]) {
    let rows = tokens.iter().map(|token| {
        vec![
            token.id.to_string(),
            token.principal.to_string(),
            printable(&token.label),
            token.expires_at.to_string(),
            issuers(&token.issued_by),
            printable(&token.scopes.join(",")),
        ]
    });
    table::print(
        &["TOKEN", "FOR", "LABEL", "UNTIL", "ISSUED BY", "SCOPES"],
        rows.collect(),
        "no tokens",
    );
}
