//! Fast Messages: active messages between the processes of a job.
//!
//! The layers, from the top; read the files in this order:
//!
//! 1. [`endpoint`]: a process's endpoint. Sends messages to peers, and extracts what has arrived by running handlers.
//! 2. [`stream`]: messages longer than one packet, on either side.
//! 3. `connection` and `inbound`: the state behind them, towards one peer and from all of them.
//! 4. [`packet`]: the 8-byte header that every packet carries.
//! 5. [`device`]: what a network has to offer ([`Device`]), and [`park`]: how a process waits ([`Park`]);
//!    `crowding`: how it had better wait beside others.
//! 6. [`lock`]: the lock that costs nothing while a process has one thread.
//! 7. [`reliability`]: what makes a device of a network that loses packets.
//! 8. [`board`]: where processes that share memory show each other things, beside messages.
//! 9. [`sim`]: a network inside one process, deterministic, in virtual time.
//!
//! Nothing here knows a word of MPI, makes a system call, reads a clock or holds a global: many endpoints live side by
//! side in one test process.
//!
//! Semantics are those of FM 2.x: messages between a pair of processes are reliable and their handlers *start* in the
//! order of sending; a receiver that does not extract blocks its senders, and nobody else.

#![deny(unsafe_code)]

pub mod answer;
pub mod board;
pub mod claims;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod connection;
pub mod copying;
mod crowding;
pub mod device;
pub mod endpoint;
mod inbound;
pub mod lock;
pub mod packet;
pub mod park;
pub mod prefetch;
pub mod reliability;
pub mod sim;
pub mod stream;

pub use device::{Device, Inbox, Landing, Link, Sink};
pub use endpoint::{Counts, Fm, Upcall};
pub use lock::{Threading, ThreadLock};
pub use packet::{HandlerId, Header, Peer};
pub use crowding::{Crowding, Waits};
pub use park::Park;
pub use stream::{Receive, SendStream};
