//! Proofs hold for every record and every pair of sizes, and nothing else passes for one.

use clawd_audit::{
    Hash, Tile, TiledLog, Tree, consistency_proof, inclusion_proof, leaf_hash, proof, verify_consistency,
    verify_inclusion,
};
use proptest::prelude::*;

use crate::leaves;

/// Exhaustive up to 40, then the sizes around powers of two and of tiles.
#[test]
fn every_record_is_included_and_every_earlier_log_contained() {
    let all = leaves(300);
    let sizes = (0..=40).chain([63, 64, 65, 127, 128, 129, 191, 255, 256, 257, 299, 300]);
    for size in sizes {
        let log = &all[..size];
        let root = proof::root(log);
        assert_eq!(Tree::from_leaves(log.iter().copied()).root(), root, "size {size}");
        let size = size as u64;
        for index in 0..size {
            let path = inclusion_proof(log, index).unwrap();
            verify_inclusion(&log[index as usize], index, size, &path, &root)
                .unwrap_or_else(|error| panic!("{index} of {size}: {error}"));
        }
        assert_eq!(inclusion_proof(log, size), None);
        for earlier in 0..=size {
            let before = proof::root(&log[..earlier as usize]);
            let path = consistency_proof(log, earlier).unwrap();
            verify_consistency(earlier, &before, size, &root, &path)
                .unwrap_or_else(|error| panic!("{earlier} of {size}: {error}"));
        }
        assert_eq!(consistency_proof(log, size + 1), None);
    }
}

/// Tiles give the same root at every size, and can be resumed from what is stored at every size.
#[test]
fn tiles_and_frontier_agree() {
    let mut tree = Tree::new();
    let mut tiles = TiledLog::new();
    let mut filled: Vec<Tile> = Vec::new();
    for (size, leaf) in (1_u64..).zip(leaves(1300)) {
        tree.append(leaf);
        tiles.append(leaf, &mut filled);
        assert_eq!((tiles.size(), tiles.root()), (size, tree.root()), "size {size}");
        let again = Tree::from_frontier(size, tree.frontier().to_vec()).unwrap();
        assert_eq!(again, tree);
    }
    assert_eq!(
        filled
            .iter()
            .map(|tile| (tile.level, tile.position))
            .collect::<Vec<_>>(),
        [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4)]
    );
    assert_eq!(TiledLog::widths(1300), [20, 5]);
    assert_eq!(TiledLog::widths(0), [0; 0]);
    assert_eq!(TiledLog::widths(65_536), [0, 0, 1]);
    assert_eq!(Tree::from_frontier(3, tree.frontier()[..1].to_vec()), None);
    assert_eq!(TiledLog::resume(3, vec![leaves(2)]), None);
}

/// A second level of tiles.
#[test]
fn a_log_of_many_tiles() {
    let mut tree = Tree::new();
    let mut tiles = TiledLog::new();
    let mut filled = Vec::new();
    let leaf = leaf_hash(b"same");
    for _ in 0..65_536 + 3 {
        tree.append(leaf);
        tiles.append(leaf, &mut filled);
    }
    assert_eq!(tiles.root(), tree.root());
    assert_eq!(filled.len(), 257);
    assert_eq!(
        filled.last().map(|tile| (tile.level, tile.position)),
        Some((1, 0))
    );
}

fn flip(hash: Hash, bit: usize) -> Hash {
    let mut bytes = *hash.as_bytes();
    bytes[bit / 8 % 32] ^= 1 << (bit % 8);
    Hash::from_bytes(bytes)
}

proptest! {
    /// A proof with one bit turned, one hash more or less, or for another record, size or root is refused.
    #[test]
    fn altered_inclusion_proofs_are_refused(size in 2_u64..300, at in 0_u64..300, bit in 0_usize..256, which in 0_usize..6) {
        let index = at % size;
        let log = leaves(size);
        let root = proof::root(&log);
        let mut path = inclusion_proof(&log, index).unwrap();
        let leaf = log[index as usize];
        let refused = match which {
            0 => verify_inclusion(&flip(leaf, bit), index, size, &path, &root),
            1 => verify_inclusion(&leaf, index, size, &path, &flip(root, bit)),
            2 => verify_inclusion(&leaf, (index + 1) % size, size, &path, &root),
            3 => { let turned = flip(path[bit % path.len()], bit); let at = bit % path.len(); path[at] = turned;
                   verify_inclusion(&leaf, index, size, &path, &root) }
            4 => { path.pop(); verify_inclusion(&leaf, index, size, &path, &root) }
            _ => { path.push(root); verify_inclusion(&leaf, index, size, &path, &root) }
        };
        prop_assert!(refused.is_err());
        prop_assert!(verify_inclusion(&leaf, size, size, &path, &root).is_err());
    }

    #[test]
    fn altered_consistency_proofs_are_refused(size in 3_u64..300, at in 0_u64..300, bit in 0_usize..256, which in 0_usize..5) {
        let earlier = 1 + at % (size - 1);
        let log = leaves(size);
        let root = proof::root(&log);
        let before = proof::root(&log[..earlier as usize]);
        let mut path = consistency_proof(&log, earlier).unwrap();
        let refused = match which {
            0 => verify_consistency(earlier, &flip(before, bit), size, &root, &path),
            1 => verify_consistency(earlier, &before, size, &flip(root, bit), &path),
            2 => { let at = bit % path.len(); path[at] = flip(path[at], bit);
                   verify_consistency(earlier, &before, size, &root, &path) }
            3 => { path.pop(); verify_consistency(earlier, &before, size, &root, &path) }
            _ => { path.push(root); verify_consistency(earlier, &before, size, &root, &path) }
        };
        prop_assert!(refused.is_err());
        prop_assert!(verify_consistency(size + 1, &before, size, &root, &path).is_err());
    }
}
