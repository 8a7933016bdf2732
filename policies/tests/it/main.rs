//! The shipped packs and the gate as a whole, with the operations that ship.

mod baseline;
mod support;
