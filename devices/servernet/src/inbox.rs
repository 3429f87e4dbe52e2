//! The receiving side, as FM sees it. Its poll is also what repeats, acknowledges and probes.

use crate::packet::Partial;
use crate::shared::{FABRICS, Refusal, Shared};
use crate::sys::Pile;
use fm::reliability::Received;
use fm::{Header, Inbox, Landing, Peer, Sink};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

pub struct ServernetInbox {
    shared: Arc<Shared>,
    /// Of each fabric, what was received and not looked at yet.
    piles: [Pile; FABRICS],
    /// The fabric that brought something last.
    fabric: usize,
    /// Looks at that fabric alone.
    looks: u32,
    /// By peer: the packet of which not all has come.
    partials: Box<[Option<Box<Partial>>]>,
    /// Peers of whom something waits to be delivered.
    ready: Vec<Peer>,
    /// Peers that were heard in this poll, and may be sent something for it.
    heard: Vec<Peer>,
    look_every: u32,
    /// Polls to come that do not look at the sockets.
    skip: u32,
    /// Somebody about to sleep saw that something has arrived.
    seen: Cell<bool>,
    /// When the process began to leave.
    leaving_ns: Option<u64>,
}

/// After so many looks at the fabric that speaks the other one has its turn: each look is a system call.
const LOOKS: u32 = 4;

/// A process that leaves waits so long for the acknowledgement of its last packets after it heard of a peer. By then it has all that it needs from it; one that
/// says nothing has left already, and its last acknowledgement was lost.
const PATIENCE_NS: u64 = 500_000_000;

impl ServernetInbox {
    pub fn new(shared: Arc<Shared>, look_every: u32) -> Self {
        ServernetInbox {
            partials: (0..shared.peers()).map(|_| None).collect(),
            shared,
            piles: [Pile::new(), Pile::new()],
            fabric: 0,
            looks: 0,
            ready: Vec::new(),
            heard: Vec::new(),
            look_every: look_every.max(1),
            skip: 0,
            seen: Cell::new(false),
            leaving_ns: None,
        }
    }

    /// Delivers what waits from `peer`, at most `budget` packets. Returns how many, and whether that was all.
    fn deliver_from(&mut self, peer: Peer, budget: usize, sink: &mut dyn Sink) -> (usize, bool) {
        let (line, mut delivered) = (self.shared.line(peer), 0);
        while delivered < budget {
            // Not locked during the delivery: handlers send.
            let Some(piece) = line.lock().flow.take() else { return (delivered, true) };
            delivered += self.partials[peer.index()].get_or_insert_default().add(peer, &piece, sink);
            line.lock().flow.give_back(piece);
        }
        (delivered, !line.lock().flow.is_ready())
    }

    /// Delivers what earlier polls had no budget for.
    fn deliver_ready(&mut self, budget: usize, sink: &mut dyn Sink) -> usize {
        let mut delivered = 0;
        for _ in 0..self.ready.len() {
            if delivered >= budget {
                break;
            }
            let peer = self.ready.remove(0);
            let (count, all) = self.deliver_from(peer, budget - delivered, sink);
            delivered += count;
            if !all {
                self.ready.push(peer);
            }
        }
        delivered
    }

    /// Takes datagrams in until there are none or the budget is spent.
    fn take_in(&mut self, budget: usize, sink: &mut dyn Sink) -> usize {
        let (mut delivered, now_ns) = (0, self.shared.now_ns());
        while delivered < budget && self.refill() {
            let shared = &*self.shared;
            let Some(datagram) = self.piles[self.fabric].take() else { continue };
            let Some((peer, frame)) = shared.open(self.fabric, datagram) else { continue };
            let received = shared.line(peer).lock().flow.receive(now_ns, frame);
            if self.heard.last() != Some(&peer) && !self.heard.contains(&peer) {
                self.heard.push(peer);
            }
            match received {
                Ok(Received::Next(piece)) => delivered += self.partials[peer.index()].get_or_insert_default().add(peer, piece, sink),
                Ok(Received::Kept) => {
                    let (count, all) = self.deliver_from(peer, budget - delivered, sink);
                    delivered += count;
                    if !all && !self.ready.contains(&peer) {
                        self.ready.push(peer);
                    }
                }
                Ok(Received::Nothing) => (),
                Err(_) => shared.refused(),
            }
        }
        delivered
    }

    /// Sees to it that the pile of the current fabric has something. Returns false when no fabric has.
    fn refill(&mut self) -> bool {
        let other = 1 - self.fabric;
        if !self.piles[self.fabric].is_empty() {
            return true;
        }
        if !self.piles[other].is_empty() {
            self.fabric = other;
            return true;
        }
        self.looks = (self.looks + 1) % LOOKS;
        if self.shared.socket(self.fabric).receive(&mut self.piles[self.fabric]) {
            // What speaks now often goes on, but the other one has its turn.
            if self.looks == 0 {
                self.shared.socket(other).receive(&mut self.piles[other]);
            }
            return true;
        }
        let found = self.shared.socket(other).receive(&mut self.piles[other]);
        if found {
            self.fabric = other;
        }
        found
    }
}

impl Inbox for ServernetInbox {
    fn poll(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        self.poll_to(budget, &mut Whole(deliver))
    }

    fn poll_to(&mut self, budget: usize, sink: &mut dyn Sink) -> usize {
        let mut delivered = self.deliver_ready(budget, sink);
        if delivered < budget {
            let has_some = self.piles.iter().any(|pile| !pile.is_empty());
            if self.skip > 0 && !self.seen.take() && !has_some {
                self.skip -= 1;
            } else {
                let found = self.take_in(budget - delivered, sink);
                // What came is often not alone.
                self.skip = if found > 0 { 0 } else { self.look_every - 1 };
                delivered += found;
            }
        }
        let now_ns = self.shared.now_ns();
        for peer in self.heard.drain(..) {
            let mut line = self.shared.line(peer).lock();
            self.shared.transmit(peer, &mut line, now_ns);
        }
        self.shared.transmit_due(now_ns);
        delivered
    }

    fn arrived(&self) -> bool {
        let shared = &*self.shared;
        let seen = self.piles.iter().any(|pile| !pile.is_empty()) || shared.poller.any_ready();
        self.seen.set(seen);
        seen || !self.ready.is_empty()
            || shared.freed.load(Relaxed) > 0
            || shared.deadline_ns().is_some_and(|deadline_ns| deadline_ns <= shared.now_ns())
            || self.leaving_ns.is_some_and(|leaving_ns| self.may_leave(leaving_ns))
    }

    fn close(&mut self) -> bool {
        let leaving_ns = *self.leaving_ns.get_or_insert_with(|| self.shared.now_ns());
        let closed = self.may_leave(leaving_ns);
        if closed {
            // Who has left may come again, with another session.
            self.leaving_ns = None;
        }
        closed
    }
}

impl ServernetInbox {
    /// Nothing of what was sent is missing anywhere, as far as a process can know that has been leaving since then.
    fn may_leave(&self, leaving_ns: u64) -> bool {
        let now_ns = self.shared.now_ns();
        let is_done = |line: &parking_lot::Mutex<crate::shared::Line>| {
            let mut line = line.lock();
            // Acknowledgements that are owed count, too: somebody else waits for them.
            let is_settled = line.flow.is_settled() && line.flow.deadline_ns().is_none() && line.refusal != Refusal::Told;
            is_settled || now_ns >= line.flow.heard_ns().max(leaving_ns) + PATIENCE_NS
        };
        self.shared.lines().all(is_done)
    }
}

/// Takes every packet whole.
struct Whole<'d>(&'d mut dyn FnMut(Peer, Header, &[u8]));

impl Sink for Whole<'_> {
    fn packet(&mut self, from: Peer, header: Header, body: &[u8]) {
        (self.0)(from, header, body);
    }

    fn place(&mut self, _: Peer, _: Header, _: &[u8], _: usize) -> Option<Landing> {
        None
    }

    fn land(&mut self, _: Peer, _: Landing, _: usize, _: &mut dyn FnMut(&mut [u8]) -> usize) {}
}
