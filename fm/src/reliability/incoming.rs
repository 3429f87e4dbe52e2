//! Packets from one peer.

use super::frame::Beyond;
use super::round_trip::PATIENCE_NS;
use std::collections::VecDeque;

pub(super) struct Incoming {
    /// Packets held at most.
    window: u32,
    /// Sequence number of the first entry of `packets`: the next to be handed on.
    base: u32,
    /// From `base` on; `None` has not arrived.
    packets: VecDeque<Option<Vec<u8>>>,
    /// Leading packets of `packets` that are there.
    ready: u32,
    /// Packets that arrived since an acknowledgement was sent.
    unacknowledged: u32,
    /// An acknowledgement is to be sent at once.
    urgent: bool,
    /// Until when it may wait for a packet that carries it along.
    patience_ns: u64,
    /// The sender knows that there is room up to here.
    announced: u32,
    /// Packets that have come more than once.
    repeats: u16,
    spare: Vec<Vec<u8>>,
}

/// What a packet that has come is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Arrival {
    /// The next one, and nothing else waits: handed on already, as far as the window is concerned.
    Next,
    Kept,
    Repeated,
    /// Beyond the window, where nobody may send.
    Beyond,
}

/// After so many packets an acknowledgement waits no longer.
const PACKETS_PER_ACKNOWLEDGEMENT: u32 = 8;

impl Incoming {
    pub(super) fn new(window: u32) -> Self {
        Incoming {
            window,
            base: 0,
            packets: VecDeque::new(),
            ready: 0,
            unacknowledged: 0,
            urgent: false,
            patience_ns: 0,
            announced: window,
            repeats: 0,
            spare: Vec::new(),
        }
    }

    /// The peer is known, and with it the number of its first packet. Called before any arrives.
    pub(super) fn begin(&mut self, first: u32) {
        self.base = first;
        self.announced = first.wrapping_add(self.window);
    }

    /// A packet has arrived.
    pub(super) fn arrived(&mut self, now_ns: u64, sequence: u32, bytes: &[u8]) -> Arrival {
        let ahead = sequence.wrapping_sub(self.base);
        if self.unacknowledged == 0 {
            self.patience_ns = now_ns + PATIENCE_NS;
        }
        self.unacknowledged += 1;
        let known = self.packets.get(ahead as usize).is_some_and(Option::is_some);
        if ahead >= self.window || known {
            // Behind the base it was handed on already. Its sender has not heard of the first.
            self.urgent = true;
            let is_beyond = !known && ahead < u32::MAX / 2;
            self.repeats = self.repeats.wrapping_add(u16::from(!is_beyond));
            return if is_beyond { Arrival::Beyond } else { Arrival::Repeated };
        }
        if ahead == 0 && self.packets.is_empty() {
            self.base = self.base.wrapping_add(1);
            return Arrival::Next;
        }
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer.extend_from_slice(bytes);
        let index = ahead as usize;
        if self.packets.len() <= index {
            self.packets.resize_with(index + 1, || None);
        }
        self.packets[index] = Some(buffer);
        while self.packets.get(self.ready as usize).is_some_and(Option::is_some) {
            self.ready += 1;
        }
        Arrival::Kept
    }

    /// The next packet in order, if it is there.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        if self.ready == 0 {
            return None;
        }
        self.ready -= 1;
        self.base = self.base.wrapping_add(1);
        // Its sender may have stopped for want of room.
        self.urgent |= self.end().wrapping_sub(self.announced) >= self.window / 2;
        self.packets.pop_front().flatten()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready > 0
    }

    /// Takes a buffer back.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        if self.spare.len() < self.window as usize {
            self.spare.push(buffer);
        }
    }

    /// Packets held.
    pub(super) fn held(&self) -> usize {
        self.packets.iter().flatten().count() + self.spare.len()
    }

    /// From here on there is no room.
    fn end(&self) -> u32 {
        self.base.wrapping_add(self.window)
    }

    /// The number of the packet that is expected next, and how many from there on there is room for.
    pub(super) fn expected(&self) -> (u32, u16) {
        (self.base.wrapping_add(self.ready), (self.window - self.ready) as u16)
    }

    pub(super) fn repeats(&self) -> u16 {
        self.repeats
    }

    /// What has arrived beyond that, in at most so many words; and whether that is all.
    pub(super) fn beyond(&self, words_max: usize) -> (Beyond, bool) {
        let mut beyond = Beyond::NOTHING;
        let behind = self.packets.len().saturating_sub(self.ready as usize + 1);
        for (bit, packet) in self.packets.iter().skip(self.ready as usize + 1).take(64 * words_max).enumerate() {
            beyond.words[bit / 64] |= u64::from(packet.is_some()) << (bit % 64);
            beyond.count = bit / 64 + 1;
        }
        (beyond, behind <= 64 * words_max)
    }

    /// An acknowledgement is on its way.
    pub(super) fn acknowledged(&mut self) {
        self.unacknowledged = 0;
        self.urgent = false;
        self.announced = self.end();
    }

    /// An acknowledgement is to be sent, now if not before.
    pub(super) fn is_urgent(&self) -> bool {
        self.urgent || self.unacknowledged >= PACKETS_PER_ACKNOWLEDGEMENT
    }

    /// When an acknowledgement has to be sent: 0 for at once.
    pub(super) fn deadline_ns(&self) -> Option<u64> {
        if self.is_urgent() {
            return Some(0);
        }
        (self.unacknowledged > 0).then_some(self.patience_ns)
    }
}
