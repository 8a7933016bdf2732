//! Audit records in a Merkle log per tenant (RFC 6962), with checkpoints that a stranger can verify (C2SP).
//!
//! Pure: no clock, file, socket or randomness. The store appends to a log ([`Tree`]) in the same transaction as
//! the fact that a record is about; the export of a log is verified offline from its text alone.

pub mod checkpoint;
pub mod export;
pub mod hash;
pub mod key;
pub mod proof;
pub mod record;
pub mod tile;
pub mod tree;

pub use checkpoint::{Checkpoint, CheckpointError, origin};
pub use hash::{Hash, empty_root, leaf_hash, node_hash};
pub use key::{InvalidKey, SigningKey, VerifierKey};
pub use proof::{ProofError, consistency_proof, inclusion_proof, verify_consistency, verify_inclusion};
pub use record::{Draft, Prepared, Record};
pub use tile::{Tile, TiledLog};
pub use tree::Tree;
