//! Shows the policies in force, and publishes others: checked, tested, stored, put in force, and asked about every run
//! that waits.

use std::collections::BTreeMap;
use std::sync::Arc;

use clawd_model::Problem;
use clawd_model::api::{BundleView, PolicyTestView, PolicyView, PublishPolicy, PublishedPolicy};
use clawd_policy::testing::{CaseReport, TestReport};
use clawd_policy::{Bundle, PolicyKind, Vocabulary, testing};
use clawd_store::{ReadError, WriteError};
use serde_json::json;

use crate::error::{Class, Explained};
use crate::gate::{Permit, PolicyPublish, PolicyRead};

/// How many bytes a bundle's files may have together.
const BUNDLE_MAX: usize = 1 << 20;

/// The policies cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowPolicyError {
    /// The tenant has none.
    #[error("the tenant has no policies")]
    None,
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
}

impl Explained for ShowPolicyError {
    fn class(&self) -> Class {
        match self {
            Self::None => Class::NotFound,
            Self::Read(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::None => "no-policies",
            Self::Read(_) => "store",
        }
    }
}

/// The bundle in force.
///
/// # Errors
/// When the tenant has none, or the store fails.
pub async fn show_policy(permit: &Permit<PolicyRead>) -> Result<BundleView, ShowPolicyError> {
    let stored = permit.store().bundle().await?.ok_or(ShowPolicyError::None)?;
    let current = permit.app().policies().current(permit.tenant());
    let policies = current.iter().flat_map(|bundle| bundle.policies());
    Ok(BundleView {
        digest: stored.digest,
        published_by: stored.published_by,
        published_at: stored.published_at,
        policies: policies
            .map(|policy| PolicyView {
                id: policy.id.clone(),
                kind: kind_word(policy.kind).to_owned(),
                reason: policy.reason.clone(),
                file: policy.file.clone(),
                line: policy.span.line,
            })
            .collect(),
        files: stored.files,
    })
}

fn kind_word(kind: PolicyKind) -> &'static str {
    match kind {
        PolicyKind::Capability => "capability",
        PolicyKind::Guard => "guard",
        PolicyKind::Rule => "rule",
    }
}

/// Policies were not published.
#[derive(Debug, thiserror::Error)]
pub enum PublishPolicyError {
    /// They have errors. All of them are here.
    #[error("the policies have problems: {}", .0.len())]
    Invalid(Vec<Problem>),
    /// Tests of theirs fail.
    #[error("{} of {total} policy tests fail", failed.len())]
    TestsFail {
        /// Those that fail.
        failed: Vec<PolicyTestView>,
        /// How many there are.
        total: usize,
    },
    /// Too many bytes.
    #[error("the policies have more than {BUNDLE_MAX} bytes")]
    TooLarge,
    /// They would lock everybody out of publishing others.
    #[error("with these policies you could not publish others any more")]
    LocksOut,
    /// The check itself broke.
    #[error("the policies could not be checked")]
    Crashed,
    /// The store could not be read.
    #[error("the store could not be read")]
    Read(#[from] ReadError),
    /// The store could not be written.
    #[error("the store could not be written")]
    Write(#[from] WriteError),
}

impl Explained for PublishPolicyError {
    fn class(&self) -> Class {
        match self {
            Self::Invalid(_) | Self::TestsFail { .. } | Self::TooLarge => Class::Invalid,
            Self::LocksOut => Class::Conflict,
            Self::Crashed | Self::Read(_) | Self::Write(_) => Class::Internal,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid-policies",
            Self::TestsFail { .. } => "policy-tests-fail",
            Self::TooLarge => "policies-too-large",
            Self::LocksOut => "policies-lock-out",
            Self::Crashed => "internal",
            Self::Read(_) | Self::Write(_) => "store",
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::LocksOut => Some("keep a policy that permits `policy.publish` to you".to_owned()),
            Self::TestsFail { .. } => {
                Some("run `policy test` on the folder to see each difference".to_owned())
            }
            _ => None,
        }
    }

    fn problems(&self) -> &[Problem] {
        match self {
            Self::Invalid(problems) => problems,
            _ => &[],
        }
    }

    fn more(&self) -> Option<(&'static str, serde_json::Value)> {
        match self {
            Self::TestsFail { failed, .. } => Some(("tests", json!(failed))),
            _ => None,
        }
    }
}

/// Checks and tests a bundle, and unless that is all that is wanted, publishes it.
///
/// # Errors
/// All problems, or the tests that fail. Nothing is published then.
pub async fn publish_policy(
    permit: &Permit<PolicyPublish>,
    wanted: PublishPolicy,
) -> Result<PublishedPolicy, PublishPolicyError> {
    let bytes: usize = wanted
        .files
        .iter()
        .map(|(name, text)| name.len() + text.len())
        .sum();
    if bytes > BUNDLE_MAX {
        return Err(PublishPolicyError::TooLarge);
    }
    let app = permit.app();
    let vocabulary = app.vocabulary(permit.store().groups().await?);
    let (bundle, tests) = examine(wanted.files.clone(), vocabulary).await?;
    let answer = PublishedPolicy {
        digest: bundle.digest(),
        in_force: !wanted.check_only,
        policies: u32::try_from(bundle.len()).unwrap_or(u32::MAX),
        problems: bundle.warnings().to_vec(),
        tests,
    };
    if wanted.check_only {
        return Ok(answer);
    }
    if !permit.would_be_allowed_by(&bundle) {
        return Err(PublishPolicyError::LocksOut);
    }
    let _turn = app.publishing().await;
    let data = json!({"policies": answer.policies, "tests": answer.tests.len(), "before": permit.bundle()});
    let record = permit.record("policy.published", format!("bundle/{}", answer.digest), data);
    let by = &permit.caller().principal().name;
    permit
        .store()
        .publish_bundle(answer.digest, &wanted.files, by, &[record])
        .await?;
    app.policies().put(permit.tenant().clone(), Arc::new(bundle));
    app.driver().policies_changed(permit.tenant());
    Ok(answer)
}

/// Checks and tests a bundle, away from the threads that answer requests: many policies take a while.
async fn examine(
    files: BTreeMap<String, String>,
    vocabulary: Vocabulary,
) -> Result<(Bundle, Vec<PolicyTestView>), PublishPolicyError> {
    let work = tokio::task::spawn_blocking(move || {
        let bundle = Bundle::load(&files, &vocabulary).map_err(PublishPolicyError::Invalid)?;
        let tests = tested(testing::run(&files, &vocabulary))?;
        Ok((bundle, tests))
    });
    work.await.map_err(|_| PublishPolicyError::Crashed)?
}

fn tested(report: TestReport) -> Result<Vec<PolicyTestView>, PublishPolicyError> {
    if report.passed() {
        return Ok(report.cases.into_iter().map(test_view).collect());
    }
    let total = report.cases.len();
    let failed: Vec<PolicyTestView> = report
        .cases
        .into_iter()
        .filter(|case| !case.passed)
        .map(test_view)
        .collect();
    if failed.is_empty() {
        return Err(PublishPolicyError::Invalid(report.problems));
    }
    Err(PublishPolicyError::TestsFail { failed, total })
}

fn test_view(case: CaseReport) -> PolicyTestView {
    PolicyTestView {
        file: case.file,
        line: case.line,
        name: case.name,
        question: case.question,
        passed: case.passed,
        differences: case.differences,
    }
}

#[cfg(test)]
mod tests;
