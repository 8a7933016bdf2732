//! axe-core, the field's usual judge of accessibility, run inside the open page.

use anyhow::{Context as _, Result};
use serde::Deserialize;

use super::Browser;
use crate::paths;

/// A rule that the page breaks.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Violation {
    /// The rule, as axe names it.
    pub id: String,
    /// `minor`, `moderate`, `serious` or `critical`.
    #[serde(default)]
    pub impact: Option<String>,
    /// What is wrong, in a sentence.
    pub help: String,
    /// The elements that break it.
    pub nodes: Vec<String>,
}

impl Violation {
    /// Whether it keeps somebody from using the page.
    pub fn is_serious(&self) -> bool {
        matches!(self.impact.as_deref(), Some("serious" | "critical"))
    }
}

const RUN: &str = "
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'] }).then(
  results => done({ violations: results.violations.map(
    rule => ({ id: rule.id, impact: rule.impact, help: rule.help, nodes: rule.nodes.map(node => node.html) })) }),
  error => done({ error: String(error) }));
";

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Violations(Vec<Violation>),
    Error(String),
}

impl Browser {
    /// All violations on the open page.
    pub async fn violations(&self) -> Result<Vec<Violation>> {
        let path = paths::axe();
        let script = std::fs::read_to_string(&path).with_context(|| {
            format!(
                "no axe-core at `{}`\nhint: scripts/install-test-deps",
                path.display()
            )
        })?;
        self.client()
            .execute(&script, Vec::new())
            .await
            .context("could not load axe-core into the page")?;
        let answer = self
            .client()
            .execute_async(RUN, Vec::new())
            .await
            .context("axe-core did not answer")?;
        match serde_json::from_value(answer).context("an answer of another form than axe-core's")? {
            Answer::Violations(violations) => Ok(violations),
            Answer::Error(error) => Err(anyhow::anyhow!("axe-core failed: {error}")),
        }
    }

    /// The violations of impact serious or critical.
    pub async fn serious_violations(&self) -> Result<Vec<Violation>> {
        let mut violations = self.violations().await?;
        violations.retain(Violation::is_serious);
        Ok(violations)
    }
}
