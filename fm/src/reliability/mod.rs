//! Reliable, ordered packets over a network that loses, repeats, reorders and garbles them.
//!
//! The engine is *sans-IO*: it makes no system call, reads no clock and starts no timer. Whoever owns the network feeds it frames and
//! the time, and asks it what to send and when to come back. From the inside out:
//!
//! 1. [`frame`]: what precedes a payload on the wire.
//! 2. `outgoing`: packets that are not acknowledged yet, and which of them to send (again). `round_trip` says how long to wait.
//! 3. `incoming`: packets that came ahead of their turn, and what to acknowledge.
//! 4. [`flow`]: both directions between a pair of processes.
//! 5. [`device`]: a [`Device`](crate::Device) made of flows over a network of [`Datagrams`].
//!
//! Losses are told by time (RACK, RFC 8985): a packet is lost when one that was sent sufficiently later has been acknowledged, or when
//! nothing has been heard for a retransmission time-out (RFC 6298). Acknowledgements are cumulative with a bitmap of 64 packets
//! beyond (RFC 2018 in spirit), so that one loss costs one retransmission.
//!
//! The rate is bounded by the window alone: there is no pacing yet.

pub mod device;
pub mod flow;
pub mod frame;
mod incoming;
mod outgoing;
mod round_trip;

pub use device::{Datagrams, Reliable};
pub use flow::{Flow, Refused};

/// Packets of one direction that may be on their way: as many as an acknowledgement can tell apart.
pub const WINDOW: u32 = 64;

/// `a` is an earlier sequence number than `b`: they are less than half the number space apart.
fn earlier(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}
