//! Ranks on other machines.
//!
//! ```text
//! this machine                                     each machine with ranks
//! hpvmrun ─ outer keeper ─ relay ─── ssh ═════════ hpvmd ─ outer keeper ─ inner keeper ─ ranks
//! ```
//! The [relay](crate::keeper) stands where the inner keeper of a job on one machine does, and `hpvmrun` sees no difference: the relay writes
//! what comes from afar into the same pipes, the same status board and the same link. [`daemon`] is the other machine's side, which starts
//! keepers and ranks as `hpvmrun` does on its own machine, and holds that node's memory.
//!
//! Between them goes a stream of [`frame`]s, over [`channel`]s: pipes to ssh here, its standard input and output there. A [`greeting`] says
//! which protocol. When the stream ends, or the other side falls silent ([`pulse`]), whoever notices ends everything on its side. Nothing
//! secret stands on a command line.
//!
//! Where an `hpvmd` runs as a service ([`system`]), no ssh is between: the relay calls it over TCP, and [`noise`] encrypts the channel.
//!
//! [`machines`] says which machines there are, [`placement`] which rank goes where, [`route`] what carries messages between two machines,
//! [`job`] is what a node is told of the job.

pub mod channel;
pub mod daemon;
pub mod frame;
pub mod greeting;
pub mod job;
pub mod machines;
pub mod noise;
pub mod placement;
pub mod pulse;
pub mod route;
pub mod system;
