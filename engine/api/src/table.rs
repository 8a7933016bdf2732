//! All routes of the API, in one table.

use crate::handlers::{
    approvals, audit, health, own, plans, policies, principals, runbooks, runs, servers, tokens,
};
use crate::route::Routes;

/// All routes.
pub(crate) fn routes() -> Routes {
    Routes::default()
        .guarded(servers::list::__path_handle, servers::list::handle)
        .guarded(servers::show::__path_handle, servers::show::handle)
        .guarded(servers::probe::__path_handle, servers::probe::handle)
        .guarded(servers::add::__path_handle, servers::add::handle)
        .guarded(servers::remove::__path_handle, servers::remove::handle)
        .guarded(
            servers::refresh_facts::__path_handle,
            servers::refresh_facts::handle,
        )
        .guarded(runbooks::list::__path_handle, runbooks::list::handle)
        .guarded(runbooks::show::__path_handle, runbooks::show::handle)
        .guarded(runbooks::check::__path_handle, runbooks::check::handle)
        .guarded(runbooks::publish::__path_handle, runbooks::publish::handle)
        .guarded(plans::make::__path_handle, plans::make::handle)
        .guarded(plans::show::__path_handle, plans::show::handle)
        .guarded(runs::start_planned::__path_handle, runs::start_planned::handle)
        .guarded(runs::start::__path_handle, runs::start::handle)
        .guarded(runs::list::__path_handle, runs::list::handle)
        .guarded(runs::show::__path_handle, runs::show::handle)
        .guarded(runs::events::__path_handle, runs::events::handle)
        .guarded(runs::output::__path_handle, runs::output::handle)
        .guarded(runs::cancel::__path_handle, runs::cancel::handle)
        .guarded(runs::resolve::__path_handle, runs::resolve::handle)
        .guarded(approvals::list::__path_handle, approvals::list::handle)
        .guarded(approvals::show::__path_handle, approvals::show::handle)
        .guarded(approvals::vote::__path_handle, approvals::vote::handle)
        .guarded(policies::show::__path_handle, policies::show::handle)
        .guarded(policies::publish::__path_handle, policies::publish::handle)
        .guarded(policies::explain::__path_handle, policies::explain::handle)
        .guarded(audit::list::__path_handle, audit::list::handle)
        .guarded(audit::show::__path_handle, audit::show::handle)
        .guarded(audit::tree::__path_handle, audit::tree::handle)
        .guarded(audit::export::__path_handle, audit::export::handle)
        .guarded(principals::list::__path_handle, principals::list::handle)
        .guarded(principals::put::__path_handle, principals::put::handle)
        .guarded(tokens::list::__path_handle, tokens::list::handle)
        .guarded(tokens::create::__path_handle, tokens::create::handle)
        .guarded(tokens::revoke::__path_handle, tokens::revoke::handle)
        .guarded(tokens::link::__path_handle, tokens::link::handle)
        .personal(own::whoami::__path_handle, own::whoami::handle)
        .personal(own::sign_out::__path_handle, own::sign_out::handle)
        .open(
            health::live::__path_handle,
            health::live::handle,
            "an orchestrator asks it without a token",
        )
        .open(
            health::ready::__path_handle,
            health::ready::handle,
            "an orchestrator asks it without a token",
        )
        .open(
            crate::document::__path_handle,
            crate::document::handle,
            "it is part of the public documentation",
        )
}
