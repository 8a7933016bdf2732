//! `clawd approve`, `clawd reject`, `clawd approval`: votes.

use clap::{Args, Subcommand};
use clawd_model::api::{ApprovalView, CastVote};
use clawd_model::product::BINARY;
use clawd_model::{ApprovalId, Clock as _, Digest, PlannedStep, Verdict};

use crate::cli::Globals;
use crate::connect::{client, failure};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::plan::{alternatives, diff_line};
use crate::render::simulated::Simulated;
use crate::render::{ago, counted, print, print_list, printable, sentence, table};
use crate::system::SystemClock;

/// Requests for votes: list, show.
#[derive(Debug, Subcommand)]
pub(crate) enum Approval {
    /// List requests for votes.
    Ls {
        /// Those that are closed too.
        #[arg(long)]
        all: bool,
    },
    /// Show a request: what it would change, what is missing, who may vote.
    Show { approval: ApprovalId },
}

/// Vote yes.
#[derive(Debug, Args)]
pub(crate) struct Approve {
    approval: ApprovalId,
    /// Why.
    #[arg(long, short = 'm', default_value = "")]
    comment: String,
    /// The digest of what you looked at, to be sure that it is still the same. Without it, what the vote is for is shown
    /// as it is now, and the vote is for exactly that.
    #[arg(long)]
    subject: Option<Digest>,
}

/// Vote no.
#[derive(Debug, Args)]
pub(crate) struct Reject {
    approval: ApprovalId,
    /// Why.
    #[arg(long, short = 'm', default_value = "")]
    comment: String,
}

impl Approve {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        vote(
            globals,
            self.approval,
            Verdict::Approve,
            self.comment,
            self.subject,
        )
        .await
    }
}

impl Reject {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        vote(globals, self.approval, Verdict::Reject, self.comment, None).await
    }
}

async fn vote(
    globals: &Globals,
    approval: ApprovalId,
    verdict: Verdict,
    comment: String,
    subject: Option<Digest>,
) -> Outcome {
    let client = client(globals)?;
    let view = client.approval(approval).await.map_err(failure)?;
    if let Some(expected) = subject
        && expected != view.subject_digest
    {
        return Err(Failure::new(
            Exit::Usage,
            format!(
                "`{approval}` is now about something else: {}",
                view.subject_digest
            ),
        )
        .with_hint(format!("look again: {BINARY} approval show {approval}")));
    }
    tell(&view, &Simulated::ask(&client).await);
    let cast = CastVote {
        verdict,
        subject: view.subject_digest,
        comment,
    };
    let vote = client.vote(approval, &cast).await.map_err(failure)?;
    print(globals.output, &vote, |vote| {
        let word = if vote.verdict == Verdict::Approve {
            "yes"
        } else {
            "no"
        };
        outln!(
            "{}: {} voted {word}; the vote counts until {}",
            vote.approval,
            vote.voter,
            vote.expires_at
        );
    })?;
    Ok(Exit::Ok)
}

/// What the vote is for, in two lines on standard error: whoever votes without having looked sees it at last.
fn tell(view: &ApprovalView, simulated: &Simulated) {
    let subject = &view.approval.subject;
    eprintln!(
        "{}: job {} of {} ({}), requested by {}",
        view.approval.id, subject.job, subject.runbook, subject.run, view.approval.requester
    );
    let changes: Vec<&PlannedStep> = changes(view).collect();
    let mut servers: Vec<String> = changes
        .iter()
        .map(|step| format!("{}{}", step.target.name, simulated.mark(&step.target)))
        .collect();
    servers.dedup();
    let on = if servers.is_empty() {
        String::new()
    } else {
        format!(" on {}", servers.join(", "))
    };
    let drifted = match subject.drifted.len() {
        0 => String::new(),
        count => format!(", {count} not as planned"),
    };
    let count = u64::try_from(changes.len()).unwrap_or(u64::MAX);
    eprintln!(
        "  {}{on}{drifted}; plan {}",
        counted(count, "change"),
        subject.plan
    );
}

/// The steps of the job that would change something.
fn changes(view: &ApprovalView) -> impl Iterator<Item = &PlannedStep> {
    let needed = |step: &&PlannedStep| step.change.as_ref().is_some_and(|change| change.needed);
    view.steps.iter().filter(needed)
}

impl Approval {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let client = client(globals)?;
        match self {
            Self::Ls { all } => {
                let approvals = client.approvals(!all).await.map_err(failure)?;
                print_list(globals.output, &approvals.items, list)?;
            }
            Self::Show { approval } => {
                let view = client.approval(approval).await.map_err(failure)?;
                let simulated = Simulated::ask(&client).await;
                print(globals.output, &view, |view| show(view, &simulated))?;
            }
        }
        Ok(Exit::Ok)
    }
}

fn list(approvals: &[ApprovalView]) {
    let now = SystemClock.now();
    let rows = approvals.iter().map(|view| {
        let approval = &view.approval;
        vec![
            approval.id.to_string(),
            format!("{}/{}", approval.subject.runbook, approval.subject.job),
            format!("{:?}", approval.status).to_lowercase(),
            approval.requester.to_string(),
            ago(now, approval.opened_at),
            alternatives(&approval.missing),
        ]
    });
    table::print(
        &["APPROVAL", "JOB", "STATUS", "BY", "OPENED", "MISSING"],
        rows.collect(),
        "no requests for votes",
    );
}

fn show(view: &ApprovalView, simulated: &Simulated) {
    let approval = &view.approval;
    let subject = &approval.subject;
    outln!("{}  {:?}", approval.id, approval.status);
    outln!(
        "job {} of {} ({}), requested by {}",
        subject.job,
        subject.runbook,
        subject.run,
        approval.requester
    );
    outln!("plan {}\nsubject {}", subject.plan, view.subject_digest);
    for reason in &approval.reasons {
        outln!("why: {}", printable(reason));
    }
    if !approval.missing.is_empty() {
        outln!("missing: {}", alternatives(&approval.missing));
    }
    for vote in &approval.votes {
        outln!(
            "vote: {} {:?} at {} {}",
            vote.voter,
            vote.verdict,
            vote.at,
            printable(&vote.comment)
        );
    }
    for (step, _) in &subject.drifted {
        outln!("drifted from the plan: {}", printable(step));
    }
    for seen in &subject.inputs {
        let input = match &seen.input {
            Some(input) => printable(&input.to_string()),
            None => format!("too large to be shown, {}", seen.digest),
        };
        outln!("known only now: {} is given {input}", printable(&seen.step));
    }
    if let Some(more) = &subject.more {
        outln!("and {} more steps, which are part of the subject", more.steps);
    }
    for unknown in &view.unknown_inputs {
        let then = if unknown.asked_again {
            "votes are asked for again when it is known"
        } else {
            "a vote now covers whatever it becomes"
        };
        outln!(
            "not known yet: {} is given what depends on {}: {then}",
            printable(&unknown.step),
            printable(&unknown.on)
        );
    }
    for step in changes(view) {
        let change = step.change.as_ref();
        outln!(
            "\n{}/{}/{}{}: {}",
            step.job,
            step.target.name,
            step.step,
            simulated.mark(&step.target),
            printable(change.map_or("", |change| &change.summary))
        );
        for line in change.map_or("", |change| &change.diff).lines() {
            outln!("  {}", diff_line(&printable(line)));
        }
    }
    if view.may_vote {
        eprintln!(
            "vote with: {BINARY} approve {0}, or {BINARY} reject {0}",
            approval.id
        );
    } else {
        eprintln!("you may not vote: {}", sentence(&view.may_not_vote_because));
    }
}
