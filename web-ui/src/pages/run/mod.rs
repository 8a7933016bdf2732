//! One run: its page, one step of it, its stream of changes, cancelling, and deciding about unknown steps.

mod act;
mod feed;
mod grid;
mod head;
mod output;
mod parts;
mod step;
mod stream;

pub(crate) use act::{cancel, resolve};
pub(crate) use parts::drifted_changes;
pub(crate) use step::step;
pub(crate) use stream::stream;

use axum::extract::{Query, State};
use clawd_control::{RunRead, RunRow};
use serde::Deserialize;

use self::parts::Parts;
use crate::door::{AllowedOn, Answer, Web, render};
use crate::view::run::RunPage;
use crate::view::shell::Section;

#[derive(Deserialize)]
pub(crate) struct Open {
    step: Option<String>,
}

/// Shows the run.
pub(crate) async fn show(
    State(web): State<Web>,
    AllowedOn { visitor, permit }: AllowedOn<RunRead, RunRow>,
    Query(open): Query<Open>,
) -> Answer {
    let parts = Parts::look(&web, &visitor, &permit).await?;
    let open = open.step.filter(|key| !key.is_empty());
    let panel = match &open {
        Some(key) => step::panel(&web, &visitor, &permit, &parts.run, key).await?,
        None => None,
    };
    let run = &parts.run;
    let over = run.summary.status.is_final();
    render(&RunPage {
        shell: web.shell(&visitor, Section::Runs).await,
        head: parts.head(&visitor, web.now()),
        approvals: parts.approvals(&visitor, web.now()),
        graph: parts.graph(),
        grid: parts.grid(open, web.now()),
        feed: parts.feed(),
        step: panel,
        stream: (!over).then(|| format!("/runs/{}/events?after={}", run.summary.id, run.last_seq)),
    })
}
