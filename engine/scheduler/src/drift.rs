//! Drift: a step that would do something else now than people looked at.

use std::collections::BTreeSet;

use clawd_model::{ApprovalStatus, Digest, Event, StepRef};

use crate::decide::Decider;
use crate::state::steps_of;

impl Decider<'_> {
    /// The fingerprint of what a step would do now: of its change, and of its input if that is another one than
    /// people looked at (then the second value is true). `None`: nothing that could be compared.
    pub(crate) fn seen(&self, step: StepRef, change: Option<Digest>) -> (Option<Digest>, bool) {
        let Some(planned) = self.program.planned_input(step) else {
            return (change, false);
        };
        let Ok(input) = self.input(step) else {
            return (change, false);
        };
        let input = Digest::of_value(&input);
        if input == planned {
            return (change, false);
        }
        let both = serde_json::json!({"change": change, "input": input});
        (Some(Digest::of_value(&both)), true)
    }

    /// The fingerprint of what people looked at, or were asked anew about.
    pub(crate) fn expected(&self, step: StepRef) -> Option<Digest> {
        let anew = self.state.drifted.get(&step).copied();
        anew.or_else(|| self.program.fingerprint(step))
    }

    /// The step would do something else than people looked at: their votes are no votes for that.
    pub(crate) fn drifted(&mut self, step: StepRef, fingerprint: Digest, now: String) {
        self.emit(Event::StepChecked {
            step,
            fingerprint,
            drifted: true,
            now: now.clone(),
        });
        let reason = format!(
            "{} would now do something else than planned: {now}",
            self.label(step)
        );
        self.void_approval(step, reason);
    }

    /// The votes of a job no longer count: they are for something else than `step` would do now. The caller asks the
    /// gate for the step; whoever else waited on the void request waits on the next one.
    pub(crate) fn void_approval(&mut self, step: StepRef, reason: String) {
        let Some(approval) = self.state.approval_of(step.job) else {
            return;
        };
        if !matches!(approval.status, ApprovalStatus::Open | ApprovalStatus::Granted) {
            return;
        }
        let approval = approval.id;
        self.emit(Event::ApprovalVoided { approval, reason });
        if self.holds_back(step.job) {
            return;
        }
        for waiting in self.lacking(step.job).collect::<Vec<_>>() {
            if waiting != step {
                self.ask_gate(waiting);
            }
        }
    }

    /// Whether the next request of a job has to wait for looks that are under way. Where one server has drifted
    /// others may have, and people should be asked once about all of them: a thousand that drift are one request,
    /// not a thousand that void each other. It waits for the looks of now and for no later ones, so that it comes.
    pub(crate) fn holds_back(&mut self, job: u16) -> bool {
        if self.state.looking.awaited.contains_key(&job) {
            return true;
        }
        let was_void = self
            .state
            .jobs
            .get(usize::from(job))
            .is_some_and(|state| state.was_void);
        if !was_void && self.state.drifted.range(steps_of(job)).next().is_none() {
            return false;
        }
        let looks: BTreeSet<StepRef> = self.state.looking.steps.range(steps_of(job)).copied().collect();
        if looks.is_empty() {
            return false;
        }
        self.state.looking.awaited.insert(job, looks);
        true
    }

    /// A look is over. True when a request was held back for it, and for nothing else any more.
    pub(crate) fn look_over(&mut self, step: StepRef) -> bool {
        let looking = &mut self.state.looking;
        looking.steps.remove(&step);
        if let Some(awaited) = looking.awaited.get_mut(&step.job) {
            awaited.remove(&step);
            if awaited.is_empty() {
                looking.awaited.remove(&step.job);
                return true;
            }
        }
        false
    }
}
