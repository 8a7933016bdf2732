//! Bad input and faults on real hosts: what people are told, and that nothing is lost or done twice.

mod commands;
mod disk;
mod jobs;
mod packages;
mod prompt;
mod reach;
