//! The audit record of each event: who did what to what, and why it was allowed.
//!
//! Votes, cancellations and decisions on unknown steps are recorded by the use case that a person called, in the
//! transaction that posted them; here they are not recorded a second time.

use std::collections::HashMap;

use clawd_audit::Draft;
use clawd_model::{Decision, DecisionKind, Event, Outcome, StepRef};
use clawd_scheduler::{Program, RunState};
use serde_json::{Value, json};

/// Who acts when the engine does.
pub(crate) const ENGINE: &str = "engine";

/// Turns events into audit records.
pub(crate) struct Recorder<'a> {
    pub(crate) program: &'a Program,
    pub(crate) state: &'a RunState,
    /// What became of the attempts' output: bytes and digest.
    pub(crate) outputs: &'a HashMap<(StepRef, u32), Value>,
}

impl Recorder<'_> {
    /// The record of an event; `None` for those that are recorded elsewhere, or say nothing new.
    #[expect(clippy::too_many_lines, reason = "an arm for each event")]
    pub(crate) fn draft(&self, event: &Event) -> Option<Draft> {
        match event {
            Event::RunStarted {
                runbook,
                workflow,
                plan,
                inputs,
                requester,
                requester_kind,
                ..
            } => Some(Draft {
                kind: "run.started",
                actor: format!("{}:{requester}", requester_kind.as_str().to_ascii_lowercase()),
                run: Some(self.state.run),
                subject: format!("run/{}", self.state.run),
                data: json!({"runbook": runbook, "workflow": workflow, "plan": plan, "inputs": inputs}),
            }),
            Event::LockRequested { lock } => {
                Some(self.of_run("lock.requested", format!("lock/{lock}"), json!({})))
            }
            Event::LockTaken { lock } => Some(self.of_run("lock.taken", format!("lock/{lock}"), json!({}))),
            Event::InputSeen { step, input } => {
                Some(self.of_step("input.seen", *step, json!({"input": input})))
            }
            Event::ApprovalAnnounced { approval, channel } => Some(self.of_run(
                "approval.announced",
                approval.to_string(),
                json!({"channel": channel}),
            )),
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
                Some(self.of_step(kind, *step, self.decided(*step, decision)))
            }
            Event::AttemptStarted {
                step,
                attempt,
                id,
                input,
                decision,
            } => {
                let data = json!({
                    "allowed": self.decided(*step, decision), "attempt": attempt, "id": id, "input": input,
                });
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
            Event::ApprovalGranted { approval, voters } => {
                let cast = self.state.approvals.get(approval).map(|approval| &approval.votes);
                let counted = |vote: &&clawd_model::Vote| voters.contains(&vote.voter);
                let votes: Vec<_> = cast.into_iter().flatten().filter(counted).collect();
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
            Event::RunFinished { outcome, error } => {
                let mut data = json!({"outcome": outcome});
                if let (Some(map), Some(error)) = (data.as_object_mut(), error) {
                    map.insert("error".to_owned(), json!(error));
                }
                Some(self.of_run("run.finished", format!("run/{}", self.state.run), data))
            }
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

    /// What the gate was asked, and why it answered as it did.
    fn decided(&self, step: StepRef, decision: &Decision) -> Value {
        json!({
            "action": self.action(step), "bundle": decision.bundle, "policies": decision.policies,
            "principal": self.state.requester, "reasons": decision.reasons, "votes": decision.voters,
        })
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
    [job, target, name].join("/")
}
