//! A driver that decides with the real scheduler and the real gate, commits to the real store, and carries every
//! attempt out at once by making its outcome up.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use clawd_audit::Draft;
use clawd_model::{
    Clock, Decision, DecisionKind, Digest, DurationMs, Event, FixedClock, Outcome, RunId, StepRef, TenantName,
};
use clawd_policy::{Action, Approvals, Policies, Request, Resource, RunFacts};
use clawd_provider::Registry;
use clawd_scheduler::{Effect, Input, Program, RunState, decide, fold};
use clawd_store::{Message, NewRunRow, Store, Turn, shard_of};
use serde_json::json;

use crate::{AdmitError, NewRun, RunDriver};

/// Drives runs within the call that admits or wakes them.
#[derive(Clone)]
pub struct InlineDriver {
    store: Store,
    registry: Arc<Registry>,
    policies: Arc<Policies>,
    clock: Arc<FixedClock>,
    /// Outcomes of steps, by `job/step`, in place of success. `None`: the attempt goes on for ever.
    script: Arc<Mutex<HashMap<String, Option<Outcome>>>>,
    changed: Arc<AtomicU32>,
    turns: Arc<tokio::sync::Mutex<()>>,
}

/// What is committed together with the events of a turn.
#[derive(Default)]
struct Extra {
    first: Option<Event>,
    new_run: Option<NewRunRow>,
    audit: Vec<Draft>,
    inbox_done: Vec<i64>,
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl InlineDriver {
    pub(super) fn new(
        store: Store,
        registry: Arc<Registry>,
        policies: Arc<Policies>,
        clock: Arc<FixedClock>,
    ) -> Self {
        Self {
            store,
            registry,
            policies,
            clock,
            script: Arc::default(),
            changed: Arc::default(),
            turns: Arc::default(),
        }
    }

    /// What attempts of a step (`rollout/apply`) come to from now on; `None`: they go on for ever.
    pub fn script(&self, step: &str, outcome: Option<Outcome>) {
        self.script
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(step.to_owned(), outcome);
    }

    /// How often policies, people or servers were said to have changed.
    #[must_use]
    pub fn changes(&self) -> u32 {
        self.changed.load(Ordering::SeqCst)
    }

    async fn take(
        &self,
        program: &Program,
        state: &mut RunState,
        inputs: impl IntoIterator<Item = Input>,
        extra: Extra,
    ) -> Result<(), Failure> {
        let first_seq = if extra.first.is_some() { 1 } else { state.seq + 1 };
        let mut events: Vec<Event> = extra.first.into_iter().collect();
        let mut inputs: VecDeque<Input> = inputs.into_iter().collect();
        let people = self.store.tenant(state.tenant.clone()).principals().await?;
        let servers = self.store.tenant(state.tenant.clone()).servers().await?;
        while let Some(input) = inputs.pop_front() {
            let turn = decide(program, state, input, self.clock.now());
            events.extend(turn.events);
            for effect in turn.effects {
                match effect {
                    Effect::AskGate { step, .. } => {
                        let decision = self.ask(program, state, step, &people, &servers);
                        inputs.push_back(Input::GateAnswered { step, decision });
                    }
                    Effect::Check { step, .. } => {
                        let planned = program.fingerprint(step).unwrap_or_else(|| Digest::of(b""));
                        inputs.push_back(Input::Checked {
                            step,
                            result: Ok((planned, String::new())),
                        });
                    }
                    Effect::StartAttempt { step, attempt, .. } => {
                        let outcome = self.outcome(program, step);
                        inputs.extend(outcome.map(|outcome| Input::AttemptFinished {
                            step,
                            attempt,
                            outcome,
                        }));
                    }
                    Effect::SetTimer { timer, .. } => inputs.push_back(Input::TimerFired(timer)),
                    // One run at a time is driven here.
                    Effect::AskLock => inputs.push_back(Input::LockAnswered { is_first: true }),
                    Effect::RecoverAttempt { .. } | Effect::AbortAttempts | Effect::Announce { .. } => {}
                }
            }
        }
        let shard = shard_of(state.run);
        let lease = self
            .store
            .acquire("test", shard, DurationMs::from_secs(60), true)
            .await?;
        let turn = Turn {
            tenant: state.tenant.clone(),
            run: state.run,
            shard,
            epoch: lease.ok_or("somebody else holds the lease")?.epoch,
            first_seq,
            at: self.clock.now(),
            events,
            audit: extra.audit,
            new_run: extra.new_run,
            status: Some(state.status()),
            finished: state.outcome.is_some(),
            approvals: state.approvals.values().cloned().collect(),
            locks: Vec::new(),
            inbox_done: extra.inbox_done,
        };
        Ok(self.store.commit(turn).await?)
    }

    fn outcome(&self, program: &Program, step: StepRef) -> Option<Outcome> {
        let label = program.workflow.step_label(step.job, step.step);
        let script = self.script.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(scripted) = script.get(&label) {
            return scripted.clone();
        }
        let planned = program.plan.step(step).and_then(|planned| planned.output.clone());
        let output = planned.unwrap_or_else(|| json!({"reboot_required": false, "before": [], "after": []}));
        Some(Outcome::Succeeded {
            output,
            changed: program.is_mutating(step),
        })
    }

    fn ask(
        &self,
        program: &Program,
        state: &RunState,
        step: StepRef,
        people: &[clawd_model::Principal],
        servers: &[clawd_model::Server],
    ) -> Decision {
        let deny = |reason: &str| Decision {
            kind: DecisionKind::Deny,
            policies: Vec::new(),
            reasons: vec![reason.to_owned()],
            voters: Vec::new(),
            bundle: Digest::of(b""),
        };
        let Some(bundle) = self.policies.current(&state.tenant) else {
            return deny("no policies");
        };
        let Some(principal) = people.iter().find(|one| one.name == state.requester) else {
            return deny("nobody");
        };
        let Some(spec) = program.step(step).and_then(|step| self.registry.spec(&step.uses)) else {
            return deny("no operation");
        };
        let server = state.target(step.job, step.lane).and_then(|target| target.server);
        let server = server.and_then(|id| servers.iter().find(|server| server.id == id));
        let now = self.clock.now();
        let approvals = state
            .approval_of(step.job)
            .map_or_else(Approvals::none, |approval| {
                Approvals::count(&approval.votes, people, approval.subject.digest(), now)
            });
        let request = Request {
            principal,
            action: Action::Operation(spec),
            resource: server.map_or(Resource::Controller(&state.tenant), Resource::Server),
            run: Some(RunFacts {
                runbook: &state.runbook,
                labels: &program.workflow.labels,
                requester: &state.requester,
            }),
            approvals: &approvals,
            now,
        };
        let mut decision = bundle.decide(&request, people);
        decision.voters = approvals.voters.into_iter().collect();
        decision
    }

    async fn read_inbox(&self, run: RunId) -> Result<(), Failure> {
        let _turn = self.turns.lock().await;
        let items = self.store.inbox(run).await?;
        let journal = self.store.journal(run).await?;
        let Some(Event::RunStarted { tenant, workflow, .. }) = journal.first().map(|first| &first.event)
        else {
            return Err("no run".into());
        };
        let store = self.store.tenant(tenant.clone());
        let version = store.runbook_by_digest(*workflow).await?.ok_or("no runbook")?;
        let plan = store.run_plan(run).await?.ok_or("no plan")?;
        let specs = self.registry.specs();
        let workflow = clawd_workflow::check(&version.source, specs)
            .workflow
            .ok_or("an invalid runbook")?;
        let program = Program::new(Arc::new(workflow), Arc::new(plan), specs);
        let mut state = fold(&program, &journal)?;
        let inbox_done = items.iter().map(|item| item.id).collect();
        let inputs: Vec<Input> = items
            .into_iter()
            .map(|item| match item.message {
                Message::Vote { vote } => Input::VoteCast { vote },
                Message::Cancel { by, reason } => Input::CancelRequested { by, reason },
                Message::Resolve {
                    step,
                    attempt,
                    outcome,
                    by,
                } => Input::UnknownResolved {
                    step,
                    attempt,
                    by,
                    outcome,
                },
            })
            .collect();
        self.take(
            &program,
            &mut state,
            inputs,
            Extra {
                inbox_done,
                ..Extra::default()
            },
        )
        .await
    }
}

#[async_trait]
impl RunDriver for InlineDriver {
    async fn admit(&self, new: NewRun) -> Result<(), AdmitError> {
        let _turn = self.turns.lock().await;
        let program = Program::new(
            Arc::clone(&new.workflow),
            Arc::clone(&new.plan),
            self.registry.specs(),
        );
        let first = Event::RunStarted {
            run: new.run,
            tenant: new.tenant,
            runbook: new.workflow.name.clone(),
            workflow: new.workflow.digest,
            plan: new.plan_digest,
            inputs: new.plan.inputs.clone(),
            requester: new.requester.clone(),
            requester_kind: new.requester_kind,
            jobs: Arc::new(new.plan.jobs.clone()),
        };
        let mut state =
            RunState::begin(&program, &first).map_err(|error| AdmitError::Unfit(error.to_string()))?;
        let row = NewRunRow {
            runbook: new.workflow.name.clone(),
            workflow: new.workflow.digest,
            plan_digest: new.plan_digest,
            plan: new.plan,
            requester: new.requester,
        };
        let extra = Extra {
            first: Some(first),
            new_run: Some(row),
            audit: new.audit,
            inbox_done: Vec::new(),
        };
        self.take(&program, &mut state, [Input::Resume], extra)
            .await
            .map_err(AdmitError::Store)
    }

    fn wake(&self, run: RunId) {
        let driver = self.clone();
        tokio::spawn(async move {
            driver.read_inbox(run).await.expect("a run that can be driven");
        });
    }

    fn policies_changed(&self, _tenant: &TenantName) {
        self.changed.fetch_add(1, Ordering::SeqCst);
    }
}
