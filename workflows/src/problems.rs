//! Collects the problems of a document, so that a person sees all of them at once. Every stage adds to the same
//! list; none of them stops at the first problem. Never decides whether a document can be used: [`crate::check`]
//! does, by looking for errors in the list.

use std::cell::RefCell;

use clawd_model::{Problem, Severity, SourceSpan};

use crate::codes::Code;

/// More would not help anybody; the rest shows up once these are mended.
const MAX_PROBLEMS: usize = 200;

/// A growing list of problems.
#[derive(Default)]
pub(crate) struct Problems {
    list: RefCell<Vec<Problem>>,
}

impl Problems {
    /// Adds an error.
    pub(crate) fn error(&self, code: &Code, span: SourceSpan, message: impl Into<String>) {
        self.add(code, Severity::Error, span, message.into(), None);
    }

    /// Adds an error with a hint, if there is one.
    pub(crate) fn error_with_hint(
        &self,
        code: &Code,
        span: SourceSpan,
        message: impl Into<String>,
        hint: impl Into<Option<String>>,
    ) {
        self.add(code, Severity::Error, span, message.into(), hint.into());
    }

    /// Adds a warning.
    pub(crate) fn warning(&self, code: &Code, span: SourceSpan, message: impl Into<String>, hint: &str) {
        self.add(
            code,
            Severity::Warning,
            span,
            message.into(),
            Some(hint.to_owned()),
        );
    }

    fn add(&self, code: &Code, severity: Severity, span: SourceSpan, message: String, hint: Option<String>) {
        let mut list = self.list.borrow_mut();
        if list.len() < MAX_PROBLEMS {
            list.push(Problem {
                code: code.id.to_owned(),
                severity,
                message,
                file: None,
                span: Some(span),
                hint,
            });
        }
    }

    /// Whether no more problems are taken: then it is not worth looking for hints.
    pub(crate) fn is_full(&self) -> bool {
        self.list.borrow().len() >= MAX_PROBLEMS
    }

    /// Whether the document cannot be used.
    pub(crate) fn has_errors(&self) -> bool {
        self.list
            .borrow()
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }

    /// All problems, in the order of the source.
    pub(crate) fn into_sorted(self) -> Vec<Problem> {
        let mut list = self.list.into_inner();
        list.sort_by(|a, b| {
            let place = |problem: &Problem| problem.span.map_or(0, |span| span.start);
            place(a)
                .cmp(&place(b))
                .then_with(|| a.code.cmp(&b.code))
                .then_with(|| a.message.cmp(&b.message))
        });
        list.dedup();
        list
    }
}
