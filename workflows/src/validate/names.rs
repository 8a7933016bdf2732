//! Names of steps: the given ones, and for the others one made from their operation. Unique within a job.

use std::collections::BTreeSet;

use clawd_model::{OperationName, StepName};

use crate::codes;
use crate::problems::Problems;
use crate::runbook::DeclaredJob;

/// `jobs.<job>.outputs` are the outputs of the job.
const RESERVED: &str = "outputs";

/// A name for every step, by job.
pub(super) fn assign(jobs: &[DeclaredJob], problems: &Problems) -> Vec<Vec<StepName>> {
    jobs.iter().map(|job| of_job(job, problems)).collect()
}

fn of_job(job: &DeclaredJob, problems: &Problems) -> Vec<StepName> {
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    for id in job.steps.iter().filter_map(|step| step.id.as_ref()) {
        let name = id.value.as_str();
        if name == RESERVED {
            let message = format!("a step cannot be called `{RESERVED}`");
            let hint = format!("`jobs.{}.{RESERVED}` are the outputs of the job", job.name.value);
            problems.error_with_hint(&codes::RESERVED_NAME, id.span, message, hint);
        }
        if !taken.insert(name) {
            let message = format!("two steps of the job `{}` are called `{name}`", job.name.value);
            problems.error_with_hint(
                &codes::DUPLICATE_STEP,
                id.span,
                message,
                "give it another `id`".to_owned(),
            );
        }
    }
    let mut taken: BTreeSet<String> = taken.into_iter().map(str::to_owned).collect();
    let names = job.steps.iter().map(|step| match &step.id {
        Some(id) => id.value.clone(),
        None => {
            let name = derive(step.uses.as_ref().map(|uses| &uses.value), &taken);
            taken.insert(name.as_str().to_owned());
            name
        }
    });
    names.collect()
}

/// `pkg.apply@v1` → `pkg_apply`, or `pkg_apply_2` when that is taken.
fn derive(operation: Option<&OperationName>, taken: &BTreeSet<String>) -> StepName {
    let action = operation.map_or("step", |operation| operation.action());
    let mut base: String = action
        .chars()
        .map(|next| if next.is_ascii_alphanumeric() { next } else { '_' })
        .take(56)
        .collect();
    if base.starts_with(|first: char| first.is_ascii_digit()) || base == RESERVED {
        base.insert(0, '_');
    }
    let numbered = |number: usize| {
        if number == 1 {
            base.clone()
        } else {
            format!("{base}_{number}")
        }
    };
    let free = (1..)
        .map(numbered)
        .find(|name| !taken.contains(name))
        .unwrap_or(base.clone());
    free.parse()
        .expect("letters, digits and `_`, not beginning with a digit, at most 63 of them")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_from_operations_and_are_unique() {
        let taken: BTreeSet<String> = ["pkg_apply", "pkg_apply_2"].map(str::to_owned).into();
        let name = |operation: &str| {
            derive(Some(&operation.parse().unwrap()), &taken)
                .as_str()
                .to_owned()
        };
        assert_eq!(name("check.tcp@v1"), "check_tcp");
        assert_eq!(name("pkg.apply@v1"), "pkg_apply_3");
        assert_eq!(name("7zip.unpack@v2"), "_7zip_unpack");
        assert_eq!(name("outputs@v1"), "_outputs");
        assert_eq!(derive(None, &taken).as_str(), "step");
        let long = format!("{}@v1", "x".repeat(63));
        assert_eq!(name(&long).len(), 56);
    }
}
