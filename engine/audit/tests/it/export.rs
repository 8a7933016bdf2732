//! An export verifies from its text alone; whatever is changed in it is found, and the error says where.

use std::fmt::Write as _;
use std::io::Cursor;

use clawd_audit::export::{Known, VerifyError, checkpoint_line, header_line, verify, verify_with};
use clawd_audit::{Checkpoint, Draft, Record, SigningKey, Tree, VerifierKey, origin};
use clawd_model::{TenantName, Timestamp};
use serde_json::json;

fn key() -> SigningKey {
    SigningKey::from_bytes(&[3; 32])
}

fn demo() -> TenantName {
    "demo".parse().unwrap()
}

fn verifier() -> VerifierKey {
    key().verifier(&origin(&demo()))
}

fn body(index: u64) -> String {
    let draft = Draft {
        kind: "vote.cast",
        actor: "user:ana \"the\u{1}boss\"".to_owned(),
        run: None,
        subject: "approval/x".to_owned(),
        data: json!({"z": index, "a": {"nested": [1, null, "ü"]}}),
    };
    draft
        .prepare(
            &demo(),
            Timestamp(1_772_357_400_000 + i64::try_from(index).unwrap()),
        )
        .body(index)
}

fn sign(tree: &Tree) -> String {
    let checkpoint = Checkpoint {
        origin: origin(&demo()),
        size: tree.size(),
        root: tree.root(),
    };
    checkpoint.sign(&key(), &origin(&demo()))
}

/// A log of `size` records with a checkpoint after every fourth.
fn export(size: u64) -> Vec<String> {
    let mut lines = vec![header_line(&demo(), size, &verifier()).unwrap()];
    let mut tree = Tree::new();
    for index in 0..size {
        let body = body(index);
        tree.append(Record::leaf(&body));
        lines.push(body);
        if tree.size().is_multiple_of(4) {
            lines.push(checkpoint_line(&sign(&tree)).unwrap());
        }
    }
    if !size.is_multiple_of(4) || size == 0 {
        lines.push(checkpoint_line(&sign(&tree)).unwrap());
    }
    lines
}

fn text(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |mut text, line| {
        let _ = writeln!(text, "{line}");
        text
    })
}

fn check(lines: &[String]) -> Result<clawd_audit::export::Report, VerifyError> {
    verify(Cursor::new(text(lines)), Some(&verifier()))
}

#[test]
fn an_honest_export_verifies() {
    for size in [0, 1, 3, 4, 5, 100] {
        let report = check(&export(size)).unwrap_or_else(|error| panic!("{size}: {error}"));
        assert_eq!(
            (report.records, report.tenant.clone(), report.key_is_trusted),
            (size, demo(), true)
        );
        assert_eq!(report.checkpoints, size.div_ceil(4).max(1));
        let untrusted = verify(Cursor::new(text(&export(size))), None).unwrap();
        assert!(!untrusted.key_is_trusted);
        assert_eq!(untrusted.root, report.root);
    }
    let shown = check(&export(5)).unwrap().to_string();
    assert!(
        shown.starts_with("5 records of `demo` under 2 checkpoints, 2026-03-01T09:30:00Z to "),
        "{shown}"
    );
}

#[test]
fn an_altered_record_is_found() {
    // In its words, so that it is still a record.
    let mut lines = export(10);
    lines[7] = lines[7].replace("approval/x", "approval/y");
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(
            error,
            VerifyError::Root {
                line: 11,
                from: 7,
                to: 10
            }
        ),
        "{error}"
    );
    // In its spelling only.
    let mut lines = export(10);
    lines[2] = lines[2].replace("\"data\":", "\"data\": ");
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(error, VerifyError::NotCanonical { line: 3, index: 1 }),
        "{error}"
    );
    // Its tenant.
    let mut lines = export(10);
    lines[2] = lines[2].replace("\"tenant\":\"demo\"", "\"tenant\":\"acme\"");
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(
            error,
            VerifyError::OtherTenant {
                line: 3,
                index: 1,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn any_altered_character_is_found() {
    let whole = text(&export(2));
    for position in 0..whole.len() {
        let mut bytes = whole.clone().into_bytes();
        bytes[position] ^= 1;
        let refused = verify(Cursor::new(bytes), Some(&verifier()));
        assert!(
            refused.is_err(),
            "byte {position} ({:?})",
            &whole[position.saturating_sub(5)..].chars().next()
        );
    }
}

#[test]
fn a_removed_doubled_or_moved_record_is_found() {
    let mut lines = export(10);
    lines.remove(2);
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(
            error,
            VerifyError::Index {
                line: 3,
                expected: 1,
                found: 2
            }
        ),
        "{error}"
    );
    let mut lines = export(10);
    lines.insert(3, lines[2].clone());
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(
            error,
            VerifyError::Index {
                line: 4,
                expected: 2,
                found: 1
            }
        ),
        "{error}"
    );
    let mut lines = export(10);
    lines.swap(6, 7);
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(
            error,
            VerifyError::Index {
                line: 7,
                expected: 4,
                found: 5
            }
        ),
        "{error}"
    );
    // Removed together with a renumbering of all that follow: the root gives it away.
    let mut lines = export(3);
    lines.remove(2);
    lines[2] = lines[2].replace("\"index\":2", "\"index\":1");
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(
            error,
            VerifyError::Place {
                line: 4,
                signed: 3,
                found: 2
            }
        ),
        "{error}"
    );
}

#[test]
fn a_shortened_export_is_found() {
    let whole = export(10);
    for end in 0..whole.len() {
        let error = check(&whole[..end]).unwrap_err();
        match end {
            0 => assert!(matches!(error, VerifyError::NotAnExport), "{error}"),
            _ => assert!(
                matches!(error, VerifyError::CutOff { expected: 10, .. }),
                "{end}: {error}"
            ),
        }
    }
    // Even if the header is made to agree, the last records are under no checkpoint.
    let mut lines = whole[..9].to_vec();
    lines[0] = header_line(&demo(), 7, &verifier()).unwrap();
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(
            error,
            VerifyError::CutOff {
                found: 7,
                uncovered: 3,
                ..
            }
        ),
        "{error}"
    );
    // In the middle of a line.
    let text = text(&whole);
    let error = verify(Cursor::new(&text[..text.len() - 20]), None).unwrap_err();
    assert!(
        matches!(error, VerifyError::NotARecord { line: 14, .. }),
        "{error}"
    );
}

#[test]
fn what_was_seen_before_has_to_be_in_it() {
    let whole = export(10);
    let mut tree = Tree::new();
    for index in 0..7 {
        tree.append(Record::leaf(&body(index)));
    }
    let seen = |root| Known {
        key: Some(verifier()),
        checkpoints: vec![Checkpoint {
            origin: origin(&demo()),
            size: 7,
            root,
        }],
    };
    verify_with(Cursor::new(text(&whole)), &seen(tree.root())).unwrap();
    let other = clawd_audit::leaf_hash(b"other");
    let error = verify_with(Cursor::new(text(&whole)), &seen(other)).unwrap_err();
    assert!(matches!(error, VerifyError::Forked { size: 7, .. }), "{error}");
    // An honest copy of an earlier state lacks it.
    let error = verify_with(Cursor::new(text(&export(5))), &seen(tree.root())).unwrap_err();
    assert!(matches!(error, VerifyError::Forked { size: 7, .. }), "{error}");
}

#[test]
fn another_key_or_a_borrowed_checkpoint_is_found() {
    let forger = SigningKey::from_bytes(&[4; 32]);
    let name = origin(&demo());
    // Forged through and through: it agrees with itself, but not with the trusted key.
    let mut lines = export(2);
    lines[0] = header_line(&demo(), 2, &forger.verifier(&name)).unwrap();
    let mut tree = Tree::new();
    for index in 0..2 {
        tree.append(Record::leaf(&body(index)));
    }
    let checkpoint = Checkpoint {
        origin: name.clone(),
        size: 2,
        root: tree.root(),
    };
    lines[3] = checkpoint_line(&checkpoint.sign(&forger, &name)).unwrap();
    assert!(verify(Cursor::new(text(&lines)), None).is_ok());
    assert!(matches!(check(&lines), Err(VerifyError::OtherKey { .. })));
    // Under the right header the forged checkpoint is not signed.
    lines[0] = header_line(&demo(), 2, &verifier()).unwrap();
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(error, VerifyError::Checkpoint { line: 4, .. }),
        "{error}"
    );
    // A good signature of the same key, for another tenant's log.
    let borrowed = Checkpoint {
        origin: "clawd.dev/audit/acme".to_owned(),
        size: 2,
        root: tree.root(),
    };
    lines[3] = checkpoint_line(&borrowed.sign(&key(), &name)).unwrap();
    let error = check(&lines).unwrap_err();
    assert!(matches!(error, VerifyError::OtherLog { line: 4, .. }), "{error}");
}

#[test]
fn garbage_is_no_export() {
    for garbage in [
        "",
        "\n",
        "{}",
        "null\n",
        "not json\n",
        "{\"export\":\"other@1\",\"key\":\"\",\"size\":0,\"tenant\":\"demo\"}\n",
    ] {
        let error = verify(Cursor::new(garbage), None).unwrap_err();
        assert!(matches!(error, VerifyError::NotAnExport), "{garbage:?}: {error}");
    }
    let mut lines = export(2);
    lines.insert(2, "{\"hello\":1}".to_owned());
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(error, VerifyError::NotARecord { line: 3, .. }),
        "{error}"
    );
    let mut lines = export(2);
    lines.push(body(2));
    let error = check(&lines).unwrap_err();
    assert!(
        matches!(error, VerifyError::Surplus { line: 5, expected: 2 }),
        "{error}"
    );
}

/// Whatever a record holds, reading it and writing it again gives the same bytes.
#[test]
fn a_record_has_one_spelling() {
    let data = json!({
        "floats": [958_373_187.541_624_9, 0.1, 1.0, -0.0, 5e-324, 1.797_693_134_862_315_7e308, 1e21],
        "numbers": [u64::MAX, i64::MIN, 0],
        "texts": ["", "\u{0}\u{1f}\u{7f}\u{2028}", "\"\\/", "\u{1F980}"],
        "\"key\"": {"b": null, "a": [true, {}]},
    });
    let draft = Draft {
        kind: "test",
        actor: "user:\"x\"\n".to_owned(),
        run: None,
        subject: "\\".to_owned(),
        data,
    };
    let prepared = draft.prepare(&demo(), Timestamp(-1));
    for index in [0, 9, u64::MAX] {
        let body = prepared.body(index);
        let record = Record::parse(&body).unwrap();
        assert_eq!(record.body(), body);
        assert_eq!(record.data, draft.data);
        let mut bytes = b"before".to_vec();
        assert_eq!(prepared.append_to(&mut bytes, index), Record::leaf(&body));
        assert_eq!(bytes, format!("before{body}").into_bytes());
    }
}
