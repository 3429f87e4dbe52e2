//! The MPI engine on Fast Messages.

pub mod constants;
pub mod error;
pub mod group;

pub use error::{Class, Error, Result};
pub use group::{Comparison, Group};
