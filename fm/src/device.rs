//! What a network has to offer.

use crate::board::Neighbours;
use crate::claims::WORDS;
use crate::packet::{Header, Peer};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A network, as seen by one process: packets to and from peers, reliable and in order per pair.
///
/// A device is taken apart once: into one [`Link`] per peer, which [`Fm`](crate::Fm) keeps under that peer's lock, and one
/// [`Inbox`], which it keeps under the lock of whoever extracts. So neither needs a lock of its own, except around what
/// they share. No method blocks.
pub trait Device: Send + Sync {
    /// For people: `smp`, `ip`, … Nothing decides by it.
    fn name(&self) -> &'static str;

    /// Largest payload of one packet in bytes, without the header.
    fn max_packet(&self) -> usize;

    /// Receive credits that each sender starts with, in packets, when FM has to count them; `None` when the device itself
    /// holds a sender back before its receiver would run out of room.
    ///
    /// A [`Kind::Credits`](crate::packet::Kind::Credits) packet costs no credit. At most two of them per sender wait
    /// unextracted, so that a receiver needs room for `credits + 2` packets from each.
    fn credits(&self) -> Option<u16>;

    /// Whether this process can [`read`](Self::read) the memory of `from`. Asked often; finds out once.
    fn can_read(&self, from: Peer) -> bool {
        let _ = from;
        false
    }

    /// Copies what lies at `address` in the memory of `from` into `to`, without the help of `from`. Returns whether that was
    /// possible; if not, `to` may have changed.
    fn read(&self, from: Peer, address: u64, to: &mut [u8]) -> bool {
        let _ = (from, address, to);
        false
    }

    /// Copies `from` to `address` in the memory of `to`, without the help of `to`. Returns whether that was possible; if not, part of it may
    /// have been copied.
    fn write(&self, to: Peer, address: u64, from: &[u8]) -> bool {
        let _ = (to, address, from);
        false
    }

    /// The words by which `owner`, this process or one with which it can [`read`](Self::read) and write both ways, shares the copying of
    /// bodies out: see [`claims`](crate::claims).
    fn claims(&self, owner: Peer) -> Option<&[AtomicU64; WORDS]> {
        let _ = owner;
        None
    }

    /// The memory that this process has in common with those it reaches by this device, if there is such.
    fn neighbours(&self) -> Option<Arc<dyn Neighbours>> {
        None
    }

    /// The sending side towards `to`: asked for once, at first contact.
    fn link(&self, to: Peer) -> Box<dyn Link>;

    /// The receiving side: asked for once.
    fn inbox(&self) -> Box<dyn Inbox>;
}

/// The sending side of a device towards one peer. Its packets arrive in the order of [`commit`](Self::commit).
pub trait Link: Send {
    /// Lends room for exactly `len` bytes of payload (at most [`Device::max_packet`]); `None` means "not now": the caller comes
    /// back after its next poll. Room that was lent before and not committed is taken back.
    fn lend(&mut self, len: usize) -> Option<&mut [u8]>;

    /// Sends the packet whose payload the room lent last now holds.
    fn commit(&mut self, header: Header);
}

/// The receiving side of a device.
pub trait Inbox: Send {
    /// Delivers at most `budget` packets that have arrived, each on the device's own slot, lent for the call. A packet that
    /// makes no sense is delivered as [`Kind::Garbled`](crate::packet::Kind::Garbled), without payload.
    ///
    /// Returns how many were delivered.
    fn poll(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize;

    /// Whether a poll would deliver something, a link that refused to lend would now lend, or [`close`](Self::close), if it was called,
    /// would now return true: the last look before a process sleeps.
    fn arrived(&self) -> bool;

    /// This process sends nothing any more and is about to leave the job. Asked again, with polls between, until it returns
    /// true: then everything that was committed is out of this process's hands, and it may end without a loss to others.
    ///
    /// Called when all peers are about to leave as well. What is committed afterwards may go nowhere.
    fn close(&mut self) -> bool {
        true
    }
}
