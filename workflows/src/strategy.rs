//! In which order a job works on its servers: a canary first, then waves. Pure; whether a wave went well enough for
//! the next one is the scheduler's to decide.

use std::collections::BTreeSet;

use clawd_model::{DurationMs, LaneTarget, Server};

use crate::Selector;

/// How a job rolls out.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Strategy {
    /// Servers that go first, in a wave of their own.
    pub canary: Option<Selector>,
    /// The sizes of the waves of the others; the last one repeats. Empty: all in one wave.
    pub serial: Vec<Batch>,
    /// So many of a job's lanes may fail, in percent, before the next wave is not begun.
    pub max_fail_percentage: u8,
    /// How long to wait between two waves.
    pub soak: DurationMs,
}

/// The size of a wave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Batch {
    /// So many servers.
    Count(u32),
    /// So many percent of the servers that are no canaries; at least one server.
    Percent(u8),
}

impl Batch {
    fn size(self, total: usize) -> usize {
        match self {
            Self::Count(count) => usize::try_from(count).unwrap_or(usize::MAX).max(1),
            Self::Percent(percent) => (total.saturating_mul(usize::from(percent)) / 100).max(1),
        }
    }
}

impl Strategy {
    /// Divides servers into waves. Every server is in exactly one wave; the same servers give the same waves in
    /// whatever order they come, since they are sorted by name.
    #[must_use]
    pub fn waves(&self, servers: &[&Server]) -> Vec<Vec<LaneTarget>> {
        let mut seen = BTreeSet::new();
        let mut sorted: Vec<&Server> = servers
            .iter()
            .copied()
            .filter(|server| seen.insert(server.id))
            .collect();
        sorted.sort_by(|a, b| a.name.cmp(&b.name).then_with(|| a.id.cmp(&b.id)));
        let (canaries, others): (Vec<&Server>, Vec<&Server>) = match &self.canary {
            Some(canary) => sorted.into_iter().partition(|server| canary.matches(server)),
            None => (Vec::new(), sorted),
        };
        let mut waves = Vec::new();
        if !canaries.is_empty() {
            waves.push(lanes(&canaries));
        }
        let mut rest = others.as_slice();
        let mut sizes = self.serial.iter().map(|batch| batch.size(others.len()));
        let mut size = others.len();
        while !rest.is_empty() {
            size = sizes.next().unwrap_or(size);
            let (wave, after) = rest.split_at(size.clamp(1, rest.len()));
            waves.push(lanes(wave));
            rest = after;
        }
        waves
    }
}

fn lanes(servers: &[&Server]) -> Vec<LaneTarget> {
    servers.iter().map(|server| LaneTarget::server(server)).collect()
}

#[cfg(test)]
mod tests;
