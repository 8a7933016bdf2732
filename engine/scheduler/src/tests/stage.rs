//! A stage for tests: a program from YAML, a fake gate, and effects performed by hand.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use clawd_model::{
    ApprovalStatus, Change, Decision, DecisionKind, Digest, DurationMs, Effect as Access, Event, LaneTarget,
    MissingVotes, OnAmbiguous, OperationName, OperationSpec, Outcome, Plan, PlannedJob, PlannedStep,
    Recorded, Recovery, Risk, RunId, Scope, SeededEntropy, Server, ServerId, ServerProvider, StepError,
    StepRef, StepStatus, Timestamp, WillRun,
};
use clawd_workflow::Targets;
use serde_json::{Value, json};

use crate::{Effect, Input, Program, RunState, Timer, Turn, decide, fold};

fn spec(name: &str, effect: Access) -> OperationSpec {
    OperationSpec {
        name: name.parse().unwrap(),
        summary: "for tests".into(),
        effect,
        risk: Risk::Low,
        recovery: Recovery::Reattach,
        on_ambiguous: OnAmbiguous::Human,
        scope: Scope::Any,
        input: json!({"type": "object", "properties": {"value": {}}, "required": [], "additionalProperties": false}),
        output: json!({"type": "object", "properties": {"value": {}}, "required": ["value"], "additionalProperties": false}),
        timeout_ms: DurationMs::from_secs(10),
    }
}

pub(super) fn specs() -> BTreeMap<OperationName, OperationSpec> {
    [
        spec("look@v1", Access::ReadOnly),
        spec("change@v1", Access::Mutating),
        OperationSpec {
            risk: Risk::High,
            ..spec("shell@v1", Access::Mutating)
        },
    ]
    .into_iter()
    .map(|spec| (spec.name.clone(), spec))
    .collect()
}

pub(super) fn server(number: u64, env: &str) -> Server {
    Server {
        id: ServerId::new(Timestamp(1), &SeededEntropy::new(number)),
        tenant: "demo".parse().unwrap(),
        name: format!("web-{number}").parse().unwrap(),
        provider: ServerProvider::Sim,
        address: String::new(),
        env: env.into(),
        labels: BTreeMap::from([("role".to_owned(), "web".to_owned())]),
        protected: false,
        host_key: None,
        identity: None,
        facts: None,
        version: 1,
    }
}

/// What the test's gate says: it needs so many votes.
#[derive(Clone, Copy, Default)]
pub(super) struct Gate {
    pub(super) votes: usize,
    pub(super) denies: bool,
    /// So many more votes for these steps.
    pub(super) more: Option<fn(StepRef) -> usize>,
    /// How long votes for a step count.
    pub(super) ttl_ms: Option<fn(StepRef) -> u64>,
    /// Who is to be told.
    pub(super) notify: &'static [&'static str],
}

pub(super) struct Stage {
    pub(super) program: Program,
    pub(super) state: RunState,
    pub(super) journal: Vec<Recorded>,
    pub(super) now: Timestamp,
    pub(super) gate: Gate,
    /// Effects that wait to be performed.
    pub(super) todo: Vec<Effect>,
    /// Timers for votes that expire: hours away, so that they are no part of what is to be done.
    pub(super) expiries: Vec<(Timestamp, Timer)>,
    /// Whether the journal is folded after each input and compared.
    pub(super) folds: bool,
    /// Whether what the gate allows can begin.
    pub(super) has_room: bool,
    /// What waits for room.
    pub(super) queued: Vec<StepRef>,
}

/// The change that every planned step of these tests predicts.
pub(super) fn change() -> Change {
    Change {
        needed: true,
        summary: "a change".into(),
        diff: "+ a".into(),
        basis: json!("planned"),
    }
}

impl Stage {
    /// A run of this YAML on so many servers; the first is staging, the others are prod. Every mutating step
    /// has a predicted change when `planned`.
    pub(super) fn new(yaml: &str, servers: u64, planned: bool) -> Self {
        Self::planned(yaml, servers, |step| {
            step.change = (planned && step.uses.as_str() == "change@v1").then(change);
        })
    }

    /// A run of this YAML with these inputs.
    pub(super) fn with_inputs(yaml: &str, servers: u64, inputs: Value) -> Self {
        Self::of(yaml, servers, inputs, |_| {})
    }

    /// The same, with a plan that says of each step what `foresee` makes it say.
    pub(super) fn planned(yaml: &str, servers: u64, foresee: impl Fn(&mut PlannedStep)) -> Self {
        Self::of(yaml, servers, json!({}), foresee)
    }

    fn of(yaml: &str, servers: u64, inputs: Value, foresee: impl Fn(&mut PlannedStep)) -> Self {
        let text = format!("apiVersion: clawd.dev/v1\nkind: Runbook\nmetadata: {{name: test}}\n{yaml}");
        let checked = clawd_workflow::check(&text, &specs());
        let workflow = checked
            .workflow
            .unwrap_or_else(|| panic!("{:#?}", checked.problems));
        let fleet: Vec<Server> = (1..=servers)
            .map(|n| server(n, if n == 1 { "staging" } else { "prod" }))
            .collect();
        let jobs: Vec<PlannedJob> = workflow
            .jobs
            .iter()
            .map(|job| {
                let waves = match &job.targets {
                    Targets::Controller => vec![vec![LaneTarget::controller()]],
                    Targets::Servers(selector) => {
                        let chosen: Vec<&Server> =
                            fleet.iter().filter(|server| selector.matches(server)).collect();
                        job.strategy.waves(&chosen)
                    }
                };
                PlannedJob {
                    job: job.name.clone(),
                    waves,
                }
            })
            .collect();
        let mut steps = Vec::new();
        for (number, (job, planned_job)) in (0_u16..).zip(workflow.jobs.iter().zip(&jobs)) {
            for (lane, target) in (0_u32..).zip(planned_job.waves.iter().flatten()) {
                for (index, step) in (0_u16..).zip(&job.steps) {
                    let mut planned = PlannedStep {
                        step_ref: StepRef {
                            job: number,
                            lane,
                            step: index,
                        },
                        step: step.name.clone(),
                        job: job.name.clone(),
                        target: target.clone(),
                        uses: step.uses.clone(),
                        will_run: WillRun::Yes,
                        input: None,
                        change: None,
                        output: None,
                        decision: None,
                        error: None,
                    };
                    foresee(&mut planned);
                    steps.push(planned);
                }
            }
        }
        let plan = Plan {
            tenant: "demo".parse().unwrap(),
            runbook: "test".parse().unwrap(),
            workflow: workflow.digest,
            inputs: inputs.clone(),
            selector: None,
            requester: "ana".parse().unwrap(),
            at: Timestamp(1),
            jobs,
            steps,
        };
        let program = Program::new(Arc::new(workflow), Arc::new(plan), &specs());
        let first = Event::RunStarted {
            run: RunId::new(Timestamp(1), &SeededEntropy::new(1)),
            tenant: "demo".parse().unwrap(),
            runbook: "test".parse().unwrap(),
            workflow: program.workflow.digest,
            plan: program.plan_digest,
            inputs,
            requester: "ana".parse().unwrap(),
            requester_kind: clawd_model::PrincipalKind::User,
            jobs: Arc::new(program.plan.jobs.clone()),
        };
        let now = Timestamp(1_000_000);
        let state = RunState::begin(&program, &first).unwrap();
        let journal = vec![Recorded {
            seq: 1,
            at: now,
            event: first,
        }];
        Self {
            program,
            state,
            journal,
            now,
            gate: Gate::default(),
            todo: Vec::new(),
            expiries: Vec::new(),
            folds: true,
            has_room: true,
            queued: Vec::new(),
        }
    }

    /// Decides, answers the gate, and keeps the effects for later.
    pub(super) fn give(&mut self, input: Input) -> &mut Self {
        self.go_on(Ok(input))
    }

    /// Asks the gate for a step that waited for room.
    pub(super) fn ask(&mut self, step: StepRef) -> &mut Self {
        self.go_on(Err(step))
    }

    fn go_on(&mut self, first: Result<Input, StepRef>) -> &mut Self {
        let mut inputs = VecDeque::from([first]);
        while let Some(next) = inputs.pop_front() {
            let input = next.unwrap_or_else(|step| match self.answer(step) {
                decision if decision.is_allow() && !self.has_room => {
                    self.queued.push(step);
                    Input::NoRoom { step }
                }
                decision => Input::GateAnswered { step, decision },
            });
            let Turn { events, effects } = decide(&self.program, &mut self.state, input, self.now);
            for event in events {
                let seq = self.journal.len() as u64 + 1;
                self.journal.push(Recorded {
                    seq,
                    at: self.now,
                    event,
                });
            }
            for effect in effects {
                match effect {
                    Effect::AskGate { step, .. } => inputs.push_back(Err(step)),
                    Effect::SetTimer {
                        at,
                        timer: timer @ Timer::Votes(_),
                    } => self.expiries.push((at, timer)),
                    other => self.todo.push(other),
                }
            }
        }
        if self.folds {
            let folded = fold(&self.program, &self.journal).expect("the journal folds");
            assert_eq!(folded, self.state, "replaying the journal gives the live state");
        }
        self
    }

    fn answer(&self, step: StepRef) -> Decision {
        let ttl = self.gate.ttl_ms.map_or(u64::MAX / 2, |ttl| ttl(step));
        let counted: Vec<_> = match self.state.approval_of(step.job) {
            Some(approval) if matches!(approval.status, ApprovalStatus::Open | ApprovalStatus::Granted) => {
                let counts = |vote: &&clawd_model::Vote| {
                    vote.expires_at > self.now && vote.at.plus(DurationMs(ttl)) > self.now
                };
                let votes = approval.votes.iter().filter(counts);
                votes.map(|vote| vote.voter.clone()).collect()
            }
            _ => Vec::new(),
        };
        let votes = counted.len();
        let wanted = self.gate.votes + self.gate.more.map_or(0, |more| more(step));
        let kind = if self.gate.denies {
            DecisionKind::Deny
        } else if votes < wanted && self.program.is_mutating(step) {
            let distinct = u32::try_from(wanted - votes).unwrap();
            let missing = vec![MissingVotes {
                groups: BTreeMap::new(),
                distinct,
                candidates: Vec::new(),
            }];
            DecisionKind::NeedsApproval {
                missing,
                ttl_ms: self.gate.ttl_ms.map(|ttl| ttl(step)),
                notify: self.gate.notify.iter().map(|name| (*name).to_owned()).collect(),
            }
        } else {
            DecisionKind::Allow
        };
        Decision {
            kind,
            policies: Vec::new(),
            reasons: vec!["test".into()],
            voters: counted.into_iter().filter(|_| wanted > 0).collect(),
            bundle: Digest::of(b"bundle"),
        }
    }

    /// Takes the effects that wait.
    pub(super) fn take(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.todo)
    }

    /// Performs everything that waits, attempts by `outcome` (asked with the step's label and the try), until
    /// nothing is left but waiting for people.
    pub(super) fn play(&mut self, outcome: &mut dyn FnMut(&str, u32) -> Outcome) -> &mut Self {
        while let Some(effect) = self.todo.pop() {
            self.perform(effect, outcome);
        }
        self
    }

    pub(super) fn perform(&mut self, effect: Effect, outcome: &mut dyn FnMut(&str, u32) -> Outcome) {
        match effect {
            Effect::StartAttempt { step, attempt, .. } | Effect::RecoverAttempt { step, attempt, .. } => {
                let outcome = outcome(&self.label(step), attempt);
                self.give(Input::AttemptFinished {
                    step,
                    attempt,
                    outcome,
                });
            }
            Effect::Check { step, .. } => {
                self.give(Input::Checked {
                    step,
                    result: Ok((change().fingerprint(), "a change".into())),
                });
            }
            Effect::SetTimer { at, timer } => {
                self.now = self.now.max(at);
                self.give(Input::TimerFired(timer));
            }
            Effect::AskLock => {
                self.give(Input::LockAnswered { is_first: true });
            }
            Effect::Announce { approval, channel } => {
                self.give(Input::Announced { approval, channel });
            }
            Effect::AskGate { .. } | Effect::AbortAttempts => {}
        }
    }

    pub(super) fn label(&self, step: StepRef) -> String {
        let job = self.program.job(step.job).unwrap();
        let target = self.state.target(step.job, step.lane).unwrap();
        format!(
            "{}/{}/{}",
            job.name,
            target.name,
            job.steps[usize::from(step.step)].name
        )
    }

    /// The status of every step that is not pending, as `job/server/step status`.
    pub(super) fn statuses(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (job, state) in (0_u16..).zip(&self.state.jobs) {
            for (lane, slot) in (0_u32..).zip(&state.lanes) {
                for (step, state) in (0_u16..).zip(&slot.steps) {
                    if state.status() != StepStatus::Pending {
                        lines.push(format!(
                            "{} {}",
                            self.label(StepRef { job, lane, step }),
                            state.status().as_str()
                        ));
                    }
                }
            }
        }
        lines
    }

    /// The process dies: everything in memory is lost, and the journal is read back and folded.
    pub(super) fn crash(&mut self) -> &mut Self {
        self.todo.clear();
        self.queued.clear();
        self.expiries.clear();
        let stored = serde_json::to_string(&self.journal).expect("events are JSON");
        let journal: Vec<Recorded> = serde_json::from_str(&stored).expect("events are read back");
        assert_eq!(journal, self.journal, "what is read back is what was written");
        self.state = fold(&self.program, &journal).expect("the journal folds");
        self.give(Input::Resume)
    }
}

pub(super) fn fine() -> Outcome {
    Outcome::Succeeded {
        output: json!({"value": 1}),
        changed: true,
    }
}

pub(super) fn failed(kind: clawd_model::ErrorKind) -> Outcome {
    Outcome::Failed {
        error: StepError::new(kind, "as the test wants"),
    }
}

pub(super) fn unknown() -> Outcome {
    Outcome::Unknown {
        error: StepError::new(clawd_model::ErrorKind::Indeterminate, "as the test wants"),
    }
}

pub(super) fn nothing() -> Value {
    json!({"value": null})
}
