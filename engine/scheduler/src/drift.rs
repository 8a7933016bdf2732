//! Drift: a step that would do something else now than people looked at.

use clawd_model::{ApprovalStatus, Digest, Event, StepRef};

use crate::decide::Decider;

impl Decider<'_> {
    /// The fingerprint of what a step would do now: of its change, and of its input if that is another one than
    /// people looked at (then the second value is true). `None`: nothing that could be compared.
    pub(crate) fn seen(&self, step: StepRef, change: Option<Digest>) -> (Option<Digest>, bool) {
        match (self.program.planned_input(step), self.input(step)) {
            (Some(planned), Ok(input)) => {
                let input = Digest::of_value(&input);
                if input == planned {
                    return (change, false);
                }
                let both = serde_json::json!({"change": change, "input": input});
                (Some(Digest::of_value(&both)), true)
            }
            _ => (change, false),
        }
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
        self.void_approval(step, &now);
    }

    fn void_approval(&mut self, step: StepRef, now: &str) {
        let Some(approval) = self.state.approval_of(step.job) else {
            return;
        };
        if !matches!(approval.status, ApprovalStatus::Open | ApprovalStatus::Granted) {
            return;
        }
        let approval = approval.id;
        let reason = format!(
            "{} would now do something else than planned: {now}",
            self.label(step)
        );
        self.emit(Event::ApprovalVoided { approval, reason });
        // Whoever waited on the void request waits on the next one: its gate is asked again.
        for waiting in self.lacking(step.job).collect::<Vec<_>>() {
            if waiting != step {
                self.ask_gate(waiting);
            }
        }
    }
}
