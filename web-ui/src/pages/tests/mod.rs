//! The console over a real store and the real gate, in memory: what a browser would see.

mod browser;
mod errands;
mod safety;
mod walk;

use browser::Browser;
