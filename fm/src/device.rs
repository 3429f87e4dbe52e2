//! What a network has to offer.

use crate::packet::{Header, Peer};

/// A network, as seen by one process: packets to and from peers, reliable and in order per pair.
///
/// All methods take `&self` and may be called from several threads at once; a device locks per peer with
/// [`ThreadLock`](crate::ThreadLock), which is free in a process with one thread. No method blocks.
pub trait Device: Send + Sync {
    /// For people: `smp`, `ip`, … Nothing decides by it.
    fn name(&self) -> &'static str;

    /// Largest payload of one packet in bytes, without the header.
    fn max_packet(&self) -> usize;

    /// Receive credits that each sender starts with, in packets, when FM has to count them; `None` when the device itself
    /// holds a sender back before its receiver would run out of room.
    fn credits(&self) -> Option<u16>;

    /// Lends room for a packet of `len` bytes of payload (at most [`max_packet`](Self::max_packet)); `None` means "not now":
    /// the caller comes back after its next poll.
    fn lend(&self, to: Peer, len: usize) -> Option<Slot<'_>>;

    /// Sends the packet whose payload the lent room now holds. Packets to one peer leave in the order of `commit`.
    fn commit(&self, slot: Slot<'_>, header: Header);

    /// Delivers at most `budget` packets that have arrived, each on the device's own slot, lent for the call. Only one thread
    /// polls a device at a time.
    ///
    /// Returns how many were delivered.
    fn poll(&self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize;

    /// Whether a poll would deliver something: the last look before a process sleeps.
    fn arrived(&self) -> bool;
}

/// Room for one packet, lent by a device until [`Device::commit`]. Dropping it gives it back unsent.
pub struct Slot<'d> {
    /// The payload, to be filled completely.
    pub payload: &'d mut [u8],
    pub to: Peer,
    /// Whatever the device needs to find the slot again.
    pub token: u64,
}
