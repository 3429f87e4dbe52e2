//! Collective operations: each algorithm is one `async fn` over the messages of a [`Cx`].
//!
//! The same function serves the blocking call ([`Process::block_on`](crate::Process::block_on) polls it in the wait loop), the nonblocking one
//! ([`Process::start_collective`](crate::Process::start_collective) keeps it with a request) and the persistent one (which makes it anew for each round).

pub mod barrier;
pub mod cx;
pub mod operation;
pub mod running;

pub use cx::{Cx, Pending};
pub use operation::Operation;
pub use running::Task;
