//! Checkpoints and keys survive their text, and every altered byte is noticed.

use clawd_audit::{Checkpoint, CheckpointError, InvalidKey, SigningKey, VerifierKey, leaf_hash, origin};

fn checkpoint() -> Checkpoint {
    Checkpoint {
        origin: origin(&"demo".parse().unwrap()),
        size: 57,
        root: leaf_hash(b"root"),
    }
}

#[test]
fn a_signed_checkpoint_reads_back() {
    let key = SigningKey::from_bytes(&[9; 32]);
    let note = checkpoint().sign(&key, "clawd.dev/audit/demo");
    let verifier = key.verifier("clawd.dev/audit/demo");
    assert_eq!(Checkpoint::verify(&note, &verifier), Ok(checkpoint()));
    assert_eq!(Checkpoint::read_unverified(&note), Ok(checkpoint()));
    assert_eq!(verifier.to_string().parse(), Ok(verifier.clone()));
    // Somebody else's signature beside ours does not matter; ours twice does no harm.
    let other = SigningKey::from_bytes(&[8; 32]);
    let cosigned = checkpoint().sign(&other, "witness.example");
    let cosignature = cosigned.lines().last().unwrap();
    assert_eq!(
        Checkpoint::verify(&format!("{note}{cosignature}\n"), &verifier),
        Ok(checkpoint())
    );
}

#[test]
fn every_altered_byte_is_noticed() {
    let key = SigningKey::from_bytes(&[9; 32]);
    let note = checkpoint().sign(&key, "clawd.dev/audit/demo");
    let verifier = key.verifier("clawd.dev/audit/demo");
    for position in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[position] ^= 1;
        if let Ok(altered) = String::from_utf8(bytes) {
            assert!(
                Checkpoint::verify(&altered, &verifier).is_err(),
                "byte {position}: {altered}"
            );
        }
    }
    for end in 0..note.len() {
        if let Some(cut) = note.get(..end) {
            assert!(Checkpoint::verify(cut, &verifier).is_err(), "cut at {end}");
        }
    }
    let other = SigningKey::from_bytes(&[8; 32]).verifier("clawd.dev/audit/demo");
    assert!(matches!(
        Checkpoint::verify(&note, &other),
        Err(CheckpointError::Unsigned(_))
    ));
}

#[test]
fn texts_that_are_no_checkpoints() {
    let root = leaf_hash(b"root");
    for text in [
        String::new(),
        format!("\n1\n{root}\n"),
        format!("origin\n01\n{root}\n"),
        format!("origin\n-1\n{root}\n"),
        format!("origin\n1\n{root}"),
        "origin\n1\nAAAA\n".to_owned(),
        format!("origin\n1\n{root}\n\n"),
        "origin\n1\n".to_owned(),
    ] {
        assert!(Checkpoint::parse(&text).is_err(), "{text:?}");
    }
    assert!(Checkpoint::parse(&format!("origin\n1\n{root}\nan extension\n")).is_ok());
}

#[test]
fn mistyped_keys_are_refused() {
    let good = SigningKey::from_bytes(&[9; 32])
        .verifier("clawd.dev/audit/demo")
        .to_string();
    assert!(good.parse::<VerifierKey>().is_ok());
    let renamed = good.replace("demo", "acme");
    assert!(matches!(renamed.parse::<VerifierKey>(), Err(InvalidKey::Hash(_))));
    for bad in ["", "a+b", "a+00000000+AAAA", "a+zz+!!", &good[..good.len() - 4]] {
        assert!(bad.parse::<VerifierKey>().is_err(), "{bad}");
    }
    assert_eq!(
        format!("{:?}", SigningKey::from_bytes(&[9; 32])),
        "SigningKey(secret)"
    );
}
