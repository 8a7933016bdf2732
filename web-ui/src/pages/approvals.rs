//! Requests for votes: the inbox, one request, and voting.

use std::collections::HashMap;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::response::{IntoResponse, Redirect};
use clawd_control::{
    ApprovalOn, ApprovalRead, ListApprovals, RunChanged, RunRead, RunRow, VoteCast, cast_vote,
    list_approvals, show_approval, watch_runs,
};
use clawd_model::api::{ApprovalView as Given, CastVote};
use clawd_model::{
    ApprovalId, ApprovalStatus, DecisionKind, Digest, PlannedStep, Timestamp, Verdict, Vote, WillRun,
};
use futures::{Stream, StreamExt as _};
use serde::Deserialize;

use super::plan::{Providers, input_pairs, plan_step, providers, tag};
use super::runs::parsed;
use super::simulated::among;
use crate::door::{Allowed, AllowedOn, Answer, Failure, Sent, Visitor, Web, render};
use crate::ui::{Diff, MissingView};
use crate::view::approvals::{
    ApprovalPage, ApprovalPanel, ApprovalView, ApprovalsPage, Drifted, KnownNow, Standing, VoteView,
};
use crate::view::plan::{PlanJob, PlanLane, PlanMark, PlanWave};
use crate::view::runs::FilterChoice;
use crate::view::shell::Section;

/// How long the answer to a vote waits for the run to take it up.
const TAKEN_UP: Duration = Duration::from_secs(2);

/// What steps would change now, by their path.
pub(super) type Changes = HashMap<String, String>;

#[derive(Deserialize)]
pub(crate) struct Which {
    show: Option<String>,
    after: Option<String>,
}

/// The inbox.
pub(crate) async fn list(
    State(web): State<Web>,
    Allowed { visitor, permit }: Allowed<ApprovalRead>,
    Query(which): Query<Which>,
) -> Answer {
    let all = which.show.as_deref() == Some("all");
    let wanted = ListApprovals {
        open_only: !all,
        after: parsed::<ApprovalId>(which.after.as_deref())?,
        limit: Some(20),
        ..ListApprovals::default()
    };
    let page = list_approvals(&permit, wanted).await?;
    let providers = providers(&web, &visitor).await?;
    let mut approvals = Vec::with_capacity(page.items.len());
    for item in page.items {
        let full = full(&web, &visitor, item).await?;
        approvals.push(approval_view(&full, &visitor, &providers, web.now()));
    }
    let choice = |label: &str, href: &str, current| FilterChoice {
        label: label.to_owned(),
        href: href.to_owned(),
        current,
    };
    let word = if all { "show=all&" } else { "" };
    render(&ApprovalsPage {
        shell: web.shell(&visitor, Section::Approvals).await,
        filters: vec![
            choice("open", "/approvals", !all),
            choice("all", "/approvals?show=all", all),
        ],
        approvals,
        open: !all,
        older: page.next.map(|next| format!("/approvals?{word}after={next}")),
    })
}

/// A request of a list with what it would change.
pub(super) async fn full(web: &Web, visitor: &Visitor, listed: Given) -> Result<Given, Failure> {
    let permit = web
        .app
        .permit_on::<ApprovalRead, ApprovalOn>(&visitor.caller, &listed.approval.id)
        .await
        .map_err(Failure::refused)?;
    Ok(show_approval(&permit).await?)
}

/// One request.
pub(crate) async fn show(
    State(web): State<Web>,
    AllowedOn { visitor, permit }: AllowedOn<ApprovalRead, ApprovalOn>,
) -> Answer {
    let given = show_approval(&permit).await?;
    let providers = providers(&web, &visitor).await?;
    let changes = drift(&web, &visitor, &given).await?;
    let back = format!("/approvals/{}", given.approval.id);
    render(&ApprovalPage {
        shell: web.shell(&visitor, Section::Approvals).await,
        panel: panel(&given, &visitor, &providers, back, true, web.now(), &changes),
    })
}

/// Votes.
pub(crate) async fn vote(
    State(web): State<Web>,
    AllowedOn { visitor, permit }: AllowedOn<VoteCast, ApprovalOn>,
    sent: Sent,
) -> Answer {
    let verdict = match sent.text("verdict") {
        "approve" => Verdict::Approve,
        "reject" => Verdict::Reject,
        other => return Err(Failure::invalid(format!("`{other}` is neither yes nor no"))),
    };
    let subject: Digest = sent
        .text("subject")
        .parse()
        .map_err(|error| Failure::invalid(format!("{error}")))?;
    let comment = sent.text("comment").trim().to_owned();
    let changes = changes(&web, &visitor).await?;
    let vote = cast_vote(
        &permit,
        CastVote {
            verdict,
            subject,
            comment,
        },
    )
    .await?;
    if let Some(changes) = changes {
        let taken_up = taken_up(&web, &visitor, &vote, changes);
        // Later than that the page says that the vote is recorded, and shows it when it is looked at again.
        let _ = tokio::time::timeout(TAKEN_UP, taken_up).await;
    }
    let back = sent.back(&format!("/approvals/{}", vote.approval));
    let plain = back.split(['?', '#']).next().unwrap_or_default();
    Ok(Redirect::to(&format!("{plain}?done=voted")).into_response())
}

/// Which runs change from now on, for those who may see runs.
async fn changes(
    web: &Web,
    visitor: &Visitor,
) -> Result<Option<impl Stream<Item = RunChanged> + Send + use<>>, Failure> {
    if !visitor.may("run.read") {
        return Ok(None);
    }
    let permit = web
        .app
        .permit::<RunRead>(&visitor.caller)
        .await
        .map_err(Failure::refused)?;
    Ok(Some(watch_runs(&permit)))
}

/// A vote is posted to its run, which takes it up in its own time. Waits for that, so that the page that follows shows the
/// vote, and not once more the form.
async fn taken_up(web: &Web, visitor: &Visitor, vote: &Vote, changes: impl Stream<Item = RunChanged>) {
    let mut changes = std::pin::pin!(changes);
    loop {
        let permit = web
            .app
            .permit_on::<ApprovalRead, ApprovalOn>(&visitor.caller, &vote.approval)
            .await;
        let Ok(permit) = permit else { return };
        let shows = |view: &Given| {
            view.own_vote == Some(vote.verdict) || view.approval.status != ApprovalStatus::Open
        };
        if show_approval(&permit).await.is_ok_and(|view| shows(&view)) || changes.next().await.is_none() {
            return;
        }
    }
}

/// A request with everything that a voter should see.
pub(super) fn panel(
    given: &Given,
    visitor: &Visitor,
    providers: &Providers,
    back: String,
    unfolded: bool,
    now: Timestamp,
    now_changes: &Changes,
) -> ApprovalPanel {
    let plan_job = (!given.steps.is_empty()).then(|| plan_job(given, providers));
    ApprovalPanel {
        approval: approval_view(given, visitor, providers, now),
        drifted: drifted(given, now_changes),
        known_now: known_now(given),
        later: later(given),
        unlisted: given.approval.subject.more.as_ref().map(|more| more.steps),
        plan_job,
        unfolded,
        back,
        csrf: visitor.csrf.clone(),
        now,
    }
}

/// What a list shows of a request.
fn approval_view(given: &Given, visitor: &Visitor, providers: &Providers, now: Timestamp) -> ApprovalView {
    let approval = &given.approval;
    ApprovalView {
        id: approval.id.to_string(),
        run: approval.subject.run.to_string(),
        runbook: approval.subject.runbook.to_string(),
        job: approval.subject.job.to_string(),
        requester: approval.requester.to_string(),
        simulated: among(given.steps.iter().map(|step| &step.target.name), providers),
        status: approval.status,
        summary: summary(&given.steps),
        reasons: approval.reasons.clone(),
        missing: MissingView::all(&approval.missing),
        votes: approval
            .votes
            .iter()
            .map(|vote| VoteView {
                voter: vote.voter.to_string(),
                verdict: vote.verdict,
                comment: vote.comment.clone(),
                at: vote.at,
                spent: match vote {
                    vote if vote.subject != given.subject_digest => {
                        Some("it was for something else".to_owned())
                    }
                    vote if vote.expires_at <= now && approval.status == ApprovalStatus::Open => {
                        Some("it has expired".to_owned())
                    }
                    _ => None,
                },
            })
            .collect(),
        opened_at: approval.opened_at,
        subject: given.subject_digest,
        plan: approval.subject.plan,
        standing: standing(given, visitor),
    }
}

fn standing(given: &Given, visitor: &Visitor) -> Standing {
    if given.approval.status != ApprovalStatus::Open {
        return Standing::Decided;
    }
    match given.own_vote {
        Some(verdict) => Standing::Voted(verdict),
        None if given.may_vote => Standing::MayVote,
        None if given.approval.requester.as_str() == visitor.name() => Standing::Requester,
        None => Standing::MayNot(given.may_not_vote_because.join("; ")),
    }
}

fn needs_votes(step: &PlannedStep) -> bool {
    let kind = step.decision.as_ref().map(|decision| &decision.kind);
    matches!(kind, Some(DecisionKind::NeedsApproval { .. }))
}

/// `10 servers of prod · 10 steps change something`.
fn summary(steps: &[PlannedStep]) -> String {
    let mut about: Vec<&PlannedStep> = steps.iter().filter(|step| needs_votes(step)).collect();
    if about.is_empty() {
        about = steps.iter().collect();
    }
    let steps = about;
    let mut servers: Vec<&str> = steps.iter().map(|step| step.target.name.as_str()).collect();
    servers.sort_unstable();
    servers.dedup();
    let mut envs: Vec<&str> = steps.iter().map(|step| step.target.env.as_str()).collect();
    envs.retain(|env| !env.is_empty());
    envs.sort_unstable();
    envs.dedup();
    let changes = steps.iter().filter(|step| {
        step.will_run == WillRun::Yes && step.change.as_ref().is_some_and(|change| change.needed)
    });
    let changes = changes.count();
    let of = match servers.as_slice() {
        [] => return String::new(),
        [one] => (*one).to_owned(),
        many => format!("{} servers", many.len()),
    };
    let envs = if envs.is_empty() {
        String::new()
    } else {
        format!(" of {}", envs.join(" and "))
    };
    let changes = match changes {
        0 => "what changes depends on earlier steps".to_owned(),
        1 => "1 step changes something".to_owned(),
        count => format!("{count} steps change something"),
    };
    format!("{of}{envs} · {changes}")
}

/// The request's part of the plan: a lane per target.
fn plan_job(given: &Given, providers: &Providers) -> PlanJob {
    let mut lanes: Vec<(u32, PlanLane)> = Vec::new();
    for step in &given.steps {
        let number = step.step_ref.lane;
        if lanes.last().is_none_or(|(last, _)| *last != number) {
            let lane = PlanLane {
                server: step.target.name.to_string(),
                provider: tag(providers, &step.target.name),
                env: step.target.env.clone(),
                steps: Vec::new(),
                open: false,
            };
            lanes.push((number, lane));
        }
        if let Some((_, lane)) = lanes.last_mut() {
            lane.steps.push(plan_step(step));
        }
    }
    let votes_on = |number: u32| {
        let mut of_lane = given.steps.iter().filter(|step| step.step_ref.lane == number);
        of_lane.any(needs_votes)
    };
    // What the votes are for comes first.
    lanes.sort_by_key(|(number, _)| (!votes_on(*number), *number));
    let mut lanes: Vec<PlanLane> = lanes.into_iter().map(|(_, lane)| lane).collect();
    if let Some(first) = lanes.iter_mut().find(|lane| lane.overall() == PlanMark::Changes) {
        first.open = true;
    }
    PlanJob {
        name: given.approval.subject.job.to_string(),
        needs: Vec::new(),
        waves: vec![PlanWave {
            label: String::new(),
            lanes,
        }],
        missing: Vec::new(),
    }
}

/// What is no longer as planned, with what it would change now.
fn drifted(given: &Given, now_changes: &Changes) -> Vec<Drifted> {
    given
        .approval
        .subject
        .drifted
        .iter()
        .map(|(place, _)| Drifted {
            place: place.replace('/', " / "),
            diff: now_changes
                .get(place)
                .map(|text| Diff::read(format!("what {place} would change now"), text)),
        })
        .collect()
}

/// What steps are given, of which the plan could not know it.
fn known_now(given: &Given) -> Vec<KnownNow> {
    let inputs = given.approval.subject.inputs.iter();
    inputs
        .map(|seen| KnownNow {
            place: seen.step.replace('/', " / "),
            digest: seen.digest,
            pairs: seen.input.as_ref().map(input_pairs),
        })
        .collect()
}

/// What nobody knows yet, and what a vote means for it.
fn later(given: &Given) -> Vec<String> {
    let unknown = given.unknown_inputs.iter();
    unknown
        .map(|unknown| {
            let place = unknown.step.replace('/', " / ");
            let then = if unknown.asked_again {
                "votes are asked for again when it is known"
            } else {
                "a vote now covers whatever it becomes"
            };
            format!("{place} is given what depends on {}: {then}", unknown.on)
        })
        .collect()
}

/// What the drifted steps of a request would change now, by their path: what a vote is for. It stands in the run's
/// journal, for those who may see the run.
pub(super) async fn drift(web: &Web, visitor: &Visitor, given: &Given) -> Result<Changes, Failure> {
    let subject = &given.approval.subject;
    if subject.drifted.is_empty() || !visitor.may("run.read") {
        return Ok(Changes::new());
    }
    let permit = web
        .app
        .permit_on::<RunRead, RunRow>(&visitor.caller, &subject.run)
        .await
        .map_err(Failure::refused)?;
    super::run::drifted_changes(&permit).await
}
