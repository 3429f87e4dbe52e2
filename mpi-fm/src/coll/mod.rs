//! Collective operations: each algorithm is one `async fn` over the messages of a [`Cx`].
//!
//! The same function serves the blocking call ([`Process::block_on`](crate::Process::block_on) polls it in the wait loop), the nonblocking one
//! ([`Process::start_collective`](crate::Process::start_collective) keeps it with a request) and the persistent one (which makes it anew for each round).
//!
//! From the outside in:
//!
//! 1. A call's arguments are a value: [`Bcast`], [`Allreduce`], …, made of [`data`] and [`blocks`], that can check itself and run. [`call`]
//!    makes such calls in all three ways.
//! 2. `run`, in the `mod.rs` of each operation's folder, tells intercommunicators apart and asks [`select`] for an algorithm.
//! 3. The algorithms, one per file, written against [`cx`], with [`scratch`] memory and (reductions) the [`fold`] to a power of two.
//! 4. Inside a node, blocking calls do without messages: [`board`], and the files of that name in the operations' folders.

pub mod allgather;
pub mod allreduce;
pub mod alltoall;
pub mod barrier;
pub mod bcast;
pub mod blocks;
pub mod board;
pub mod call;
pub mod cx;
pub mod data;
pub mod fold;
pub mod gather;
pub mod neighbor;
pub mod operation;
pub mod reduce;
pub mod reduce_scatter;
pub mod root;
pub mod running;
pub mod scan;
pub mod scatter;
pub mod scratch;
pub mod select;

pub use allgather::Allgather;
pub use allreduce::Allreduce;
pub use alltoall::Alltoall;
pub use barrier::Barrier;
pub use bcast::Bcast;
pub use blocks::{Blocks, Ints};
pub use call::Collective;
pub use cx::{Cx, Pending, Tags};
pub use data::{Data, Held};
pub use gather::Gather;
pub use neighbor::Neighbor;
pub use operation::{Form, Operation};
pub use reduce::Reduce;
pub use reduce_scatter::ReduceScatter;
pub use root::Root;
pub use running::Task;
pub use scan::Scan;
pub use scatter::Scatter;
pub use select::Tuning;
