//! The shipped packs and the gate as a whole, with the operations that ship.

#[cfg(test)]
mod baseline;
#[cfg(test)]
mod explain;
#[cfg(test)]
mod matrix;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod support;
#[cfg(test)]
mod votes;
