//! The audit record of each event: who did what to what, and why it was allowed.
//!
//! Votes, cancellations and decisions on unknown steps are recorded by the use case that a person called, in the
//! transaction that posted them; here they are not recorded a second time.

use std::collections::HashMap;

use clawd_audit::Draft;
use clawd_model::{DecisionKind, Event, Outcome, StepRef};
use clawd_scheduler::{Program, RunState};
use serde_json::{Value, json};

/// Who acts when the engine does.
const ENGINE: &str = "engine";

/// Turns events into audit records.
pub(crate) struct Recorder<'a> {
    pub(crate) program: &'a Program,
    pub(crate) state: &'a RunState,
    /// What became of the attempts' output: bytes and digest.
    pub(crate) outputs: &'a HashMap<(StepRef, u32), Value>,
}

impl Recorder<'_> {
    /// The record of an event; `None` for those that are recorded elsewhere, or say nothing new.
    pub(crate) fn draft(&self, event: &Event) -> Option<Draft> {
        match event {
            Event::RunStarted {
                runbook,
                workflow,
                plan,
                inputs,
                requester,
                ..
            } => Some(Draft {
                kind: "run.started",
                actor: format!("user:{requester}"),
                run: Some(self.state.run),
                subject: format!("run/{}", self.state.run),
                data: json!({"runbook": runbook, "workflow": workflow, "plan": plan, "inputs": inputs}),
            }),
            Event::StepSkipped { step, reason } => {
                Some(self.of_step("step.skipped", *step, json!({"reason": reason})))
            }
            Event::StepFailed { step, error } => {
                Some(self.of_step("step.failed", *step, json!({"error": error})))
            }
            Event::StepChecked {
                step,
                fingerprint,
                drifted: true,
                now,
            } => Some(self.of_step(
                "plan.drifted",
                *step,
                json!({"now": now, "fingerprint": fingerprint}),
            )),
            Event::GateDecided { step, decision } => {
                let kind = match decision.kind {
                    DecisionKind::Allow => "gate.allowed",
                    DecisionKind::Deny => "gate.denied",
                    DecisionKind::NeedsApproval { .. } => "gate.needs_approval",
                };
                let votes = self.votes(*step);
                let data = json!({
                    "policies": decision.policies, "reasons": decision.reasons, "bundle": decision.bundle,
                    "action": self.action(*step), "principal": self.state.requester, "votes": votes,
                });
                Some(self.of_step(kind, *step, data))
            }
            Event::AttemptStarted {
                step,
                attempt,
                id,
                input,
            } => {
                let data = json!({"attempt": attempt, "id": id, "input": input, "uses": self.action(*step)});
                Some(self.of_step("attempt.started", *step, data))
            }
            Event::AttemptFinished {
                step,
                attempt,
                outcome,
            } => Some(self.finished(*step, *attempt, outcome)),
            Event::ApprovalRequested {
                approval,
                subject,
                missing,
                reasons,
                ..
            } => {
                let data = json!({"subject": subject.digest(), "plan": subject.plan, "job": subject.job, "missing": missing, "reasons": reasons});
                Some(self.of_run("approval.requested", approval.to_string(), data))
            }
            Event::ApprovalGranted { approval } => {
                let votes = self.state.approvals.get(approval).map(|approval| &approval.votes);
                Some(self.of_run("approval.granted", approval.to_string(), json!({"votes": votes})))
            }
            Event::ApprovalRejected { approval, by } => {
                Some(self.of_run("approval.rejected", approval.to_string(), json!({"by": by})))
            }
            Event::ApprovalVoided { approval, reason } => {
                Some(self.of_run("approval.voided", approval.to_string(), json!({"reason": reason})))
            }
            Event::JobSkipped { job, reason, .. } => {
                let name = self.program.job(*job).map_or("?", |job| job.name.as_str());
                Some(self.of_run("job.skipped", name.to_owned(), json!({"reason": reason})))
            }
            Event::RunFinished { outcome } => Some(self.of_run(
                "run.finished",
                format!("run/{}", self.state.run),
                json!({"outcome": outcome}),
            )),
            Event::StepChecked { .. }
            | Event::VoteCast { .. }
            | Event::ApprovalUpdated { .. }
            | Event::RetryScheduled { .. }
            | Event::UnknownResolved { .. }
            | Event::SoakStarted { .. }
            | Event::WaveStarted { .. }
            | Event::CancelRequested { .. } => None,
        }
    }

    fn finished(&self, step: StepRef, attempt: u32, outcome: &Outcome) -> Draft {
        let (kind, mut data) = match outcome {
            Outcome::Succeeded { output, changed } => {
                let digest = clawd_model::Digest::of_value(output);
                (
                    "attempt.succeeded",
                    json!({"attempt": attempt, "changed": changed, "result": digest}),
                )
            }
            Outcome::Failed { error } => ("attempt.failed", json!({"attempt": attempt, "error": error})),
            Outcome::Unknown { error } => ("attempt.unknown", json!({"attempt": attempt, "error": error})),
        };
        if let (Some(map), Some(output)) = (data.as_object_mut(), self.outputs.get(&(step, attempt))) {
            map.insert("output".to_owned(), output.clone());
        }
        self.of_step(kind, step, data)
    }

    fn votes(&self, step: StepRef) -> Vec<&clawd_model::PrincipalName> {
        self.state
            .approval_of(step.job)
            .into_iter()
            .flat_map(|approval| &approval.votes)
            .map(|vote| &vote.voter)
            .collect()
    }

    fn action(&self, step: StepRef) -> &str {
        self.program.step(step).map_or("?", |step| step.uses.as_str())
    }

    fn of_step(&self, kind: &'static str, step: StepRef, data: Value) -> Draft {
        Draft {
            kind,
            actor: ENGINE.to_owned(),
            run: Some(self.state.run),
            subject: label(self.program, self.state, step),
            data,
        }
    }

    fn of_run(&self, kind: &'static str, subject: String, data: Value) -> Draft {
        Draft {
            kind,
            actor: ENGINE.to_owned(),
            run: Some(self.state.run),
            subject,
            data,
        }
    }
}

/// `job/server/step`, as people know it.
pub(crate) fn label(program: &Program, state: &RunState, step: StepRef) -> String {
    let job = program.job(step.job).map_or("?", |job| job.name.as_str());
    let target = state
        .target(step.job, step.lane)
        .map_or("?", |target| target.name.as_str());
    let name = program.step(step).map_or("?", |step| step.name.as_str());
    format!("{job}/{target}/{name}")
}
