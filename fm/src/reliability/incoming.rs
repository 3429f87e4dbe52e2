//! Packets from one peer.

use super::WINDOW;
use super::frame::Acknowledgement;
use std::collections::VecDeque;

pub(super) struct Incoming {
    /// Sequence number of the first entry of `packets`: the next to be handed on.
    base: u32,
    /// From `base` on; `None` has not arrived.
    packets: VecDeque<Option<Vec<u8>>>,
    /// Leading packets of `packets` that are there.
    ready: u32,
    /// Packets that arrived since an acknowledgement was sent.
    unacknowledged: u32,
    /// One of them came again: its sender has not heard of the first.
    urgent: bool,
    /// Until when an acknowledgement may wait for a packet that carries it along.
    patience_ns: u64,
    spare: Vec<Vec<u8>>,
}

/// An acknowledgement waits so long for company.
const PATIENCE_NS: u64 = 20_000;

/// After so many packets it waits no longer.
const PACKETS_PER_ACKNOWLEDGEMENT: u32 = 8;

/// Packets held at most: a window that is ready to be handed on, and the sender's next one.
const HELD_MAX: u32 = 2 * WINDOW;

impl Incoming {
    pub(super) const fn new() -> Self {
        Incoming {
            base: 0,
            packets: VecDeque::new(),
            ready: 0,
            unacknowledged: 0,
            urgent: false,
            patience_ns: 0,
            spare: Vec::new(),
        }
    }

    /// A packet has arrived. Returns whether it was news.
    pub(super) fn arrived(&mut self, now_ns: u64, sequence: u32, bytes: &[u8]) -> bool {
        let ahead = sequence.wrapping_sub(self.base);
        if self.unacknowledged == 0 {
            self.patience_ns = now_ns + PATIENCE_NS;
        }
        self.unacknowledged += 1;
        let known = self.packets.get(ahead as usize).is_some_and(Option::is_some);
        if ahead >= HELD_MAX || known {
            self.urgent = true;
            return false;
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
        true
    }

    /// The next packet in order, if it is there.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        if self.ready == 0 {
            return None;
        }
        self.ready -= 1;
        self.base = self.base.wrapping_add(1);
        self.packets.pop_front().flatten()
    }

    pub(super) fn is_ready(&self) -> bool {
        self.ready > 0
    }

    /// Takes a buffer back.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        self.spare.push(buffer);
    }

    pub(super) fn acknowledgement(&self) -> Acknowledgement {
        let mut beyond = 0;
        for (bit, packet) in self.packets.iter().skip(self.ready as usize + 1).take(64).enumerate() {
            beyond |= u64::from(packet.is_some()) << bit;
        }
        Acknowledgement { next: self.base.wrapping_add(self.ready), beyond }
    }

    /// An acknowledgement is on its way.
    pub(super) fn acknowledged(&mut self) {
        self.unacknowledged = 0;
        self.urgent = false;
    }

    /// When an acknowledgement has to be sent: 0 for at once.
    pub(super) fn deadline_ns(&self) -> Option<u64> {
        if self.unacknowledged == 0 {
            return None;
        }
        let now = self.urgent || self.unacknowledged >= PACKETS_PER_ACKNOWLEDGEMENT;
        Some(if now { 0 } else { self.patience_ns })
    }
}
