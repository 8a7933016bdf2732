//! Tests of a bundle: cases in YAML beside the policies, each with the expected decision and its grounds.
//!
//! The format stands in `docs/policies.md`. A case names who asks for what on what, with which votes, and what the
//! gate must answer; a list in any of the first three places stands for every combination.

mod case;
mod format;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};

use clawd_model::{Decision, Problem, Severity};
use serde::Serialize;

use crate::load::problem::Source;
use crate::{Bundle, Vocabulary};

/// What came of one case, or of one combination of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseReport {
    /// The file that it stands in.
    pub file: String,
    /// The line that it begins at.
    pub line: usize,
    /// Its name.
    pub name: String,
    /// Who asked for what on what.
    pub question: String,
    /// Whether everything was as expected.
    pub passed: bool,
    /// What was not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub differences: Vec<String>,
    /// What the gate answered.
    pub decision: Decision,
}

/// What came of all tests of a bundle.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct TestReport {
    /// What is wrong with the policies or the tests themselves.
    pub problems: Vec<Problem>,
    /// Every case.
    pub cases: Vec<CaseReport>,
    /// Policies that no passed case names: nobody would notice if they did not work.
    pub untested: Vec<String>,
}

impl TestReport {
    /// Whether the bundle can be used: it loads, its tests can be read, and every case passed.
    #[must_use]
    pub fn passed(&self) -> bool {
        let errors = self
            .problems
            .iter()
            .any(|problem| problem.severity == Severity::Error);
        !errors && self.cases.iter().all(|case| case.passed)
    }

    /// The cases that did not pass.
    pub fn failures(&self) -> impl Iterator<Item = &CaseReport> {
        self.cases.iter().filter(|case| !case.passed)
    }
}

/// Checks a bundle and runs its `*_test.yaml` files.
#[must_use]
pub fn run(files: &BTreeMap<String, String>, vocabulary: &Vocabulary) -> TestReport {
    let bundle = match Bundle::load(files, vocabulary) {
        Ok(bundle) => bundle,
        Err(problems) => {
            return TestReport {
                problems,
                ..TestReport::default()
            };
        }
    };
    let mut report = TestReport {
        problems: bundle.warnings().to_vec(),
        ..TestReport::default()
    };
    for (file, text) in files.iter().filter(|(file, _)| file.ends_with("_test.yaml")) {
        let source = Source::new(file, text);
        match format::read(&source) {
            Ok(tests) => case::run_all(&bundle, vocabulary, &source, &tests, &mut report),
            Err(problems) => report.problems.extend(problems),
        }
    }
    let passed = report.cases.iter().filter(|case| case.passed);
    let named: BTreeSet<&String> = passed.flat_map(|case| &case.decision.policies).collect();
    let own = bundle.policies().filter(|policy| policy.file.is_some());
    report.untested = own
        .filter(|policy| !named.contains(&policy.id))
        .map(|policy| policy.id.clone())
        .collect();
    report
}

#[cfg(test)]
mod tests;
