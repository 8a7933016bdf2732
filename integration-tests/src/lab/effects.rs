//! The host's own record of what was done to it: the lab's packages append a line each time that they are
//! configured. Tests compare it with what the system claims to have done, and how often.

use anyhow::{Context as _, Result};

use super::host::Host;

/// One installation that really happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    /// The package.
    pub package: String,
    /// The version that was configured.
    pub version: String,
    /// When, by the host's clock, in RFC 3339.
    pub at: String,
    /// In which boot of the host.
    pub boot_id: String,
}

impl Host {
    /// All effects, the oldest first.
    pub async fn effects(&self) -> Result<Vec<Effect>> {
        let text = self.read("/var/lib/clawd-lab/effects").await?;
        text.lines()
            .map(|line| parse(line).with_context(|| format!("not an effect: `{line}`")))
            .collect()
    }

    /// The version of `package` that dpkg has on record; none if it is not installed.
    pub async fn installed(&self, package: &str) -> Result<Option<String>> {
        let query = [
            "dpkg-query",
            "--show",
            "--showformat",
            "${db:Status-Status} ${Version}",
            package,
        ];
        let answer = self.peek(&query).await?;
        Ok(answer.stdout.strip_prefix("installed ").map(str::to_owned))
    }
}

fn parse(line: &str) -> Option<Effect> {
    let mut words = line.split(' ').map(str::to_owned);
    let effect = Effect {
        package: words.next()?,
        version: words.next()?,
        at: words.next()?,
        boot_id: words.next()?,
    };
    words.next().is_none().then_some(effect)
}
