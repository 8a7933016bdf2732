//! Inclusion and consistency proofs of RFC 6962 (section 2.1), and their verification after RFC 9162.
//!
//! An inclusion proof shows that a record is in the log of a given root; a consistency proof shows that a later
//! log only appended to an earlier one. Making a proof takes all leaf hashes; verifying takes none.

use crate::hash::{Hash, empty_root, node_hash};

/// Why a proof was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The numbers make no sense together.
    #[error("no such place: {index} of a log of {size}")]
    OutOfRange {
        /// The index, or the earlier size.
        index: u64,
        /// The size of the log.
        size: u64,
    },
    /// Too few or too many hashes for a log of that size.
    #[error("the proof has a wrong length")]
    Length,
    /// The hashes do not lead to the root.
    #[error("the proof leads to another root")]
    Root,
}

/// The largest power of two below `n`, for n ≥ 2.
fn split(n: usize) -> usize {
    debug_assert!(n >= 2);
    1 << (usize::BITS - 1 - (n - 1).leading_zeros())
}

/// The root of the log of these leaves.
#[must_use]
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// The hashes that lead from the leaf at `index` to the root, leaf first. `None` when there is no such leaf.
#[must_use]
pub fn inclusion_proof(leaves: &[Hash], index: u64) -> Option<Vec<Hash>> {
    let mut index = usize::try_from(index).ok().filter(|at| *at < leaves.len())?;
    let mut rest = leaves;
    let mut path = Vec::new();
    while rest.len() > 1 {
        let (left, right) = rest.split_at(split(rest.len()));
        if index < left.len() {
            path.push(root(right));
            rest = left;
        } else {
            path.push(root(left));
            index -= left.len();
            rest = right;
        }
    }
    path.reverse();
    Some(path)
}

/// The hashes that show that the log of all leaves begins with the log of the first `size` of them. `None` when
/// there are fewer leaves than that.
#[must_use]
pub fn consistency_proof(leaves: &[Hash], size: u64) -> Option<Vec<Hash>> {
    let mut size = usize::try_from(size).ok().filter(|at| *at <= leaves.len())?;
    if size == 0 || size == leaves.len() {
        return Some(Vec::new());
    }
    let mut rest = leaves;
    // Whether what is left of the earlier log is a subtree of it whose root the verifier can already compute.
    let mut complete = true;
    let mut path = Vec::new();
    while size < rest.len() {
        let (left, right) = rest.split_at(split(rest.len()));
        if size <= left.len() {
            path.push(root(right));
            rest = left;
        } else {
            path.push(root(left));
            size -= left.len();
            rest = right;
            complete = false;
        }
    }
    if !complete {
        path.push(root(rest));
    }
    path.reverse();
    Some(path)
}

/// Checks that `leaf` is the record at `index` of the log of `size` records with that `root`.
///
/// # Errors
/// When the proof does not show it.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    proof: &[Hash],
    root: &Hash,
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::OutOfRange { index, size });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for step in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(step, &hash);
            // A node without a sibling moves up unchanged until it is a right child.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}

/// Checks that the log of `size` records with `root` begins with the log of `earlier` records with `earlier_root`.
///
/// # Errors
/// When the proof does not show it.
pub fn verify_consistency(
    earlier: u64,
    earlier_root: &Hash,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if earlier > size {
        return Err(ProofError::OutOfRange { index: earlier, size });
    }
    if earlier == size || earlier == 0 {
        if !proof.is_empty() {
            return Err(ProofError::Length);
        }
        let expected = if earlier == 0 { empty_root() } else { *root };
        return if *earlier_root == expected {
            Ok(())
        } else {
            Err(ProofError::Root)
        };
    }
    let (mut node, mut last) = (earlier - 1, size - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let mut steps = proof.iter();
    // A power of two is itself a subtree, so that its root is known and not part of the proof.
    let first = if earlier.is_power_of_two() {
        *earlier_root
    } else {
        *steps.next().ok_or(ProofError::Length)?
    };
    let (mut old, mut new) = (first, first);
    for step in steps {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old = node_hash(step, &old);
            new = node_hash(step, &new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new = node_hash(&new, step);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old == *earlier_root && new == *root {
        Ok(())
    } else {
        Err(ProofError::Root)
    }
}
