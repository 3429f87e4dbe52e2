//! Reliable, ordered packets over a network that loses, repeats, reorders and garbles them, and may have several paths of which some fail.
//!
//! The engine is *sans-IO*: it makes no system call, reads no clock and starts no timer. Whoever owns the network feeds it frames and
//! the time, and asks it what to send on which path and when to come back. A device over sockets or rings keeps one [`Flow`] for each peer:
//!
//! ```text
//! a packet to send    has_room, buffer, push                  and then transmit
//! a frame came        receive: perhaps the next packet at once, on the frame itself; then take, until there is nothing
//! after either        transmit until it has nothing: each time a frame, and the path it goes on
//! before sleeping     deadline_ns: when to call transmit if nothing comes before
//! ```
//! [`Reliable`] does that for any network of [`Datagrams`]. From the inside out:
//!
//! 1. [`frame`]: what precedes a packet on the wire.
//! 2. `round_trip`: how long an acknowledgement takes, and so how long to wait for one.
//! 3. `delivery`: at which rate packets arrive at the other end; `control`: how fast to send, and how much may be on its way.
//! 4. `path`: one path with both, its health, and its packets that are on their way.
//! 5. `outgoing`: packets that are not acknowledged yet; which of them to send (again).
//! 6. `incoming`: packets that came ahead of their turn, and what to acknowledge.
//! 7. `identity`: which process the other end is.
//! 8. [`flow`]: both directions between a pair of processes.
//! 9. [`device`]: a [`Device`](crate::Device) made of flows.
//!
//! Losses are told by time (RACK, RFC 8985): a packet is lost when one that was sent later on the same path has been acknowledged for
//! long enough. A path that says nothing for a time-out (RFC 6298) gets its oldest packet repeated on another one; after the next time-out it is
//! down, gets nothing but probes, and is up again when one is answered. Acknowledgements are cumulative with a bitmap of what is beyond (RFC 2018 in
//! spirit), so that one loss costs one retransmission. Why the rate is found as it is: `docs/decisions/0017-congestion-control.md`.

mod control;
mod delivery;
pub mod device;
pub mod flow;
pub mod frame;
mod identity;
mod incoming;
mod outgoing;
mod path;
mod round_trip;

pub use device::{Datagrams, Reliable};
pub use flow::{Failure, Flow, Received, Refused};
pub use frame::OVERHEAD;

/// One of the ways between two processes, as a network with several fabrics has them. Numbered from 0, alike on both sides.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Path(pub u8);

impl Path {
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Paths that a flow may have.
pub const PATHS_MAX: usize = 4;

/// Packets of one direction that may be on their way or wait to be taken.
pub const WINDOW_MAX: u32 = 1024;

/// What a flow is like.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Of this process: not 0, and greater than that of any earlier process in its place (its time of start, for instance).
    pub incarnation: u32,
    /// That of the peer, if both have exchanged them beforehand. Otherwise they ask each other first, which takes a round trip.
    pub peer: Option<u32>,
    /// 1 to [`PATHS_MAX`]; alike on both sides.
    pub paths: u8,
    /// Packets of one direction that may be on their way or wait to be taken, and so the bound of a flow's memory: at most [`WINDOW_MAX`], and alike
    /// on both sides. A path is filled if four times its product of rate and round trip fits.
    pub window: u32,
    /// A peer that owes an answer and says nothing for so long has [failed](Failure::Silent); `u64::MAX` for never.
    pub give_up_ns: u64,
}

impl Settings {
    /// One path, a window of 512 packets, and never to give up.
    pub const fn new(incarnation: u32) -> Settings {
        Settings { incarnation, peer: None, paths: 1, window: 512, give_up_ns: u64::MAX }
    }
}

/// `a` is an earlier sequence number than `b`: they are less than half the number space apart.
fn earlier(a: u32, b: u32) -> bool {
    (a.wrapping_sub(b) as i32) < 0
}
