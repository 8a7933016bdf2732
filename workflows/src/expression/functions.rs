//! The functions that expressions can call: a short list on purpose. Each one's work is bounded by the size of what
//! it is given, so that no expression can exhaust the process.

use std::sync::{Arc, LazyLock};

use cel::common::types::{CelString, LIST_TYPE, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{Env, ExecutionError};

/// Called as `size(x)`.
pub(crate) const GLOBAL: [&str; 8] = ["size", "int", "uint", "double", "string", "bool", "type", "dyn"];
/// Called as `x.size()`.
pub(crate) const MEMBER: [&str; 5] = ["size", "contains", "startsWith", "endsWith", "join"];
/// Expanded while compiling.
pub(crate) const MACROS: [&str; 7] = ["has", "all", "exists", "exists_one", "existsOne", "map", "filter"];
/// Names of types, for `type(x) == int`.
pub(crate) const TYPES: [&str; 8] = [
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "list",
    "map",
    "null_type",
];

const LONGEST_JOIN: usize = 1024 * 1024;

static ENVIRONMENT: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(build()));

/// The environment that all expressions are compiled for and evaluated in; made once, since making it costs more
/// than an evaluation.
pub(super) fn environment() -> &'static Arc<Env> {
    &ENVIRONMENT
}

fn build() -> Env {
    let mut env = Env::stdlib().with_optional_support(false);
    // `join` of CEL's own extension has no limit: a long separator times a long list.
    let added = env.add_member_overload("join", "list_join_string", LIST_TYPE, vec![STRING_TYPE], join);
    debug_assert!(added.is_ok(), "the standard library has no `join`");
    env
}

fn join<'b, 'v>(args: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [list, separator] = args.as_slice() else {
        return Err(ExecutionError::invalid_argument_count(
            1,
            args.len().saturating_sub(1),
        ));
    };
    let text = |value: &dyn Val| {
        let text = value
            .downcast_ref::<CelString<'_>>()
            .map(|text| text.inner().to_owned());
        text.ok_or_else(|| ExecutionError::function_error("join", "only texts can be joined"))
    };
    let separator = text(&**separator)?;
    let mut items = list
        .as_iterable()
        .ok_or_else(|| ExecutionError::function_error("join", "only lists can be joined"))?
        .iter();
    let mut joined = String::new();
    let mut is_first = true;
    while let Some(item) = items.next() {
        if !is_first {
            joined.push_str(&separator);
        }
        is_first = false;
        joined.push_str(&text(item)?);
        if joined.len() > LONGEST_JOIN {
            return Err(ExecutionError::function_error("join", "the text is too long"));
        }
    }
    Ok(CowVal::owned(CelString::from(joined)))
}
