//! One marker type per control action, so that a permit for one action is no permit for another; and which action
//! can be asked for on what, so that a question that the gate could only deny does not compile.

use clawd_model::Server;
use clawd_policy::ControlAction;
use clawd_store::RunRow;

use super::target::{ApprovalOn, PlanOn, PlannedRun, RunbookOn, Whole};

mod sealed {
    pub trait Sealed {}
}

/// A control action, as a type.
pub trait Act: sealed::Sealed + Send + Sync + 'static {
    /// What the gate is asked.
    const ACTION: ControlAction;
}

/// An action that can be asked for on `On`.
pub trait ActsOn<On>: Act {}

macro_rules! acts {
    ($($(#[$doc:meta])* $name:ident on $($on:ident)|+;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub enum $name {}
        impl sealed::Sealed for $name {}
        impl Act for $name {
            const ACTION: ControlAction = ControlAction::$name;
        }
        $(impl ActsOn<$on> for $name {})+
    )*
        #[cfg(test)]
        const ALL: &[(ControlAction, &[clawd_policy::ResourceKind])] =
            &[$((ControlAction::$name, &[$(<$on as super::target::Target>::RESOURCE),+])),*];
    };
}

acts! {
    /// See requests for votes.
    ApprovalRead on Whole | ApprovalOn;
    /// Read and export the audit log.
    AuditRead on Whole;
    /// Make a plan: look at servers, change nothing.
    PlanCreate on RunbookOn;
    /// Publish policies.
    PolicyPublish on Whole;
    /// Read policies, and ask what the gate would say.
    PolicyRead on Whole;
    /// See people, groups and tokens.
    PrincipalRead on Whole;
    /// Add, change and disable people, and sign in for them.
    PrincipalWrite on Whole;
    /// Cancel a run.
    RunCancel on RunRow;
    /// See runs, and plans of them.
    RunRead on Whole | RunRow | PlannedRun;
    /// Decide what an unknown step came to.
    RunResolve on RunRow;
    /// Start a run.
    RunStart on RunbookOn | PlanOn;
    /// Publish a runbook.
    RunbookPublish on Whole | RunbookOn;
    /// See runbooks.
    RunbookRead on Whole | RunbookOn;
    /// Add a server.
    ServerAdd on Whole;
    /// See servers.
    ServerRead on Whole | Server;
    /// Remove a server.
    ServerRemove on Server;
    /// Make tokens and sign-in links for oneself.
    TokenCreate on Whole;
    /// Vote.
    VoteCast on ApprovalOn;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_control_action_has_a_type_and_the_resources_of_the_schema() {
        for action in ControlAction::ALL {
            let (_, resources) = ALL
                .iter()
                .find(|(named, _)| named == action)
                .expect("a marker type");
            let mut ours = resources.to_vec();
            let mut schema = action.resources().to_vec();
            ours.sort();
            ours.dedup();
            schema.sort();
            assert_eq!(ours, schema, "{}", action.as_str());
        }
    }
}
