//! What an operation says is written by hosts and services that may be hostile: it is bounded before it goes into a
//! plan or a server's facts, which are kept and read back as a whole.

use clawd_model::{Change, ErrorKind, StepError};
use clawd_provider::Checked;
use serde_json::Value;

/// The largest document, as JSON, in bytes.
const DOCUMENT_MAX: usize = 1 << 20;
/// The longest diff, in bytes.
const DIFF_MAX: usize = 64 << 10;
/// The longest summary, message or hint, in bytes.
const TEXT_MAX: usize = 4 << 10;

/// What was seen, within its bounds. A text that is too long is cut; a document that is too large is an error, since
/// half a document is none.
pub(crate) fn bounded(checked: Checked) -> Result<Checked, StepError> {
    Ok(match checked {
        Checked::Read(value) => Checked::Read(document(value, "output")?),
        Checked::Would(change) => Checked::Would(Change {
            needed: change.needed,
            summary: cut(change.summary, TEXT_MAX),
            diff: cut(change.diff, DIFF_MAX),
            basis: document(change.basis, "prediction")?,
        }),
        Checked::Unpredictable => Checked::Unpredictable,
    })
}

/// An error with texts of a bounded length.
pub(crate) fn bounded_error(error: StepError) -> StepError {
    StepError {
        kind: error.kind,
        message: cut(error.message, TEXT_MAX),
        hint: error.hint.map(|hint| cut(hint, TEXT_MAX)),
    }
}

fn document(value: Value, what: &str) -> Result<Value, StepError> {
    let bytes = serde_json::to_vec(&value).map_or(usize::MAX, |bytes| bytes.len());
    if bytes <= DOCUMENT_MAX {
        return Ok(value);
    }
    let message = format!("the {what} of {bytes} bytes is too large to be kept");
    Err(StepError::new(ErrorKind::Failed, message).with_hint("ask the operation for less"))
}

fn cut(mut text: String, max: usize) -> String {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max));
        text.push_str(" [cut]");
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn would(diff: String, basis: Value) -> Checked {
        Checked::Would(Change {
            needed: true,
            summary: "é".repeat(TEXT_MAX),
            diff,
            basis,
        })
    }

    #[test]
    fn texts_are_cut_and_documents_are_refused() {
        let Ok(Checked::Would(change)) = bounded(would("+ line\n".repeat(DIFF_MAX), json!(1))) else {
            panic!()
        };
        assert!(change.summary.len() <= TEXT_MAX + 6 && change.summary.ends_with("é [cut]"));
        assert!(change.diff.len() <= DIFF_MAX + 6);
        let large = json!({"a": "x".repeat(DOCUMENT_MAX)});
        assert!(bounded(would(String::new(), large.clone())).is_err());
        assert!(
            bounded(Checked::Read(large))
                .unwrap_err()
                .message
                .contains("too large")
        );
        let fits = Checked::Read(json!({"a": 1}));
        assert_eq!(bounded(fits.clone()), Ok(fits));
    }
}
