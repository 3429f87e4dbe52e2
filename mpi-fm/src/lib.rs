//! The MPI engine on Fast Messages.

pub mod adi;
pub mod arena;
pub mod buf;
pub mod constants;
pub mod datatype;
pub mod error;
pub mod errcode;
pub mod group;
pub mod handle;
pub mod info;
pub mod topo;

pub use buf::Buf;
pub use datatype::Datatype;
pub use error::{Class, Error, Result};
pub use group::{Comparison, Group};
