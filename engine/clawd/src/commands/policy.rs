//! `clawd policy`: check, test, explain, show, publish.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use clawd_model::api::{Explain as Question, PublishPolicy};
use clawd_model::{DecisionKind, GroupName, PrincipalName, Problem, RunbookName, ServerName};
use clawd_policy::testing::TestReport;
use clawd_policy::{Bundle, Vocabulary};
use clawd_provider::contract;

use crate::cli::Globals;
use crate::connect::{client, failure};
use crate::exit::{Exit, Failure, Outcome};
use crate::files;
use crate::render::plan::alternatives;
use crate::render::status::paint;
use crate::render::{self, print, print_list, printable, sentence};

/// Policies: check, test, explain, show, publish.
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Check a folder of policies, offline. All problems are reported at once.
    Check(Folder),
    /// Run a folder's tests, offline.
    Test(Folder),
    /// Ask what the gate would say, and why.
    Explain(Explain),
    /// Print the bundle in force.
    Show,
    /// Publish a folder: it is checked, tested, and then in force.
    Publish {
        dir: PathBuf,
        /// Only check and test it there.
        #[arg(long)]
        check_only: bool,
    },
}

/// A folder of `*.cedar` and `*_test.yaml` files.
#[derive(Debug, Args)]
pub(crate) struct Folder {
    dir: PathBuf,
    /// A group besides those of the baseline pack; may be given several times.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<GroupName>,
}

/// Ask what the gate would say, and why.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// An operation (`pkg.apply@v1`), or a control action (`run.start`).
    action: String,
    /// On which server.
    #[arg(long)]
    server: Option<ServerName>,
    /// Who would ask; you when absent.
    #[arg(long = "as", value_name = "NAME")]
    principal: Option<PrincipalName>,
    /// In a run of which runbook.
    #[arg(long)]
    runbook: Option<RunbookName>,
    /// As if so many distinct people had voted yes.
    #[arg(long, default_value = "0")]
    votes: u32,
    /// As if so many members of a group had voted yes: `sre=2`; may be given several times.
    #[arg(long = "group-votes", value_name = "GROUP=COUNT", value_parser = group_votes)]
    group_votes: Vec<(GroupName, u32)>,
}

fn group_votes(text: &str) -> Result<(GroupName, u32), String> {
    let (group, count) = text.split_once('=').ok_or("expected GROUP=COUNT")?;
    let group = group
        .parse()
        .map_err(|error: clawd_model::InvalidName| error.to_string())?;
    Ok((
        group,
        count.parse().map_err(|_| format!("`{count}` is not a number"))?,
    ))
}

impl Policy {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        match self {
            Self::Check(folder) => check(globals, &folder),
            Self::Test(folder) => test(globals, &folder),
            Self::Explain(explain) => explain.run(globals).await,
            Self::Show => {
                let bundle = client(globals)?.policies().await.map_err(failure)?;
                print(globals.output, &bundle, |bundle| {
                    outln!(
                        "{} with {} policies, by {} at {}",
                        bundle.digest,
                        bundle.policies.len(),
                        bundle.published_by,
                        bundle.published_at
                    );
                    for (name, text) in &bundle.files {
                        outln!("\n// {}\n{}", printable(name), render::file(text));
                    }
                })?;
                Ok(Exit::Ok)
            }
            Self::Publish { dir, check_only } => {
                let files = read(&dir)?;
                let wanted = PublishPolicy { files, check_only };
                let published = client(globals)?
                    .publish_policies(&wanted)
                    .await
                    .map_err(failure)?;
                print(globals.output, &published, |published| {
                    show(&wanted.files, &published.problems);
                    let word = if published.in_force { "in force" } else { "valid" };
                    outln!(
                        "{word}: {} with {} policies, {} tests passed",
                        published.digest,
                        published.policies,
                        published.tests.len()
                    );
                })?;
                Ok(Exit::Ok)
            }
        }
    }
}

impl Explain {
    async fn run(self, globals: &Globals) -> Outcome {
        let question = Question {
            principal: self.principal,
            action: self.action,
            server: self.server,
            runbook: self.runbook,
            votes: self.votes,
            group_votes: self.group_votes.into_iter().collect(),
        };
        let answer = client(globals)?.explain(&question).await.map_err(failure)?;
        print(globals.output, &answer, |answer| {
            outln!("{}", printable(&answer.question));
            match &answer.decision.kind {
                DecisionKind::Allow => outln!("{}", paint("✓ allow", "32")),
                DecisionKind::Deny => {
                    outln!("{} {}", paint("⊘ deny", "31"), sentence(&answer.decision.reasons))
                }
                DecisionKind::NeedsApproval { missing, .. } => {
                    outln!("{} {}", paint("◆ needs approval", "33"), alternatives(missing));
                }
            }
            for policy in &answer.policies {
                let place = policy
                    .file
                    .as_deref()
                    .map_or_else(|| "built in".to_owned(), |file| format!("{file}:{}", policy.line));
                let why = policy
                    .error
                    .as_deref()
                    .or(policy.reason.as_deref())
                    .unwrap_or_default();
                outln!(
                    "  {:<16} {:<32} {place:<24} {}",
                    policy.outcome.replace('_', " "),
                    policy.id,
                    printable(why)
                );
            }
            outln!(
                "{} of {} policies are about this",
                answer.policies.len(),
                answer.of
            );
        })?;
        Ok(Exit::Ok)
    }
}

/// The vocabulary that offline checks use: the operations that ship, the groups of the baseline pack, and more.
fn vocabulary(more: &[GroupName]) -> Vocabulary {
    let baseline = ["admin", "operator", "viewer", "auditor", "sre", "security"];
    let groups: BTreeSet<GroupName> = baseline
        .iter()
        .filter_map(|name| name.parse().ok())
        .chain(more.iter().cloned())
        .collect();
    Vocabulary {
        operations: contract::all(),
        groups,
    }
}

/// All files of a folder, whatever their names: what does not belong to a bundle is told, since a misspelt name must not
/// silently take its rules out of force. Hidden files are not meant.
fn read(dir: &Path) -> Result<BTreeMap<String, String>, Failure> {
    let unreadable =
        |error: &std::io::Error| Failure::usage(format!("`{}` cannot be read: {error}", dir.display()));
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(dir).map_err(|error| unreadable(&error))? {
        let path = entry.map_err(|error| unreadable(&error))?.path();
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        if name.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            return Err(Failure::usage(format!(
                "`{}` is a folder, and a bundle has none in it",
                path.display()
            ))
            .with_hint("move its files up, or elsewhere"));
        }
        files.insert(name, files::read("policies", &path)?);
    }
    if files.is_empty() {
        return Err(Failure::usage(format!("`{}` holds no policies", dir.display()))
            .with_hint("policies are files that end in .cedar, their tests in _test.yaml"));
    }
    Ok(files)
}

fn check(globals: &Globals, folder: &Folder) -> Outcome {
    let files = read(&folder.dir)?;
    let loaded = Bundle::load(&files, &vocabulary(&folder.groups));
    let (problems, exit) = match &loaded {
        Ok(bundle) => (bundle.warnings(), Exit::Ok),
        Err(problems) => (problems.as_slice(), Exit::Usage),
    };
    print_list::<Problem>(globals.output, problems, |problems| {
        show(&files, problems);
        if let Ok(bundle) = &loaded {
            outln!("valid: {} policies, {}", bundle.len(), bundle.digest());
        }
    })?;
    Ok(exit)
}

fn show(files: &BTreeMap<String, String>, problems: &[Problem]) {
    for problem in problems {
        let source = problem
            .file
            .as_ref()
            .and_then(|file| files.get(file))
            .map_or("", String::as_str);
        eprintln!("{}", render::problem(source, problem));
    }
}

fn show_report(files: &BTreeMap<String, String>, report: &TestReport) {
    show(files, &report.problems);
    for case in &report.cases {
        let (shape, colour) = if case.passed { ("✓", "32") } else { ("✖", "31") };
        outln!(
            "{} {}:{} {}",
            paint(shape, colour),
            printable(&case.file),
            case.line,
            printable(&case.name)
        );
        if !case.passed {
            outln!("    {}", printable(&case.question));
            for difference in &case.differences {
                outln!("    {}", printable(difference));
            }
        }
    }
    for policy in &report.untested {
        outln!(
            "{} no test is decided by policy `{}`",
            paint("!", "33"),
            printable(policy)
        );
    }
    outln!(
        "{} of {} cases passed",
        report.cases.len() - report.failures().count(),
        report.cases.len()
    );
}

fn test(globals: &Globals, folder: &Folder) -> Outcome {
    let files = read(&folder.dir)?;
    let report = clawd_policy::testing::run(&files, &vocabulary(&folder.groups));
    let passed = report.passed();
    print(globals.output, &report, |report| show_report(&files, report))?;
    Ok(if passed { Exit::Ok } else { Exit::Failed })
}
