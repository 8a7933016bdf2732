//! The frontier of a Merkle log: all that is needed to append and to know the root.
//!
//! A log of n records is a row of perfect subtrees, one for each bit that is set in n, the largest first. Only
//! their roots are kept: at most 64 hashes, so that a clone is cheap and a failed transaction is undone by
//! putting the clone back. Proofs need all leaves and are made in [`crate::proof`].

use crate::hash::{Hash, empty_root, leaf_hash, node_hash};

/// The frontier of a log.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tree {
    size: u64,
    /// Roots of the perfect subtrees, largest first. INVARIANT: as many as bits are set in `size`.
    peaks: Vec<Hash>,
}

impl Tree {
    /// A log without records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A log of these leaves.
    #[must_use]
    pub fn from_leaves(leaves: impl IntoIterator<Item = Hash>) -> Self {
        let mut tree = Self::new();
        for leaf in leaves {
            tree.append(leaf);
        }
        tree
    }

    /// A log whose frontier was kept elsewhere; `None` when the number of subtrees does not fit the size.
    #[must_use]
    pub fn from_frontier(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (usize::try_from(size.count_ones()) == Ok(peaks.len())).then_some(Self { size, peaks })
    }

    /// The roots of the perfect subtrees, largest first.
    #[must_use]
    pub fn frontier(&self) -> &[Hash] {
        &self.peaks
    }

    /// How many records the log holds.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn append(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each trailing one of the size is a subtree as large as the one being carried.
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                node = node_hash(&left, &node);
            }
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// Appends a record, hashing it.
    pub fn append_record(&mut self, body: &[u8]) -> Hash {
        let leaf = leaf_hash(body);
        self.append(leaf);
        leaf
    }

    /// The root of the log as it is now.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(empty_root)
    }
}
