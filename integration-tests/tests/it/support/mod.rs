//! What several files of tests need: HTTP by hand, and a small site of people and simulated servers.

mod http;
mod receiver;
mod site;

pub(crate) use http::{Answer, Gone, Request, send};
pub(crate) use receiver::Receiver;
pub(crate) use site::{JSON, Site};
