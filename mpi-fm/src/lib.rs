//! The MPI engine on Fast Messages.

pub mod adi;
pub mod arena;
pub mod constants;
pub mod error;
pub mod errcode;
pub mod group;
pub mod handle;
pub mod info;
pub mod topo;

pub use error::{Class, Error, Result};
pub use group::{Comparison, Group};
