//! The keys of the language, mapping by mapping: what the parser accepts, and what the JSON schema must list.

/// One kind of mapping.
pub(crate) struct Shape {
    /// What it is, for messages: `a step`.
    pub(crate) what: &'static str,
    /// Its keys.
    pub(crate) keys: &'static [&'static str],
    /// Words of other tools, and what is written here instead.
    pub(crate) foreign: &'static [(&'static str, &'static str)],
}

pub(crate) const RUNBOOK: Shape = Shape {
    what: "a runbook",
    keys: &[
        "apiVersion",
        "kind",
        "metadata",
        "triggers",
        "inputs",
        "targets",
        "lock",
        "jobs",
    ],
    foreign: &[
        ("on", "runs are started by what stands under `triggers`"),
        ("name", "the name stands in `metadata: {name: …}`"),
        ("hosts", "servers are chosen by `targets: {selector: …}`"),
        ("steps", "steps stand in a job: `jobs: {NAME: {steps: […]}}`"),
        ("vars", "values that a run is given stand under `inputs`"),
        ("concurrency", "one change at a time is `lock: NAME`"),
    ],
};

pub(crate) const METADATA: Shape = Shape {
    what: "the metadata",
    keys: &["name", "labels", "description"],
    foreign: &[],
};

pub(crate) const TRIGGERS: Shape = Shape {
    what: "the triggers",
    keys: &["manual", "schedule"],
    foreign: &[
        ("cron", "write `schedule: {cron: …}`"),
        ("workflow_dispatch", "write `manual: {}`"),
    ],
};

pub(crate) const MANUAL: Shape = Shape {
    what: "the manual trigger",
    keys: &[],
    foreign: &[],
};

pub(crate) const SCHEDULE: Shape = Shape {
    what: "a schedule",
    keys: &["cron", "window"],
    foreign: &[],
};

pub(crate) const INPUT: Shape = Shape {
    what: "an input",
    keys: &["type", "description", "default", "values", "min", "max"],
    foreign: &[
        ("required", "an input without a `default` is required"),
        ("options", "the values of an enum stand under `values`"),
        ("enum", "write `type: enum` and `values: […]`"),
    ],
};

pub(crate) const TARGETS: Shape = Shape {
    what: "the targets",
    keys: &["selector", "facts_max_age"],
    foreign: &[(
        "hosts",
        "servers are chosen by labels: `selector: \"name=web-1\"`",
    )],
};

pub(crate) const JOB: Shape = Shape {
    what: "a job",
    keys: &[
        "needs", "if", "targets", "strategy", "approval", "steps", "rescue", "always", "outputs",
    ],
    foreign: &[
        ("depends_on", "write `needs: […]`"),
        ("when", "write `if: \"${{ … }}\"`"),
        ("runs-on", "servers are chosen by `targets: {selector: …}`"),
        ("hosts", "servers are chosen by `targets: {selector: …}`"),
        ("serial", "write `strategy: {serial: […]}`"),
        ("tasks", "write `steps: […]`"),
        ("retry", "steps are retried: put `retry` on the step"),
        ("timeout", "steps have time limits: put `timeout` on the step"),
        ("lock", "locks are taken by whole runs: put `lock` at the top"),
    ],
};

pub(crate) const STRATEGY: Shape = Shape {
    what: "a strategy",
    keys: &["canary", "serial", "max_fail_percentage", "soak"],
    foreign: &[
        ("max_parallel", "write `serial: N`"),
        ("fail-fast", "write `max_fail_percentage: 0`"),
    ],
};

pub(crate) const APPROVAL: Shape = Shape {
    what: "an approval",
    keys: &["quorum", "groups"],
    foreign: &[],
};

pub(crate) const STEP: Shape = Shape {
    what: "a step",
    keys: &["id", "uses", "with", "if", "retry", "timeout"],
    foreign: &[
        ("name", "a step is named by `id`"),
        ("run", "a command is `uses: shell@v1` with `argv: […]`"),
        ("shell", "a command is `uses: shell@v1` with `argv: […]`"),
        ("when", "write `if: \"${{ … }}\"`"),
        ("args", "write `with: {…}`"),
        ("retries", "write `retry: {attempts: N}`"),
        ("timeout-minutes", "write `timeout: 10m`"),
        ("needs", "steps run in order; jobs have `needs`"),
        (
            "approval",
            "approvals are asked for by jobs: put `approval` on the job",
        ),
    ],
};

pub(crate) const RETRY: Shape = Shape {
    what: "a retry",
    keys: &["attempts", "backoff", "backoff_max", "errors"],
    foreign: &[
        ("delay", "write `backoff: 20s`"),
        ("count", "write `attempts: N`"),
        ("on", "write `errors: […]`"),
    ],
};

/// Every shape, with its name in the JSON schema.
#[cfg(test)]
pub(crate) const ALL: &[(&str, &Shape)] = &[
    ("runbook", &RUNBOOK),
    ("metadata", &METADATA),
    ("triggers", &TRIGGERS),
    ("manual", &MANUAL),
    ("schedule", &SCHEDULE),
    ("input", &INPUT),
    ("targets", &TARGETS),
    ("job", &JOB),
    ("strategy", &STRATEGY),
    ("approval", &APPROVAL),
    ("step", &STEP),
    ("retry", &RETRY),
];

#[cfg(test)]
mod tests;
