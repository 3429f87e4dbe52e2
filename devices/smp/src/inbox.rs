//! The receiving side: finding what has arrived, and delivering it in place.

use crate::layout::{Control, PairRing};
use crate::ring::{Reader, cells_for};
use crate::segment::Part;
use crate::shared::Shared;
use crate::word::{self, Place, Reference};
use fm::answer::Looker;
use fm::{Header, Inbox, Peer, prefetch};
use std::sync::Arc;

pub struct SmpInbox {
    shared: Arc<Shared>,
    /// Every process of the segment; without ourselves where each ring is looked at.
    senders: Box<[Sender]>,
    /// By sender: the lower 8 bits of the cells we have read, to be compared with the arrival bytes eight at a time.
    read: Box<[u64]>,
    /// The sender that the next poll starts with: a short budget must not starve the others.
    first: usize,
    looker: Looker,
}

struct Sender {
    from: usize,
    ring: Part<PairRing>,
    reader: Reader,
    control: Part<Control>,
    peer: Peer,
    /// No poll has found its ring empty since its last message. Not kept where arrivals tell who has sent.
    in_a_row: bool,
}

/// So many cells ahead lines come from the sender's cache while messages are delivered.
const READ_AHEAD: usize = 4;

/// After this many cells a sender may reuse them although our poll goes on, or is over and finds no time to say so.
pub const PUBLISH_AFTER: u32 = 16;

impl SmpInbox {
    pub fn new(shared: Arc<Shared>) -> Self {
        let ranks = shared.segment.ranks();
        let sender = |from: usize| Sender {
            from,
            ring: Part::new(&shared.segment, |segment| segment.ring(from, shared.me)),
            reader: Reader::new(),
            control: Part::new(&shared.segment, |segment| segment.control(from)),
            peer: shared.peers[from],
            in_a_row: false,
        };
        SmpInbox {
            // With arrival bytes, a sender is found by its number.
            senders: (0..ranks).filter(|&from| from != shared.me || !shared.direct()).map(sender).collect(),
            read: vec![0; ranks.div_ceil(8)].into(),
            first: 0,
            looker: Looker::default(),
            shared,
        }
    }

    /// Delivers what a sender has sent, at most `budget` packets.
    fn drain(&mut self, sender: usize, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        let shared = &*self.shared;
        let sender = &mut self.senders[sender];
        let mut delivered = 0;
        while delivered < budget
            && let Some(word) = sender.peek(shared)
        {
            // Where there are several, there are more. A lone message's successors are not there yet: to look at their cells would only
            // take them from the sender.
            if (delivered > 0 || sender.in_a_row)
                && let Some(cell) = sender.reader.ahead(&sender.ring, READ_AHEAD)
            {
                prefetch::to_read(cell);
            }
            sender.take(shared, word, deliver);
            delivered += 1;
        }
        delivered
    }

    fn poll_rings(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        if budget == 0 {
            return 0;
        }
        let senders = self.senders.len();
        let mut delivered = 0;
        let mut index = self.first;
        let awaits = self.looker.before_look(&self.shared.sent);
        for _ in 0..senders {
            let next = if index + 1 == senders { 0 } else { index + 1 };
            let (shared, sender) = (&*self.shared, &mut self.senders[index]);
            match sender.peek(shared) {
                None => sender.found_empty(shared),
                Some(word) if awaits || !sender.in_a_row => {
                    // Before it is delivered: that may send the next message that is likely to be answered.
                    shared.came_while_waiting();
                    self.looker.found(&shared.sent);
                    sender.in_a_row = true;
                    // No look for another one. Most of the time there is none, and the answer to this one would wait until the next cell's
                    // line, of which the sender had the only copy, has come: stores leave a processor after the loads before them.
                    sender.take(shared, word, deliver);
                    delivered += 1;
                }
                Some(_) => delivered += self.drain(index, budget - delivered, deliver),
            }
            if delivered == budget {
                self.first = next;
                break;
            }
            index = next;
        }
        delivered
    }

    fn poll_arrivals(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        let groups = self.read.len();
        let (first, skipped) = (self.first / 8, self.first % 8);
        let mut delivered = 0;
        // The first group's senders in front of the first one have their turn last.
        for turn in 0..groups + usize::from(skipped > 0) {
            let group = if first + turn < groups { first + turn } else { first + turn - groups };
            let mut news = self.control().arrivals_of(group) ^ self.read[group];
            if turn == 0 {
                news &= !0 << (8 * skipped);
            }
            while news != 0 && delivered < budget {
                let byte = news.trailing_zeros() / 8 * 8;
                news &= !(0xff << byte);
                let from = group * 8 + byte as usize / 8;
                if from >= self.senders.len() {
                    // No process has this byte: somebody scribbled over the page.
                    break;
                }
                delivered += self.drain(from, budget - delivered, deliver);
                let sender = &mut self.senders[from];
                if sender.reader.unpublished() > 0 {
                    // Only who has news is looked at: there will be no other time.
                    sender.publish(&self.shared);
                }
                let count = u64::from(sender.reader.count() as u8);
                self.read[group] = self.read[group] & !(0xff << byte) | count << byte;
                self.first = if from + 1 == self.senders.len() { 0 } else { from + 1 };
            }
            if delivered == budget {
                break;
            }
        }
        delivered
    }

    fn control(&self) -> &Control {
        self.shared.segment.control(self.shared.me)
    }
}

impl Inbox for SmpInbox {
    fn poll(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        if self.shared.direct() { self.poll_rings(budget, deliver) } else { self.poll_arrivals(budget, deliver) }
    }

    fn arrived(&self) -> bool {
        let shared = &*self.shared;
        let message = if shared.direct() {
            self.senders.iter().any(|sender| sender.reader.peek(&sender.ring).is_some())
        } else {
            self.read.iter().enumerate().any(|(group, &read)| self.control().arrivals_of(group) != read)
        };
        message || shared.room_again()
    }
}

impl Sender {
    /// The next message's word, if there is one.
    #[inline]
    fn peek(&mut self, shared: &Shared) -> Option<u64> {
        match self.reader.peek(&self.ring) {
            Some(word::SKIP) => self.skip(shared),
            found => found,
        }
    }

    /// The sender goes on at the ring's start.
    #[cold]
    fn skip(&mut self, shared: &Shared) -> Option<u64> {
        let cells = self.reader.cells_to_end(&self.ring);
        self.reader.pass(&self.ring, cells);
        self.publish(shared);
        // Two of them, one behind the other, make no sense.
        self.reader.peek(&self.ring).filter(|&word| word != word::SKIP)
    }

    #[inline]
    fn found_empty(&mut self, shared: &Shared) {
        self.in_a_row = false;
        if self.reader.unpublished() > 0 {
            self.publish(shared);
        }
    }

    /// Lets the sender reuse what we have read.
    #[inline]
    fn publish(&mut self, shared: &Shared) {
        self.reader.publish(&self.ring);
        shared.wake_for_room(&self.control);
    }
}

impl Sender {
    /// Delivers the packet that `word` announces. The sender learns of it when there is time, see `found_empty`, unless it was much.
    #[inline]
    fn take(&mut self, shared: &Shared, word: u64, deliver: &mut dyn FnMut(Peer, Header, &[u8])) {
        let header = Header::from_bits(word);
        let mut cells = 1;
        // A large cell goes back at once: its sender has few.
        let mut at_once = false;
        match word::place(word) {
            Place::Inline(len) => {
                let span = cells_for(len);
                match self.reader.payload(&self.ring, span, |bytes| bytes) {
                    Some(bytes) => {
                        cells = span;
                        // SAFETY: `len` is at most the payload of these cells, which are ours to read until we pass them. A peer that breaks
                        // the protocol and writes meanwhile garbles the message; nothing derives an index from it unchecked.
                        deliver(self.peer, header, unsafe { std::slice::from_raw_parts(bytes, len) });
                    }
                    None => deliver(self.peer, Header::GARBLED, &[]),
                }
            }
            Place::Large => {
                at_once = true;
                // SAFETY: the payload is larger than a reference and aligned to 8 bytes; any bits are a valid reference.
                let read = |bytes: *const u8| unsafe { bytes.cast::<Reference>().read() };
                let cell = self.reader.payload(&self.ring, 1, read).and_then(|Reference { cell, len }| {
                    let len = len as usize;
                    Some((shared.segment.large_cell(self.from, cell, len)?, len))
                });
                match cell {
                    // SAFETY: `len` bytes of a cell in the sender's pool, checked to be one; it stays lent to us until we pass the
                    // ring's cell.
                    Some((bytes, len)) => deliver(self.peer, header, unsafe { std::slice::from_raw_parts(bytes.as_ptr(), len) }),
                    None => deliver(self.peer, Header::GARBLED, &[]),
                }
            }
            // Behind another one: see `skip`.
            Place::Skip => deliver(self.peer, Header::GARBLED, &[]),
        }
        self.reader.pass(&self.ring, cells);
        if at_once || self.reader.unpublished() >= PUBLISH_AFTER {
            self.publish(shared);
        }
    }
}
