//! The MPI engine on Fast Messages.

pub mod error;

pub use error::{Class, Error, Result};
