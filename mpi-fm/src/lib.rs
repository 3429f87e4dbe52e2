//! The MPI engine on Fast Messages.

pub mod adi;
pub mod arena;
pub mod bsend;
pub mod buf;
pub mod coll;
pub mod comm;
pub mod config;
pub mod attr;
pub mod constants;
pub mod datatype;
pub mod errcode;
pub mod errhandler;
pub mod error;
pub mod finalize;
pub mod group;
pub mod handle;
pub mod host;
pub mod info;
pub mod memory;
pub mod objects;
pub mod op;
pub mod part;
pub mod process;
pub mod request;
pub mod session;
pub mod status;
pub mod tally;
pub mod topo;
pub mod waiting;

pub use buf::Buf;
pub use datatype::Datatype;
pub use error::{Class, Error, Result};
pub use group::{Comparison, Group};
pub use op::Op;
pub use process::Process;
pub use session::Session;
