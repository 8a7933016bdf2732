//! The pack `baseline` does what its tests say, and every policy of it is tested.

use std::collections::BTreeSet;

use clawd_policy::{library, testing};

use crate::support::vocabulary;

#[test]
fn its_tests_pass_and_leave_no_policy_out() {
    let report = testing::run(&library::baseline(), &vocabulary());
    assert_eq!(report.problems, []);
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(report.cases.len() > 150, "{} cases", report.cases.len());
    assert_eq!(report.untested, Vec::<String>::new());
}

#[test]
fn every_file_of_the_folder_is_part_of_the_pack() {
    for pack in library::packs() {
        let folder = format!("{}/library/{}", env!("CARGO_MANIFEST_DIR"), pack.name);
        let on_disk: BTreeSet<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        assert_eq!(on_disk, pack.files().into_keys().collect());
    }
}
