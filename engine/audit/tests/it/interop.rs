//! Somebody else's implementation of the same formats (Cloudflare's, used for certificate transparency) agrees with
//! ours: on keys, signed notes, checkpoints, roots and proofs, in both directions.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clawd_audit::{
    Checkpoint, Hash, SigningKey, Tree, consistency_proof, inclusion_proof, leaf_hash, origin,
    verify_consistency, verify_inclusion,
};
use signed_note::{Note, Signer, StandardSigner, StandardVerifier, Verifier, VerifierList};
use tlog_tiles::HashReader;

const SEED: [u8; 32] = [9; 32];

fn theirs(hash: Hash) -> tlog_tiles::Hash {
    tlog_tiles::Hash(*hash.as_bytes())
}

fn ours(hash: tlog_tiles::Hash) -> Hash {
    Hash::from_bytes(hash.0)
}

/// Their store of a log: all hashes of complete subtrees.
struct Stored(Vec<tlog_tiles::Hash>);

impl HashReader for Stored {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<tlog_tiles::Hash>, tlog_tiles::Error> {
        Ok(indexes
            .iter()
            .map(|index| self.0[usize::try_from(*index).unwrap()])
            .collect())
    }
}

fn record(number: u64) -> String {
    format!("record {number}")
}

fn their_log(size: u64) -> Stored {
    let mut stored = Stored(Vec::new());
    for number in 0..size {
        let more = tlog_tiles::stored_hashes(number, record(number).as_bytes(), &stored).unwrap();
        stored.0.extend(more);
    }
    stored
}

fn our_log(size: u64) -> Vec<Hash> {
    (0..size)
        .map(|number| leaf_hash(record(number).as_bytes()))
        .collect()
}

#[test]
fn roots_and_proofs_are_the_same() {
    const SIZE: u64 = 150;
    let log = their_log(SIZE);
    let leaves = our_log(SIZE);
    for size in 1..=SIZE {
        let leaves = &leaves[..usize::try_from(size).unwrap()];
        let root = Tree::from_leaves(leaves.iter().copied()).root();
        assert_eq!(
            theirs(root),
            tlog_tiles::tree_hash(size, &log).unwrap(),
            "size {size}"
        );
        for index in [0, size / 3, size / 2, size - 1] {
            let path = tlog_tiles::prove_record(size, index, &log).unwrap();
            let leaf = leaves[usize::try_from(index).unwrap()];
            let path_of_ours = inclusion_proof(leaves, index).unwrap();
            assert_eq!(path.iter().copied().map(ours).collect::<Vec<_>>(), path_of_ours);
            verify_inclusion(&leaf, index, size, &path_of_ours, &root).unwrap();
            tlog_tiles::check_record(&path, size, theirs(root), index, theirs(leaf)).unwrap();
        }
        for earlier in [1, size / 3, size / 2, size - 1, size] {
            if earlier == 0 {
                continue;
            }
            let before =
                Tree::from_leaves(leaves[..usize::try_from(earlier).unwrap()].iter().copied()).root();
            let path = tlog_tiles::prove_tree(size, earlier, &log).unwrap();
            let path_of_ours = consistency_proof(leaves, earlier).unwrap();
            assert_eq!(
                path.iter().copied().map(ours).collect::<Vec<_>>(),
                path_of_ours,
                "{earlier} of {size}"
            );
            verify_consistency(earlier, &before, size, &root, &path_of_ours).unwrap();
            tlog_tiles::check_tree(&path, size, theirs(root), earlier, theirs(before)).unwrap();
        }
    }
}

#[test]
fn they_verify_our_checkpoint() {
    let name = origin(&"demo".parse().unwrap());
    let key = SigningKey::from_bytes(&SEED);
    let root = Tree::from_leaves(our_log(57)).root();
    let note = Checkpoint {
        origin: name.clone(),
        size: 57,
        root,
    }
    .sign(&key, &name);

    let verifier = StandardVerifier::new(&key.verifier(&name).to_string()).unwrap();
    assert_eq!(verifier.key_id().to_be_bytes(), key.verifier(&name).id());
    let parsed = Note::from_bytes(note.as_bytes()).unwrap();
    let (verified, _) = parsed
        .verify(&VerifierList::new(vec![Box::new(verifier)]))
        .unwrap();
    assert_eq!(verified.len(), 1);
    let checkpoint = tlog_tiles::Checkpoint::from_bytes(parsed.text()).unwrap();
    assert_eq!((checkpoint.origin(), checkpoint.size()), (name.as_str(), 57));
    assert_eq!(
        *checkpoint.hash(),
        tlog_tiles::tree_hash(57, &their_log(57)).unwrap()
    );
}

#[test]
fn we_verify_their_checkpoint() {
    let name = "example.com/log";
    let key = SigningKey::from_bytes(&SEED);
    let secret = [&[1_u8][..], &SEED].concat();
    let id = hex::encode(key.verifier(name).id());
    let signer =
        StandardSigner::new(&format!("PRIVATE+KEY+{name}+{id}+{}", STANDARD.encode(secret))).unwrap();
    let root = tlog_tiles::tree_hash(99, &their_log(99)).unwrap();
    let checkpoint = tlog_tiles::Checkpoint::new(name, 99, root, "an extension\n").unwrap();
    let mut note = Note::new(&checkpoint.to_bytes(), &[]).unwrap();
    note.add_sigs(&[&signer as &dyn Signer]).unwrap();
    let text = String::from_utf8(note.to_bytes()).unwrap();
    let read = Checkpoint::verify(&text, &key.verifier(name)).unwrap();
    assert_eq!(
        read,
        Checkpoint {
            origin: name.to_owned(),
            size: 99,
            root: Tree::from_leaves(our_log(99)).root()
        }
    );
}
