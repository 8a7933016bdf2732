//! All routes, with what they need: the table that the walk over routes and roles tests.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{MethodRouter, get, post};

use super::{
    approvals, audit, fleet, home, new_run, plan, policies, run, runbooks, runs, server, sign_in, theme,
};
use crate::door::{Failure, Web, recognise};
use crate::{files, headers};

/// Forms are small.
const BODY_MAX: usize = 256 * 1024;

/// What a route needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it is there for those who are not signed in.
    Nothing,
    /// Somebody who is signed in; it shows nothing of the tenant.
    Session,
    /// A permit for this action.
    Action(&'static str),
}

/// A route. What it needs is enforced by its handler's arguments; the table says it for the test that compares.
pub(crate) struct Route {
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "read by the walk over routes and roles")
    )]
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "read by the walk over routes and roles")
    )]
    pub(crate) needs: Needs,
    handler: MethodRouter<Web>,
}

/// The table.
pub(crate) fn table() -> Vec<Route> {
    let looks = |path, action, handler: MethodRouter<Web>| Route {
        method: "GET",
        path,
        needs: Needs::Action(action),
        handler,
    };
    let does = |path, action, handler: MethodRouter<Web>| Route {
        method: "POST",
        path,
        needs: Needs::Action(action),
        handler,
    };
    let other = |method, path, needs, handler: MethodRouter<Web>| Route {
        method,
        path,
        needs,
        handler,
    };
    vec![
        other("GET", "/", Needs::Session, get(home::go)),
        other("GET", "/sign-in", Needs::Nothing, get(sign_in::ask)),
        other(
            "GET",
            "/sign-in/{link}",
            Needs::Nothing,
            get(sign_in::look_at_link),
        ),
        other(
            "POST",
            "/sign-in/token",
            Needs::Nothing,
            post(sign_in::with_token),
        ),
        other("POST", "/sign-in/link", Needs::Nothing, post(sign_in::with_link)),
        other("POST", "/sign-out", Needs::Session, post(sign_in::out)),
        other("POST", "/theme", Needs::Session, post(theme::choose)),
        looks("/fleet", "server.read", get(fleet::list)),
        looks("/fleet/{key}", "server.read", get(server::show)),
        does("/fleet/{key}/facts", "host.facts", post(server::read_facts)),
        looks("/runs", "run.read", get(runs::list)),
        does("/runs", "run.start", post(plan::start)),
        looks("/runs/new", "runbook.read", get(new_run::form)),
        looks("/runs/{key}", "run.read", get(run::show)),
        looks("/runs/{key}/steps/{step}", "run.read", get(run::step)),
        looks("/runs/{key}/events", "run.read", get(run::stream)),
        does("/runs/{key}/cancel", "run.cancel", post(run::cancel)),
        does("/runs/{key}/resolve", "run.resolve", post(run::resolve)),
        does("/plans", "plan.create", post(new_run::make_plan)),
        looks("/plans/{key}", "run.read", get(plan::show)),
        looks("/approvals", "approval.read", get(approvals::list)),
        looks("/approvals/{key}", "approval.read", get(approvals::show)),
        does("/approvals/{key}/vote", "vote.cast", post(approvals::vote)),
        looks("/runbooks", "runbook.read", get(runbooks::list)),
        looks("/runbooks/{key}", "runbook.read", get(runbooks::show)),
        looks("/policies", "policy.read", get(policies::show)),
        looks("/audit", "audit.read", get(audit::list)),
        does("/audit/export", "audit.read", post(audit::export)),
        looks("/audit/{index}", "audit.read", get(audit::show)),
    ]
}

/// The console.
pub(crate) fn routes(web: Web) -> Router {
    table()
        .into_iter()
        .fold(Router::new(), |router, route| {
            router.route(route.path, route.handler)
        })
        .fallback(|| async { Failure::nothing_here() })
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(from_fn_with_state(web.clone(), recognise))
        .merge(files::router())
        .layer(map_response(headers::add))
        .with_state(web)
}
