//! A run that cannot be loaded: it is tried again, stays as it is until then, and can be cancelled.
//!
//! What may pass by itself (the database did not answer) is tried again soon. What only another version of this program
//! or a repair can mend is tried again seldom, and a cancel ends such a run: there is nobody else who could.

use std::sync::Arc;

use clawd_audit::Draft;
use clawd_model::{ApprovalStatus, ErrorKind, Event, PrincipalName, RunOutcome, RunStatus, StepError};
use clawd_scheduler::{Program, RunState};
use clawd_store::{ApprovalFilter, CommitError, LockChange, Message, ReadError, RunRow, Turn};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::drive::Mail;
use crate::env::Env;
use crate::limits;
use crate::load::{self, LoadError};
use crate::records::ENGINE;
use crate::reload::{self, is_ours};

/// How often the pause doubles at most where nothing passes by itself: to about a quarter of an hour.
const SELDOM: u32 = 10;

/// Why a run could not be closed.
#[derive(Debug, thiserror::Error)]
enum CloseError {
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    #[error("the end of the run could not be stored")]
    Commit(#[from] CommitError),
    #[error("this node holds no lease for the run")]
    NoLease,
}

/// Waits until the run can be loaded. `None` when it is over, is another node's, or the process stops.
pub(crate) async fn loaded(
    env: &Arc<Env>,
    head: &RunRow,
    mail: &mut mpsc::UnboundedReceiver<Mail>,
    stop: &CancellationToken,
    mut error: LoadError,
) -> Option<(Program, RunState)> {
    let run = head.id;
    let mut tries = 0;
    loop {
        let doublings = if error.may_pass() {
            reload::DOUBLINGS_MAX
        } else {
            SELDOM
        };
        let until = Instant::now() + reload::pause(tries, doublings);
        tries += 1;
        // Whatever is posted wakes us; what was posted before we came is seen first.
        loop {
            if !error.may_pass() {
                match close_if_cancelled(env, head, &error).await {
                    Ok(true) => return None,
                    Ok(false) => {}
                    Err(error) => tracing::error!(%run, %error, "the run could not be closed"),
                }
            }
            tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                next = mail.recv() => { next?; }
                () = tokio::time::sleep_until(until) => break,
            }
        }
        match is_ours(env, head.shard).await {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                tracing::error!(%run, %error, "the lease could not be renewed; trying again");
                continue;
            }
        }
        error = match load::run(env, head).await {
            Ok(loaded) => return Some(loaded),
            Err(error) => error,
        };
        tracing::error!(%run, %error, "the run could not be loaded; trying again");
    }
}

/// Ends the run if somebody has cancelled it. Attempts of it that have no outcome never get one: the record says so.
async fn close_if_cancelled(env: &Env, head: &RunRow, why: &LoadError) -> Result<bool, CloseError> {
    let store = &env.deps.store;
    let inbox = store.inbox(head.id).await?;
    let cancel = inbox.iter().find_map(|item| match &item.message {
        Message::Cancel { by, reason } => Some((by.clone(), reason.clone())),
        _ => None,
    });
    let Some((by, reason)) = cancel else {
        return Ok(false);
    };
    let filter = ApprovalFilter {
        run: Some(head.id),
        status: Some(ApprovalStatus::Open),
        limit: u32::MAX,
        ..ApprovalFilter::default()
    };
    let tenant = store.tenant(head.tenant.clone());
    let mut approvals = tenant.approvals(&filter).await?;
    for approval in &mut approvals {
        approval.status = ApprovalStatus::Closed;
    }
    let end = Turn {
        tenant: head.tenant.clone(),
        run: head.id,
        shard: head.shard,
        epoch: env.epoch(head.shard).ok_or(CloseError::NoLease)?,
        first_seq: 2,
        at: env.deps.clock.now(),
        events: events(by, reason, why),
        audit: vec![record(head, why)],
        new_run: None,
        status: Some(RunStatus::Cancelled),
        finished: true,
        approvals,
        // Whoever waits for it goes on.
        locks: tenant
            .lock_of(head.id)
            .await?
            .map(|_| LockChange::Release)
            .into_iter()
            .collect(),
        inbox_done: inbox.iter().map(|item| item.id).collect(),
    };
    // The journal may be what cannot be read. The store knows where it ends.
    match store.commit(end.clone()).await {
        Err(CommitError::Conflict { expected, .. }) => {
            let end = Turn {
                first_seq: expected,
                ..end
            };
            store.commit(end).await?;
        }
        done => done?,
    }
    tracing::warn!(run = %head.id, "the run was cancelled, and closed without being loaded");
    Ok(true)
}

fn events(by: PrincipalName, reason: String, why: &LoadError) -> Vec<Event> {
    let error = StepError::new(
        ErrorKind::Internal,
        format!("the run could not be loaded: {why}; attempts without an outcome were left as they are"),
    )
    .with_hint("look at the servers that it was at work on");
    vec![
        Event::CancelRequested { by, reason },
        Event::RunFinished {
            outcome: RunOutcome::Cancelled,
            error: Some(limits::cut(error)),
        },
    ]
}

fn record(head: &RunRow, why: &LoadError) -> Draft {
    Draft {
        kind: "run.finished",
        actor: ENGINE.to_owned(),
        run: Some(head.id),
        subject: format!("run/{}", head.id),
        data: json!({
            "outcome": RunOutcome::Cancelled,
            "not_loaded": limits::text(why.to_string()),
        }),
    }
}
