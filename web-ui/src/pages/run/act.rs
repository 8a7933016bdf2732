//! Cancels a run, and decides about its unknown steps.

use axum::extract::State;
use axum::response::{IntoResponse, Redirect};
use clawd_control::{RunCancel, RunRead, RunResolve, RunRow, cancel_run, resolve_unknown, show_run};
use clawd_model::api::{Resolution, ResolveStep};
use serde_json::Value;

use super::grid::key;
use super::head::steps;
use crate::door::{AllowedOn, Answer, Failure, Sent, Web};

/// Cancels the run.
pub(crate) async fn cancel(AllowedOn { permit, .. }: AllowedOn<RunCancel, RunRow>, sent: Sent) -> Answer {
    let run = cancel_run(&permit, sent.text("reason").trim()).await?;
    Ok(Redirect::to(&format!("/runs/{}?done=cancelled", run.id)).into_response())
}

/// Says what an unknown step came to.
pub(crate) async fn resolve(
    State(web): State<Web>,
    AllowedOn { visitor, permit }: AllowedOn<RunResolve, RunRow>,
    sent: Sent,
) -> Answer {
    let resolution = match sent.text("outcome") {
        "done" => Resolution::Happened {
            output: Value::Null,
            changed: true,
        },
        "again" => Resolution::DidNotHappen,
        "failed" => Resolution::Failed {
            message: "the step was given up".to_owned(),
        },
        other => return Err(Failure::invalid(format!("`{other}` is no outcome"))),
    };
    let wanted = sent.text("step");
    // What the form showed: a form that is older than the last attempt is refused.
    let attempt = sent
        .text("attempt")
        .parse()
        .map_err(|_| Failure::invalid(format!("`{}` is no attempt", sent.text("attempt"))))?;
    let reading = web
        .app
        .permit_on::<RunRead, RunRow>(&visitor.caller, &permit.on().id)
        .await
        .map_err(Failure::refused)?;
    let view = show_run(&reading).await?;
    let path = steps(&view)
        .find(|(_, step)| key(step.step_ref) == wanted)
        .map(|(_, step)| step.path.clone())
        .ok_or_else(|| Failure::no_such("step", wanted))?;
    let run = resolve_unknown(
        &permit,
        ResolveStep {
            step: path,
            attempt,
            resolution,
        },
    )
    .await?;
    Ok(Redirect::to(&format!("/runs/{}?step={wanted}&done=resolved", run.id)).into_response())
}
