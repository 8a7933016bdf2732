//! `clawd approve`, `clawd reject`, `clawd approval`: votes.

use clap::{Args, Subcommand};
use clawd_model::api::{ApprovalView, CastVote};
use clawd_model::{ApprovalId, Clock as _, Digest, Verdict};

use crate::cli::Globals;
use crate::connect::{client, failure};
use crate::exit::{Exit, Failure, Outcome};
use crate::render::plan::{alternatives, diff_line};
use crate::render::{ago, print, print_list, printable, table};
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
    /// The digest of what you looked at, to be sure that it is still the same; the present one when absent.
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
        .with_hint(format!("look again: clawd approval show {approval}")));
    }
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

impl Approval {
    pub(crate) async fn run(self, globals: &Globals) -> Outcome {
        let client = client(globals)?;
        match self {
            Self::Ls { all } => {
                let approvals = client.approvals(!all).await.map_err(failure)?;
                print_list(globals.output, &approvals.items, list)?;
            }
            Self::Show { approval } => print(
                globals.output,
                &client.approval(approval).await.map_err(failure)?,
                show,
            )?,
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

fn show(view: &ApprovalView) {
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
        outln!("why: {reason}");
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
        outln!("drifted from the plan: {step}");
    }
    for step in view
        .steps
        .iter()
        .filter(|step| step.change.as_ref().is_some_and(|change| change.needed))
    {
        let change = step.change.as_ref();
        outln!(
            "\n{}/{}/{}: {}",
            step.job,
            step.target.name,
            step.step,
            change.map_or("", |change| &change.summary)
        );
        for line in change.map_or("", |change| &change.diff).lines() {
            outln!("  {}", diff_line(&printable(line)));
        }
    }
    if view.may_vote {
        eprintln!("vote with: clawd approve {0}, or clawd reject {0}", approval.id);
    } else {
        eprintln!("you may not vote: {}", view.may_not_vote_because.join("; "));
    }
}
