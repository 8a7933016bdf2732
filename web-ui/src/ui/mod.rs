//! The small pieces that every page is made of. Each is a type that renders itself; all text in it is escaped, so
//! that a page may print it as it is.

mod bar;
mod code;
mod decision;
mod diff;
mod digest;
mod icon;
mod prose;
mod symbol;
mod when;

pub(crate) use bar::Tally;
pub(crate) use code::Code;
pub(crate) use decision::{DecisionView, MissingView};
pub(crate) use diff::Diff;
pub(crate) use digest::DigestTag;
pub(crate) use icon::Icon;
pub(crate) use prose::Prose;
pub(crate) use symbol::{Badge, Status, Symbol, Tone};
pub(crate) use when::{Ago, Clocked, Took};
