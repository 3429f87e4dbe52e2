//! Messages with contents that can be checked, and an upcall that checks them.

use crate::{Fm, HandlerId, Peer, Receive, SendStream, Upcall};
use parking_lot::Mutex;
use std::sync::Arc;

/// Writes the bytes of message `number` from `offset` on.
pub fn write_pattern(number: u64, offset: u64, room: &mut [u8]) {
    for (at, byte) in (offset..).zip(room) {
        *byte = pattern(number, at);
    }
}

fn pattern(number: u64, at: u64) -> u8 {
    (number.wrapping_mul(37) ^ at ^ (at >> 7) ^ (at >> 15)) as u8
}

/// Panics unless `bytes` are those of message `number` from `offset` on.
pub fn check_pattern(number: u64, offset: u64, bytes: &[u8]) {
    for (at, &byte) in (offset..).zip(bytes) {
        assert_eq!(byte, pattern(number, at), "message {number} differs at byte {at} of its body");
    }
}

/// Messages received from one peer with one handler.
#[derive(Clone, Default, Debug)]
pub struct Tally {
    pub started: u64,
    pub finished: u64,
    pub bytes: u64,
}

type Then = Box<dyn Fn(&Fm, Peer, HandlerId, &[u8]) + Send>;

/// Checks each message against its pattern: from each peer and handler, the messages are numbered from 0 in the order they
/// start.
pub struct Check {
    tallies: Vec<Vec<Arc<Mutex<Tally>>>>,
    /// What else to do with a one-packet message.
    then: Then,
}

pub const HANDLERS: usize = 4;

impl Check {
    pub fn new(nodes: u32) -> Check {
        let tallies = (0..nodes).map(|_| (0..HANDLERS).map(|_| Arc::default()).collect()).collect();
        Check { tallies, then: Box::new(|_, _, _, _| ()) }
    }

    pub fn then(mut self, then: impl Fn(&Fm, Peer, HandlerId, &[u8]) + Send + 'static) -> Check {
        self.then = Box::new(then);
        self
    }

    pub fn tally(&self, from: u32, handler: u8) -> Tally {
        self.slot(Peer(from), HandlerId(handler)).lock().clone()
    }

    fn slot(&self, from: Peer, handler: HandlerId) -> &Arc<Mutex<Tally>> {
        &self.tallies[from.index()][usize::from(handler.0)]
    }

    /// The receiving side of a long message.
    pub fn begin(&self, from: Peer, handler: HandlerId, total: u64) -> Box<dyn Receive> {
        let slot = self.slot(from, handler).clone();
        let number = slot.lock().started;
        slot.lock().started += 1;
        Box::new(CheckLong { slot, number, total, seen: 0 })
    }

    /// Extracts at most `budget` packets.
    pub fn extract(&self, fm: &Fm, budget: usize) -> usize {
        let handled = fm.extract(budget, &Checking { check: self, fm });
        assert!(handled <= budget, "{handled} packets handled on a budget of {budget}");
        handled
    }
}

struct Checking<'a> {
    check: &'a Check,
    fm: &'a Fm,
}

impl Upcall for Checking<'_> {
    fn message(&self, from: Peer, handler: HandlerId, body: &[u8]) {
        {
            let mut tally = self.check.slot(from, handler).lock();
            check_pattern(tally.started, 0, body);
            tally.started += 1;
            tally.finished += 1;
            tally.bytes += body.len() as u64;
        }
        (self.check.then)(self.fm, from, handler, body);
    }

    fn begin(&self, from: Peer, handler: HandlerId, total: u64) -> Box<dyn Receive> {
        self.check.begin(from, handler, total)
    }
}

struct CheckLong {
    slot: Arc<Mutex<Tally>>,
    number: u64,
    total: u64,
    seen: u64,
}

impl Receive for CheckLong {
    fn piece(&mut self, bytes: &[u8]) {
        check_pattern(self.number, self.seen, bytes);
        self.seen += bytes.len() as u64;
        assert!(self.seen <= self.total);
    }

    fn end(self: Box<Self>) {
        let mut tally = self.slot.lock();
        tally.finished += 1;
        tally.bytes += self.seen;
    }
}

/// A long message on its way out.
pub struct Sending {
    stream: SendStream,
    number: u64,
}

impl Sending {
    pub fn begin(fm: &Fm, to: Peer, handler: HandlerId, number: u64, total: u64) -> Option<Sending> {
        Some(Sending { stream: fm.begin(to, handler, total)?, number })
    }

    /// Offers the next `len` bytes at most, as one piece. Returns how many were taken.
    pub fn piece(&mut self, fm: &Fm, len: usize) -> usize {
        let len = self.stream.remaining().min(len as u64) as usize;
        let mut bytes = vec![0; len];
        write_pattern(self.number, self.stream.sent(), &mut bytes);
        let taken = self.stream.piece(fm, &bytes);
        // Its buffer may be reused at once.
        bytes.fill(0xa5);
        taken
    }

    /// As [`piece`](Self::piece), written straight into the packet.
    pub fn packet(&mut self, fm: &Fm, len: usize) -> usize {
        let len = self.stream.remaining().min(len as u64) as usize;
        let (number, sent) = (self.number, self.stream.sent());
        if len == 0 { 0 } else { self.stream.piece_with(fm, len, |room| write_pattern(number, sent, room)) }
    }

    pub fn complete(&self) -> bool {
        self.stream.remaining() == 0
    }

    pub fn sent(&self) -> u64 {
        self.stream.sent()
    }

    pub fn end(self, fm: &Fm) {
        self.stream.end(fm);
    }
}

/// Sends one-packet message `number`, of `len` bytes if a packet holds so many, if it can go.
pub fn try_send(fm: &Fm, to: u32, handler: u8, number: u64, len: usize) -> bool {
    let len = len.min(fm.max_message(Peer(to)));
    fm.try_send(Peer(to), HandlerId(handler), len, |room| write_pattern(number, 0, room))
}
