//! What people and programs do with the control plane itself, as Cedar actions.

use clawd_model::PrincipalKind;

use crate::ResourceKind;

macro_rules! control_actions {
    ($($summary:literal: $name:ident $text:literal on $($resource:ident)|+;)*) => {
        /// An action on the control plane. Operations on servers are actions too, one each: see [`crate::Action`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ControlAction { $(#[doc = concat!("To ", $summary, ".")] $name,)* }

        impl ControlAction {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The action's name in policies: `server.read`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// The kinds of resource that it can be asked for; anything else is denied.
            #[must_use]
            pub const fn resources(self) -> &'static [ResourceKind] {
                match self { $(Self::$name => &[$(ResourceKind::$resource),+],)* }
            }

            /// What it is, in one line.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$name => $summary,)* }
            }
        }
    };
}

control_actions! {
    "see servers: the list (tenant), or one":
        ServerRead "server.read" on Tenant | Server;
    "add a server, or change its record":
        ServerAdd "server.add" on Tenant;
    "remove a server's record":
        ServerRemove "server.remove" on Server;
    "see runs, their steps and their output":
        RunRead "run.read" on Tenant | Run;
    "start a run of a runbook":
        RunStart "run.start" on Runbook;
    "cancel a run":
        RunCancel "run.cancel" on Run;
    "decide what a step came to whose outcome nobody can know":
        RunResolve "run.resolve" on Run;
    "preview a run; its read-only steps pass the gate one by one":
        PlanCreate "plan.create" on Runbook;
    "see runbooks":
        RunbookRead "runbook.read" on Tenant | Runbook;
    "publish a version of a runbook":
        RunbookPublish "runbook.publish" on Tenant | Runbook;
    "see the policies":
        PolicyRead "policy.read" on Tenant;
    "publish a policy bundle":
        PolicyPublish "policy.publish" on Tenant;
    "see requests for votes":
        ApprovalRead "approval.read" on Tenant | Approval;
    "vote on a request; people only":
        VoteCast "vote.cast" on Approval;
    "read the audit log":
        AuditRead "audit.read" on Tenant;
    "see people, agents and programs":
        PrincipalRead "principal.read" on Tenant;
    "add, change or disable people, agents and programs":
        PrincipalWrite "principal.write" on Tenant;
    "make a token for oneself":
        TokenCreate "token.create" on Tenant;
}

impl ControlAction {
    /// The kinds of principal that it can be asked by. Votes are for people: no policy can change that.
    #[must_use]
    pub const fn principals(self) -> &'static [PrincipalKind] {
        match self {
            Self::VoteCast => &[PrincipalKind::User],
            _ => &crate::names::PRINCIPAL_KINDS,
        }
    }
}
