//! What an operation says is written by hosts and services that may be hostile: it is bounded before it goes into the
//! journal, which keeps it for ever and reads it back as a whole.

use std::io;

use clawd_model::{ErrorKind, Outcome, StepError};
use serde::Serialize;

/// The largest output of an operation, as JSON, in bytes.
const OUTPUT_MAX: usize = 1 << 20;
/// The longest message or hint of an error, in bytes.
const TEXT_MAX: usize = 4 << 10;

/// The outcome within its bounds, and about how many bytes it takes.
pub(crate) fn bounded(outcome: Outcome) -> (Outcome, usize) {
    match outcome {
        Outcome::Succeeded { output, changed } => {
            let bytes = bytes_of(&output);
            if bytes <= OUTPUT_MAX {
                return (Outcome::Succeeded { output, changed }, bytes);
            }
            let message =
                format!("the operation took place, and its output of {bytes} bytes is too large to be kept");
            let error = StepError::new(ErrorKind::Failed, message).with_hint(format!(
                "outputs may have {OUTPUT_MAX} bytes; ask the operation for less"
            ));
            (Outcome::Failed { error }, TEXT_MAX)
        }
        Outcome::Failed { error } => (Outcome::Failed { error: cut(error) }, TEXT_MAX),
        Outcome::Unknown { error } => (Outcome::Unknown { error: cut(error) }, TEXT_MAX),
    }
}

/// The error with texts of a bounded length.
pub(crate) fn cut(error: StepError) -> StepError {
    StepError {
        kind: error.kind,
        message: text(error.message),
        hint: error.hint.map(text),
    }
}

/// The text, cut where it is too long.
pub(crate) fn text(mut text: String) -> String {
    if text.len() > TEXT_MAX {
        text.truncate(text.floor_char_boundary(TEXT_MAX));
        text.push_str(" [cut]");
    }
    text
}

/// How long a document is as JSON.
pub(crate) fn bytes_of(value: &impl Serialize) -> usize {
    struct Counter(usize);
    impl io::Write for Counter {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut counter = Counter(0);
    match serde_json::to_writer(&mut counter, value) {
        Ok(()) => counter.0,
        Err(_) => usize::MAX,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_is_left_alone_and_what_does_not_is_said_to_be_too_large() {
        let fits = Outcome::Succeeded {
            output: json!({"a": "é"}),
            changed: true,
        };
        assert_eq!(bounded(fits.clone()), (fits, 10));
        let (outcome, _) = bounded(Outcome::Succeeded {
            output: json!({"a": "x".repeat(OUTPUT_MAX)}),
            changed: true,
        });
        assert!(matches!(outcome, Outcome::Failed { error } if error.message.contains("took place")));
        let (outcome, _) = bounded(Outcome::Unknown {
            error: StepError::new(ErrorKind::Indeterminate, "é".repeat(TEXT_MAX)),
        });
        assert!(matches!(outcome, Outcome::Unknown { error } if error.message.len() <= TEXT_MAX + 6));
    }
}
