//! Rules about what an operation does to the world, and how often.

use clawd_model::{Effect, Recovery};

use super::{Case, Violation, schema};
use crate::{Applied, Checked, Recovered};

/// `check` has no effect, answers in the way of its kind, and foresees the same twice.
///
/// # Errors
/// When it does not.
pub async fn check_only_looks(case: &Case) -> Result<(), Violation> {
    const RULE: &str = "check-only-looks";
    let before = case.effects();
    let first = check(case, RULE).await?;
    let second = check(case, RULE).await?;
    if case.effects() != before {
        return Err(case.violation(RULE, "checking had an effect"));
    }
    let spec = case.operation.spec();
    match (spec.effect, &first, &second) {
        (Effect::Mutating, Checked::Would(one), Checked::Would(two)) => {
            if one.fingerprint() != two.fingerprint() {
                return Err(case.violation(RULE, format!("two checks differ: {one:?}, {two:?}")));
            }
            if one.summary.trim().is_empty() {
                return Err(case.violation(RULE, "the change has no summary"));
            }
            Ok(())
        }
        (Effect::ReadOnly, Checked::Read(output), Checked::Read(_)) => fits(case, RULE, output),
        (_, Checked::Unpredictable, Checked::Unpredictable) => Ok(()),
        _ => Err(case.violation(RULE, format!("checking answered {first:?}, then {second:?}"))),
    }
}

/// An attempt that never began is not found; looking for it changes nothing.
///
/// # Errors
/// When something is found.
pub async fn never_started_is_not_found(case: &Case) -> Result<(), Violation> {
    const RULE: &str = "never-started-is-not-found";
    if !looks_up(case) {
        return Ok(());
    }
    let before = case.effects();
    let context = case.for_attempt(0);
    match case.operation.recover(&context, &case.input).await {
        Ok(Recovered::NotStarted) if case.effects() == before => Ok(()),
        Ok(Recovered::NotStarted) => Err(case.violation(RULE, "looking had an effect")),
        other => Err(case.violation(RULE, format!("recovering answered {other:?}"))),
    }
}

/// An attempt takes place once, and its result is kept: it does what was foreseen, its output fits, `verify`
/// agrees, calling again gives the same, and so does recovering.
///
/// # Errors
/// When any of it does not hold.
pub async fn attempt_is_kept(case: &Case) -> Result<(), Violation> {
    const RULE: &str = "attempt-is-kept";
    let foreseen = check(case, RULE).await?;
    let before = case.effects();
    let first = apply(case, 1, RULE).await?;
    fits(case, RULE, &first.output)?;
    let spec = case.operation.spec();
    if spec.effect == Effect::ReadOnly && first.changed {
        return Err(case.violation(RULE, "it only looks, and says that it changed something"));
    }
    if let Checked::Would(change) = &foreseen
        && change.needed != first.changed
    {
        return Err(case.violation(RULE, format!("foreseen was {change:?}, done was {first:?}")));
    }
    let after = case.effects();
    if case.count.is_some() && after != before + usize::from(first.changed) {
        return Err(case.violation(RULE, format!("effects went from {before} to {after}")));
    }
    let context = case.for_attempt(1);
    let verified = case.operation.verify(&context, &case.input, &first).await;
    if let Err(error) = verified {
        return Err(case.violation(RULE, format!("verifying failed: {error}")));
    }
    if spec.recovery == Recovery::AtMostOnce {
        return Ok(());
    }
    let again = apply(case, 1, RULE).await?;
    // What describes a state may be there already; that is no other result, only one that came earlier.
    let is_same = again == first || (case.converges && !again.changed);
    if spec.effect == Effect::Mutating && !is_same {
        return Err(case.violation(RULE, format!("first {first:?}, then {again:?}")));
    }
    if looks_up(case) {
        match case.operation.recover(&context, &case.input).await {
            Ok(Recovered::Done(Ok(found))) if found == first => {}
            // There was nothing to do, and nothing was begun: calling it again is harmless.
            Ok(Recovered::NotStarted) if !first.changed => {}
            other => return Err(case.violation(RULE, format!("recovering answered {other:?}"))),
        }
    }
    if case.effects() == after {
        Ok(())
    } else {
        Err(case.violation(RULE, "calling again or recovering had a second effect"))
    }
}

/// Where the input describes a state: nothing is left to do, and another attempt does nothing.
///
/// # Errors
/// When there is.
pub async fn state_converges(case: &Case) -> Result<(), Violation> {
    const RULE: &str = "state-converges";
    if !case.converges || case.operation.spec().effect == Effect::ReadOnly {
        return Ok(());
    }
    match check(case, RULE).await? {
        Checked::Would(change) if !change.needed => {}
        Checked::Unpredictable => return Ok(()),
        other => return Err(case.violation(RULE, format!("after applying, checking answered {other:?}"))),
    }
    let before = case.effects();
    let another = apply(case, 2, RULE).await?;
    if another.changed || case.effects() != before {
        return Err(case.violation(RULE, "another attempt changed something"));
    }
    Ok(())
}

fn looks_up(case: &Case) -> bool {
    matches!(
        case.operation.spec().recovery,
        Recovery::Reattach | Recovery::Reconcile
    )
}

async fn check(case: &Case, rule: &'static str) -> Result<Checked, Violation> {
    let answer = case.operation.check(&case.for_check(), &case.input).await;
    answer.map_err(|error| case.violation(rule, format!("checking failed: {error}")))
}

async fn apply(case: &Case, number: u8, rule: &'static str) -> Result<Applied, Violation> {
    let answer = case.operation.apply(&case.for_attempt(number), &case.input).await;
    answer.map_err(|error| case.violation(rule, format!("applying failed: {error}")))
}

fn fits(case: &Case, rule: &'static str, output: &serde_json::Value) -> Result<(), Violation> {
    let problems = schema::problems(&case.operation.spec().output, output);
    if problems.is_empty() {
        Ok(())
    } else {
        Err(case.violation(rule, format!("the output does not fit: {}", problems.join("; "))))
    }
}
