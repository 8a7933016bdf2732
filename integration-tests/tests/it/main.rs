//! The black-box tests. One binary, so that one link serves them all; a file per subject.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "everything in here is a test, which ends at the first surprise"
)]

mod bad_requests;
mod browser;
mod channels;
mod clawd_process;
mod cli;
mod console;
mod demo;
mod gates;
mod hosts;
mod kill;
mod lab;
mod lab_faults;
mod locks;
mod people;
mod rescue;
mod serving;
mod support;
mod telemetry;
mod walkthrough;

use std::collections::BTreeSet;

/// A file that is not declared here would never be compiled, and its tests would never run.
#[test]
fn every_test_file_is_declared() {
    let here = clawd_integration_tests::workspace().join("integration-tests/tests/it");
    let main = std::fs::read_to_string(here.join("main.rs")).unwrap();
    let declared: BTreeSet<String> = main
        .lines()
        .filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'))
        .map(|name| name.trim().to_owned())
        .collect();
    let mut present = BTreeSet::new();
    for entry in std::fs::read_dir(&here).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let source = path.extension().is_some_and(|extension| extension == "rs");
        if path.is_dir() || (source && name != "main") {
            present.insert(name);
        }
    }
    assert_eq!(
        declared, present,
        "each file in tests/it needs its `mod` line in main.rs"
    );
}
