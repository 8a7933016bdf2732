//! From text to a [`crate::runbook::Runbook`]: the YAML reader with its guards, and one file per mapping of the
//! language. Nothing here knows operations or other jobs; that is [`crate::validate`].

mod document;
mod input;
mod job;
pub(crate) mod keys;
mod lines;
mod node;
mod read;
mod scalar;
mod step;
mod strategy;
mod triggers;
mod yaml;

pub(crate) use document::runbook;
pub(crate) use lines::{Lines, floor};
pub(crate) use node::{Kind, Node, Spanned, beginning};
pub(crate) use read::{shortened, text, wrong};
pub(crate) use yaml::read as yaml;
