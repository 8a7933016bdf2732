//! The store on real SQLite files, one per test. Each file here is one promise.

mod audit;
mod commit;
mod fixture;
mod lease;
