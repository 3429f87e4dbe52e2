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

    /// Payload, in bytes, of the packets in which the device likes to carry a [stream](crate::SendStream): at most
    /// [`max_packet`](Self::max_packet).
    fn piece(&self) -> usize {
        self.max_packet()
    }

    /// Longest payload, in bytes, that is better sent unasked than announced first, because an answer takes longer than copying it would;
    /// 0 where nothing is known.
    fn unasked_max(&self) -> usize {
        0
    }

    /// Whether the inbox reads long packets where the process wants them ([`Inbox::poll_to`]), and links take bytes from where they lie
    /// ([`Link::send`]).
    fn lands(&self) -> bool {
        false
    }

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

    /// Sends a packet with the payload `head` and then `body`, if there is room for it; returns whether there was. A device that can take
    /// bytes from where they lie need not copy them.
    fn send(&mut self, header: Header, head: &[u8], body: &[u8]) -> bool {
        send_by_copy(self, header, head, body)
    }
}

/// What [`Link::send`] does unless the device knows better: copies the payload into room that is lent.
pub fn send_by_copy(link: &mut (impl Link + ?Sized), header: Header, head: &[u8], body: &[u8]) -> bool {
    let Some(room) = link.lend(head.len() + body.len()) else { return false };
    let (front, rest) = room.split_at_mut(head.len());
    front.copy_from_slice(head);
    rest.copy_from_slice(body);
    link.commit(header);
    true
}

/// Where an inbox's packets go.
pub trait Sink {
    /// A packet on the device's own slot.
    fn packet(&mut self, from: Peer, header: Header, body: &[u8]);

    /// Of a packet with a payload of `len` bytes only the first ones, `head`, are here. Returns the place of the rest, if it is known; then
    /// [`land`](Self::land) takes the payload, and the packet is not delivered.
    fn place(&mut self, from: Peer, header: Header, head: &[u8], len: usize) -> Option<Landing>;

    /// Lends room for the payload from byte `at` on, some or all of it, to `fill`, which says how much it has filled.
    fn land(&mut self, from: Peer, landing: Landing, at: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize);
}

/// A packet whose payload goes straight to its place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Landing {
    /// A name that the process gave.
    pub place: u32,
    /// Bytes of the payload in front that belong to nobody: what the process knows already.
    pub skip: usize,
    /// Length of the payload.
    pub len: usize,
    /// Where the first byte behind those goes.
    pub offset: u64,
}

/// The receiving side of a device.
pub trait Inbox: Send {
    /// Delivers at most `budget` packets that have arrived, each on the device's own slot, lent for the call. A packet that
    /// makes no sense is delivered as [`Kind::Garbled`](crate::packet::Kind::Garbled), without payload.
    ///
    /// Returns how many were delivered.
    fn poll(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize;

    /// The same, where long packets may [land](Sink::land). Each time that counts as a packet, too.
    fn poll_to(&mut self, budget: usize, sink: &mut dyn Sink) -> usize {
        self.poll(budget, &mut |from, header, body| sink.packet(from, header, body))
    }

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
