//! The log in tiles of 256 hashes, as C2SP `tlog-tiles` has it: what a store keeps besides the records.
//!
//! Level 0 holds leaves; an entry of level n is the root of a full tile of level n - 1. A full tile never changes.
//! Appending costs no hashing but the leaf's, until a tile is full; the root is worked out only when asked for.

use crate::hash::{Hash, empty_root, node_hash};
use crate::proof;

/// How many hashes a full tile holds.
pub const TILE_WIDTH: usize = 256;
/// The height of the subtree that a full tile stands for.
pub const TILE_HEIGHT: u32 = 8;

/// A full tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// 0 for leaves.
    pub level: u32,
    /// Its place in the level.
    pub position: u64,
    /// Its 256 hashes.
    pub hashes: Vec<Hash>,
}

/// The last, not yet full tile of each level.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct TiledLog {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl TiledLog {
    /// A log without records.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many hashes the last tile of each level holds, for a log of `size` records, level 0 first. All full
    /// tiles before them are stored.
    #[must_use]
    pub fn widths(size: u64) -> Vec<u64> {
        let mut widths = Vec::new();
        let mut rest = size;
        while rest > 0 {
            widths.push(rest % 256);
            rest /= 256;
        }
        widths
    }

    /// A log whose last tiles were read back. `None` when their widths do not fit the size.
    #[must_use]
    pub fn resume(size: u64, levels: Vec<Vec<Hash>>) -> Option<Self> {
        let widths = Self::widths(size);
        let fits = widths.len() == levels.len()
            && widths
                .iter()
                .zip(&levels)
                .all(|(width, level)| u64::try_from(level.len()) == Ok(*width));
        fits.then_some(Self { size, levels })
    }

    /// How many records the log holds.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf, and tells which tiles it filled.
    pub fn append(&mut self, leaf: Hash, filled: &mut Vec<Tile>) {
        self.size += 1;
        let mut hash = leaf;
        let mut count = self.size;
        let mut height = 0_u32;
        let mut at = 0_usize;
        loop {
            if self.levels.len() == at {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
            }
            let Some(level) = self.levels.get_mut(at) else {
                return;
            };
            level.push(hash);
            if level.len() < TILE_WIDTH {
                return;
            }
            let hashes = std::mem::replace(level, Vec::with_capacity(TILE_WIDTH));
            hash = proof::root(&hashes);
            count /= 256;
            filled.push(Tile {
                level: height,
                position: count - 1,
                hashes,
            });
            height += 1;
            at += 1;
        }
    }

    /// The root of the log as it is now.
    #[must_use]
    pub fn root(&self) -> Hash {
        // From the smallest subtree to the largest: every level's last tile stands left of the ones below it.
        let mut right: Option<Hash> = None;
        for level in &self.levels {
            for peak in peaks(level).into_iter().rev() {
                right = Some(right.map_or(peak, |right| node_hash(&peak, &right)));
            }
        }
        right.unwrap_or_else(empty_root)
    }
}

/// Roots of the perfect subtrees of a row of hashes, largest first.
fn peaks(mut hashes: &[Hash]) -> Vec<Hash> {
    let mut peaks = Vec::new();
    while !hashes.is_empty() {
        let width = 1_usize << (usize::BITS - 1 - hashes.len().leading_zeros());
        let (perfect, rest) = hashes.split_at(width);
        peaks.push(proof::root(perfect));
        hashes = rest;
    }
    peaks
}
