//! What an operation says is written by hosts and services that may be hostile: it is bounded before it goes into the
//! journal, which keeps it for ever and reads it back as a whole.

use std::io;

use clawd_model::{Digest, ErrorKind, Outcome, StepError};
use serde::Serialize;
use serde_json::{Value, json};

/// The largest output of an operation, as JSON, in bytes.
const OUTPUT_MAX: usize = 1 << 20;
/// The longest message or hint of an error, in bytes.
const TEXT_MAX: usize = 4 << 10;

/// The outcome within its bounds, and about how many bytes it takes.
///
/// What took place took place, however much it has to say: a change whose output is too large to be kept has succeeded,
/// and its output says what is missing. Whoever uses that output fails; nothing is done a second time. What only looks
/// has nothing but its output, and has failed without it.
pub(crate) fn bounded(outcome: Outcome, changes: bool) -> (Outcome, usize) {
    match outcome {
        Outcome::Succeeded { output, changed } => {
            let bytes = bytes_of(&output);
            if bytes <= OUTPUT_MAX {
                return (Outcome::Succeeded { output, changed }, bytes);
            }
            if changes {
                let output = not_kept(&output, bytes);
                return (Outcome::Succeeded { output, changed }, TEXT_MAX);
            }
            let message = format!("the output of {bytes} bytes is too large to be kept");
            let error = StepError::new(ErrorKind::Failed, message).with_hint(format!(
                "outputs may have {OUTPUT_MAX} bytes; ask the operation for less"
            ));
            (Outcome::Failed { error }, TEXT_MAX)
        }
        Outcome::Failed { error } => (Outcome::Failed { error: cut(error) }, TEXT_MAX),
        Outcome::Unknown { error } => (Outcome::Unknown { error: cut(error) }, TEXT_MAX),
    }
}

/// Stands in for an output that is too large.
fn not_kept(output: &Value, bytes: usize) -> Value {
    json!({"not_kept": {
        "why": "the operation took place, and its output is too large to be kept",
        "bytes": bytes,
        "bytes_max": OUTPUT_MAX,
        "digest": Digest::of_value(output),
    }})
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
    use super::*;

    fn succeeded(output: Value) -> Outcome {
        Outcome::Succeeded {
            output,
            changed: true,
        }
    }

    #[test]
    fn what_fits_is_left_alone_and_texts_are_cut() {
        let fits = succeeded(json!({"a": "é"}));
        assert_eq!(bounded(fits.clone(), true), (fits, 10));
        let error = StepError::new(ErrorKind::Indeterminate, "é".repeat(TEXT_MAX));
        let (outcome, _) = bounded(Outcome::Unknown { error }, true);
        assert!(matches!(outcome, Outcome::Unknown { error } if error.message.len() <= TEXT_MAX + 6));
    }

    #[test]
    fn a_change_that_says_too_much_took_place_all_the_same() {
        let output = json!({"a": "x".repeat(OUTPUT_MAX)});
        let digest = Digest::of_value(&output);
        let (outcome, bytes) = bounded(succeeded(output), true);
        let Outcome::Succeeded {
            output,
            changed: true,
        } = outcome
        else {
            panic!("{outcome:?}");
        };
        assert_eq!(output["not_kept"]["digest"], json!(digest));
        assert!(bytes_of(&output) <= bytes);
    }

    #[test]
    fn what_only_looks_has_failed_without_its_output() {
        let (outcome, _) = bounded(succeeded(json!({"a": "x".repeat(OUTPUT_MAX)})), false);
        assert!(matches!(outcome, Outcome::Failed { error } if error.message.contains("too large")));
    }
}
