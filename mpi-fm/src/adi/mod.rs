//! The abstract device interface: MPI's messages on Fast Messages.

pub mod lists;
pub mod matching;
