//! Bad input and faults on real hosts: what people are told, and that nothing is lost or done twice.

mod certificates;
mod checks;
mod commands;
mod disk;
mod drift;
mod jobs;
mod packages;
mod prompt;
mod reach;
mod secrets;
mod services;
