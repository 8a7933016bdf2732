//! When a failed step is tried again. Pure: no clock and no chance, so that a replay decides the same.

use clawd_model::{DurationMs, ErrorKind, StepError};

/// After which failures, how often, and how long to wait. The default: never.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// How many attempts there are in all; 1 is no retry.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles with each further one.
    pub backoff: DurationMs,
    /// The longest wait.
    pub backoff_max: DurationMs,
    /// The kinds of failures that are retried.
    pub errors: Vec<ErrorKind>,
}

/// Kinds that pass by themselves, and that are retried when a runbook names none.
pub const TRANSIENT: [ErrorKind; 2] = [ErrorKind::Connection, ErrorKind::DpkgLock];

/// Kinds that are never retried, whatever a runbook says: a person has to look first.
pub const NEVER: [ErrorKind; 5] = [
    ErrorKind::HostKey,
    ErrorKind::Drift,
    ErrorKind::Indeterminate,
    ErrorKind::Cancelled,
    ErrorKind::Denied,
];

pub(crate) const DEFAULT_ATTEMPTS: u32 = 3;
pub(crate) const DEFAULT_BACKOFF: DurationMs = DurationMs::from_secs(5);
pub(crate) const DEFAULT_BACKOFF_MAX: DurationMs = DurationMs::from_secs(300);

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 1,
            backoff: DEFAULT_BACKOFF,
            backoff_max: DEFAULT_BACKOFF_MAX,
            errors: TRANSIENT.to_vec(),
        }
    }
}

impl Retry {
    /// How long to wait before the next attempt; `None` when there is none. Attempts count from 1.
    #[must_use]
    pub fn next(&self, failed_attempt: u32, error: &StepError) -> Option<DurationMs> {
        if failed_attempt >= self.attempts
            || NEVER.contains(&error.kind)
            || !self.errors.contains(&error.kind)
        {
            return None;
        }
        let doublings = failed_attempt.saturating_sub(1).min(32);
        let wait = self.backoff.0.saturating_mul(1_u64 << doublings);
        Some(DurationMs(wait.min(self.backoff_max.0.max(self.backoff.0))))
    }
}

/// The kind that a runbook calls by this word.
pub(crate) fn kind(word: &str) -> Option<ErrorKind> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kind: ErrorKind) -> StepError {
        StepError::new(kind, "x")
    }

    #[test]
    fn waits_double_up_to_the_longest() {
        let retry = Retry {
            attempts: 5,
            backoff: DurationMs::from_secs(20),
            backoff_max: DurationMs::from_secs(60),
            ..Retry::default()
        };
        let waits: Vec<Option<u64>> = (1..=5)
            .map(|attempt| {
                retry
                    .next(attempt, &error(ErrorKind::DpkgLock))
                    .map(|wait| wait.0)
            })
            .collect();
        assert_eq!(
            waits,
            [Some(20_000), Some(40_000), Some(60_000), Some(60_000), None]
        );
        let patient = Retry {
            attempts: u32::MAX,
            ..retry
        };
        assert_eq!(
            patient.next(u32::MAX - 1, &error(ErrorKind::DpkgLock)),
            Some(DurationMs(60_000))
        );
    }

    #[test]
    fn only_the_named_kinds_are_retried_and_some_never() {
        let retry = Retry {
            attempts: 9,
            errors: vec![ErrorKind::Failed, ErrorKind::Indeterminate],
            ..Retry::default()
        };
        assert!(retry.next(1, &error(ErrorKind::Failed)).is_some());
        assert_eq!(retry.next(1, &error(ErrorKind::Connection)), None);
        assert_eq!(retry.next(1, &error(ErrorKind::Indeterminate)), None);
        assert_eq!(Retry::default().next(1, &error(ErrorKind::Connection)), None);
    }

    #[test]
    fn every_word_of_the_vocabulary_is_a_kind() {
        for word in ErrorKind::ALL {
            assert_eq!(kind(word).map(|kind| kind.as_str()), Some(word));
        }
        assert_eq!(kind("unlucky"), None);
    }
}
