//! `triggers`: manual and schedule.

use super::keys;
use super::node::{Kind, Node, beginning};
use super::read::{self, fields};
use crate::codes;
use crate::problems::Problems;
use crate::schedule::{Schedule, Triggers, check_cron};

/// Reads what may start a run.
pub(crate) fn triggers(node: &Node, problems: &Problems) -> Triggers {
    let Some(triggers) = fields(node, &keys::TRIGGERS, problems) else {
        return Triggers::default();
    };
    let manual = triggers.get("manual");
    if let Some(manual) = manual
        && !matches!(manual.kind, Kind::Null)
    {
        fields(manual, &keys::MANUAL, problems);
    }
    let schedule = triggers.get("schedule").and_then(|node| schedule(node, problems));
    Triggers {
        manual: manual.is_some(),
        schedule,
    }
}

fn schedule(node: &Node, problems: &Problems) -> Option<Schedule> {
    let schedule = fields(node, &keys::SCHEDULE, problems)?;
    let cron = schedule
        .require("cron", problems)
        .and_then(|node| read::text(node, "`cron`", problems));
    if let Some(cron) = &cron
        && let Err(why) = check_cron(cron.value)
    {
        let hint = "minute, hour, day of the month, month, day of the week: `0 3 * * 2`".to_owned();
        problems.error_with_hint(&codes::INVALID_SCHEDULE, cron.span, why, hint);
    }
    problems.warning(
        &codes::SCHEDULE_NOT_RUN,
        beginning(node.span),
        "nothing starts runs on a schedule: this version does not act on it",
        "start the run from outside at these times: `clawd run start NAME`, from cron or a systemd timer",
    );
    let window = schedule.get("window");
    let window = window.and_then(|node| read::name::<clawd_model::RunbookName>(node, "a window", problems));
    Some(Schedule {
        cron: cron?.value.to_owned(),
        window: window.map(|window| window.value.as_str().to_owned()),
    })
}
