//! The stable codes of problems in runbooks. A code never changes its meaning and is never used again for another
//! one, since people search for it and tools filter by it. `explain` is what a help page shows.

/// A kind of problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Code {
    /// The stable code: `RB010`.
    pub id: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    /// Why it is a problem, and what to do about it.
    pub explanation: &'static str,
}

/// The explanation of a code, if there is such a code.
#[must_use]
pub fn explain(id: &str) -> Option<&'static Code> {
    ALL.iter()
        .find(|code| code.id.eq_ignore_ascii_case(id.trim()))
        .copied()
}

macro_rules! codes {
    ($($name:ident $id:literal $title:literal $explanation:literal)*) => {
        $(pub(crate) const $name: Code = Code { id: $id, title: $title, explanation: $explanation };)*
        /// All codes, in their order.
        pub const ALL: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    TOO_LARGE "RB001" "the runbook is too large"
    "A runbook has at most 1 MiB of text. Anything larger is generated, and then the generator should make several \
     runbooks, or the data belongs in a file on the servers."

    SYNTAX "RB002" "the text is not YAML"
    "The parser could not read the text as YAML 1.2, so nothing else was checked. The place is where the parser gave \
     up; the mistake is there or shortly before it. Frequent reasons: a tab in the indentation, a missing quote, a \
     colon followed by a space inside of an unquoted text, `{{` without quotes around it."

    DUPLICATE_KEY "RB003" "a key stands twice"
    "The same key stands twice in one mapping. YAML parsers differ in which of the two they take, so that a reviewer \
     and the engine could see different runbooks. Remove one of them."

    UNUSED_YAML "RB004" "a feature of YAML that runbooks do not use"
    "Anchors, aliases, merge keys, tags and several documents in one file are not part of the runbook language. What \
     a reviewer reads must be what runs, and an alias can be made to expand without bounds. Write the value out."

    TOO_DEEP "RB005" "nested too deeply, or too many values"
    "A runbook is nested at most 64 levels deep and holds at most 50,000 values. A document beyond that is broken, \
     or meant to exhaust the reader."

    UNREPRESENTABLE "RB006" "a key or number that JSON does not know"
    "Keys are texts, and numbers fit 64 bits: everything in a runbook has to survive its way through JSON. Put quotes \
     around the key or the number if a text is meant."

    UNKNOWN_KEY "RB010" "an unknown key"
    "The key is not part of the runbook language at this place. It may be a typo, stand at the wrong level of \
     indentation, or come from another tool's language. Unknown keys are errors, since a misspelt `needs` or `if` \
     would otherwise be silently without effect."

    MISSING_KEY "RB011" "a key is missing"
    "The mapping lacks a key that it must have. The message names it."

    WRONG_TYPE "RB012" "a value of the wrong type"
    "The language expects another type of value here, for example a list where there is a text. Remember that in YAML \
     1.2 `yes` and `on` are texts, and that a version such as `1.10` is a number unless it is quoted."

    EMPTY "RB013" "nothing where something is needed"
    "A runbook has at least one job, a job at least one step, and a list that is written holds at least one value. \
     Remove the key if nothing is meant."

    UNKNOWN_VALUE "RB014" "a value that is not one of the known ones"
    "Only certain words are possible here, such as `clawd.dev/v1` for `apiVersion` or `integer` for the type of an \
     input. The hint lists them."

    INVALID_NAME "RB015" "not a name"
    "Names are restricted, so that they can stand in expressions, URLs, policies and logs without quoting. Jobs, \
     steps, inputs and outputs are identifiers (letters, digits and `_`); runbooks are lower case with `-`, `_` and \
     `.`; operations end in their version, such as `@v1`."

    INVALID_DURATION "RB016" "not a duration"
    "A duration is a number with a unit, or a sum of them: `250ms`, `20s`, `15m`, `1h30m`, `7d`. A number without a \
     unit is refused, since seconds and minutes are too easily mistaken for each other."

    OUT_OF_RANGE "RB017" "a number out of its range"
    "The number is too small or too large for what it counts: a percentage is 0 to 100, an attempt counts from 1, a \
     step cannot run for longer than a week. The message says which range is meant."

    INVALID_SELECTOR "RB018" "not a label selector"
    "A selector is one or more conditions with commas between them, all of which must hold: `role=web`, `env!=prod`, \
     `role in (web, api)`, `role notin (db)`, `gpu` (has the label), `!gpu` (has it not). `*` selects every server. \
     Besides labels, `name`, `env` and `provider` can be selected on."

    INVALID_LOCK "RB019" "not the name of a lock"
    "A lock is named by words with slashes between them, such as `env/prod`. Runs that name the same lock wait for \
     each other: no job of a run begins before every run that came earlier is over. The name is taken literally, but \
     for the run's inputs, which are filled in when the run is started: `env/${{ inputs.env }}`."

    INVALID_SCHEDULE "RB020" "not a schedule"
    "A schedule is written as in cron, with five fields: minute, hour, day of the month, month, day of the week. \
     `0 3 * * 2` is every Tuesday at three. Lists, ranges and steps (`1,15`, `1-5`, `*/10`) can be used."

    INVALID_INPUT "RB021" "an input that makes no sense"
    "The declaration of an input contradicts itself: an `enum` without values, a default that is not of its type, a \
     smallest value above the largest."

    UNKNOWN_JOB "RB030" "`needs` names a job that does not exist"
    "A job can only need jobs of the same runbook. The hint names the nearest one."

    CYCLE "RB031" "jobs need each other in a circle"
    "The jobs of a runbook form a graph without circles: each begins when those that it needs are done. In a circle, \
     none could ever begin. The message names the way around; remove one `needs` from it."

    DUPLICATE_STEP "RB032" "two steps have the same name"
    "Step names are unique within a job, across `steps`, `rescue` and `always`, because expressions refer to them: \
     `steps.apply.before`. Give one of them another `id`."

    RESERVED_NAME "RB033" "a name that the language needs itself"
    "A step cannot be called `outputs`, since `jobs.<job>.outputs` are the outputs that a job declares."

    NO_TARGETS "RB034" "nothing says which servers"
    "A job works on servers, or from the controller; the runbook has to say which. Write `targets: {selector: \
     \"role=web\"}` for the whole runbook or for the job, or `targets: controller`. Nothing is ever run on all servers \
     because a key was forgotten; `selector: \"*\"` says so expressly."

    CONTROLLER_STRATEGY "RB035" "a rollout strategy without servers"
    "`strategy` says in which order servers are worked on. A job with `targets: controller` has none. Remove one of \
     the two."

    UNKNOWN_OPERATION "RB040" "no such operation"
    "No provider of this installation offers the operation in this version. The version is part of the name: \
     `pkg.apply@v1`."

    NEEDS_SERVER "RB041" "the operation needs a server"
    "The operation takes place on a server, but the job works from the controller. Move the step to a job with \
     servers, or change the job's `targets`."

    MISSING_PROPERTY "RB042" "an input of the operation is missing"
    "The operation cannot do without this value. Give it in `with`."

    UNKNOWN_PROPERTY "RB043" "an input that the operation does not have"
    "The operation knows no input of this name. The hint names the nearest one."

    MISFIT "RB044" "a value that does not fit the operation"
    "The value in `with` is not of the type, or not one of the values, that the operation's schema allows."

    EXPRESSION_MISFIT "RB045" "an expression whose value cannot fit"
    "The expression stands for a value of a known type, and the operation wants another one. An expression that is \
     the whole text keeps its value's type (`\"${{ inputs.port }}\"` is a number); as soon as other text surrounds \
     it, the result is a text."

    RETRY_ERROR "RB046" "an error that cannot be retried"
    "`retry.errors` lists the classes of failures after which a step is tried again. Some are never retried: a \
     changed host key, a step whose effect nobody can know, a drifted plan, a refusal, a cancellation."

    UNCLOSED "RB050" "an expression that does not end"
    "`${{` begins an expression and `}}` ends it. To have a literal `${{` in a text, write `${{ '${{' }}`."

    EXPRESSION_SYNTAX "RB051" "not an expression"
    "The text between `${{` and `}}` is not an expression of CEL (the Common Expression Language). Texts need quotes \
     (`inputs.env == 'prod'`), `and` is written `&&`, `or` is `||`, `not` is `!`, and `a ? b : c` chooses."

    EXPRESSION_TOO_LARGE "RB052" "an expression that is too large"
    "An expression has at most 2,048 characters, 128 operators and 16 levels of brackets, and loops (`all`, `exists`, \
     `map`, `filter`) nest at most twice. This keeps every evaluation short. Compute larger things in a step."

    UNKNOWN_VARIABLE "RB053" "an unknown variable"
    "Expressions can name `inputs`, `steps`, `jobs`, `server`, `run` and `secrets`, and nothing else."

    UNKNOWN_INPUT "RB054" "an input that is not declared"
    "The expression names an input that the runbook does not declare under `inputs`."

    UNKNOWN_STEP "RB055" "a step that is not there, or comes later"
    "An expression can use the outputs of earlier steps of the same job. A step in `rescue` or `always` can use those \
     of `steps`. Steps of other jobs are `jobs.<job>.<step>.<output>`."

    UNREACHABLE_JOB "RB056" "a job that may not have run"
    "An expression can use the steps of jobs that its own job needs, directly or through other jobs. Otherwise it \
     would depend on chance whether they ran before. Add the job to `needs`."

    UNKNOWN_OUTPUT "RB057" "an output that the operation does not have"
    "The step exists, but its operation gives no output of this name. The hint names the nearest one."

    NOT_HERE "RB058" "a variable that has no value here"
    "The variable exists elsewhere, but not at this place. `server` and `steps` need a server's lane: the condition of \
     a whole job and a job of the controller have none. A job of the controller cannot read the steps of a job with \
     servers, since there are as many values as servers."

    SECRET_MISUSE "RB059" "a secret where it could leak"
    "A secret is replaced by the worker, just before the operation is called; no other part ever sees it. So \
     `${{ secrets.NAME }}` can only be passed on, whole or inside of a text, in a step's `with`. It cannot be compared, \
     computed with, tested in `if`, or made an output."

    UNKNOWN_FUNCTION "RB060" "an unknown function"
    "Expressions can call `size`, `int`, `uint`, `double`, `string`, `bool`, `type`, `dyn`, `has`, `contains`, \
     `startsWith`, `endsWith`, `join`, and loop with `all`, `exists`, `exists_one`, `map` and `filter`."

    NOT_A_CONDITION "RB061" "a condition that is neither true nor false"
    "`if` takes one expression that is true or false: `if: \"${{ inputs.reboot == 'never' }}\"`. A text that is not \
     empty does not count as true."

    RESERVED_MARKER "RB062" "a key that only the engine writes"
    "`$secret` and `$concat` mark the places of secrets inside of the engine. A runbook writes `${{ secrets.NAME }}`."

    SECRET_NOT_TAKEN "RB063" "a secret where the operation takes none"
    "Each operation says which of its inputs may hold secrets: the command and standard input of `shell`, the content \
     of `file.write`. Everywhere else a secret would be shown in plans and messages, or sent to whoever the runbook \
     names: `check.http` could carry it to any address without a vote. Give the secret to a step on the server that \
     needs it."

    UNKNOWN_GIVEN "RB070" "an input was given that the runbook does not have"
    "The run was to be started with an input that the runbook does not declare."

    MISSING_GIVEN "RB071" "an input was not given"
    "The runbook declares an input without a default, so each run has to say what it is."

    MISFIT_GIVEN "RB072" "an input was given a value that does not fit"
    "The value is not of the declared type, not one of the declared values, or out of the declared range."

    UNUSED_INPUT "RB080" "an input that nothing uses"
    "The input is declared, but no expression refers to it. This is a warning: somebody who sets it will believe that \
     it does something."

    REPEATED_NEED "RB081" "a job is needed twice"
    "`needs` lists the same job more than once. This is a warning: once is enough."

    SCHEDULE_NOT_RUN "RB082" "a schedule that nothing acts on"
    "`triggers.schedule` is read and checked, and this version starts no run by it, nor does it keep to the window. \
     This is a warning: start the run from outside, such as from cron with `clawd run start`."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_sorted_and_explained() {
        for pair in ALL.windows(2) {
            assert!(pair[0].id < pair[1].id, "{} {}", pair[0].id, pair[1].id);
        }
        for code in ALL {
            assert!(code.explanation.len() > 40, "{}", code.id);
            assert!(code.explanation.ends_with('.'), "{}", code.id);
            assert!(!code.title.ends_with('.'), "{}", code.id);
        }
    }

    #[test]
    fn a_code_is_found_as_people_type_it() {
        assert_eq!(explain("rb010 ").map(|code| code.id), Some("RB010"));
        assert_eq!(explain("RB999"), None);
    }
}
