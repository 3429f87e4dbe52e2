//! Every collective against what the standard says its result is, on 1 to 9 simulated processes, with lengths on both sides of every choice of
//! algorithm.

#[path = "../common/mod.rs"]
mod common;
mod errors;
mod memory;
mod moving;
mod overlapping;
mod perform;
mod reducing;
