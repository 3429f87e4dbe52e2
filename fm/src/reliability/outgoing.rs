//! Packets on their way to one peer.

use super::frame::Acknowledgement;
use super::round_trip::RoundTrip;
use super::{WINDOW, earlier};
use std::collections::VecDeque;

pub(super) struct Outgoing {
    /// Sequence number of the oldest packet that is not acknowledged.
    base: u32,
    /// From `base` on.
    packets: VecDeque<Packet>,
    /// Buffers of acknowledged packets, for those to come.
    spare: Vec<Vec<u8>>,
    trip: RoundTrip,
    /// When the packet was sent that was sent last among those acknowledged.
    newest_ns: u64,
}

struct Packet {
    /// FM header and payload.
    bytes: Vec<u8>,
    sent_ns: u64,
    times_sent: u32,
    state: State,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be sent, for the first time or again.
    Due,
    OnItsWay,
    /// Acknowledged, while an earlier one is not.
    Arrived,
}

impl Outgoing {
    pub(super) const fn new() -> Self {
        Outgoing { base: 0, packets: VecDeque::new(), spare: Vec::new(), trip: RoundTrip::new(), newest_ns: 0 }
    }

    pub(super) fn has_room(&self) -> bool {
        self.packets.len() < WINDOW as usize
    }

    pub(super) fn is_empty(&self) -> bool {
        self.packets.is_empty()
    }

    /// A buffer to fill and [`push`](Self::push).
    pub(super) fn buffer(&mut self) -> Vec<u8> {
        self.spare.pop().unwrap_or_default()
    }

    /// Takes the next packet. There is room for it.
    pub(super) fn push(&mut self, bytes: Vec<u8>) {
        debug_assert!(self.has_room());
        self.packets.push_back(Packet { bytes, sent_ns: 0, times_sent: 0, state: State::Due });
    }

    /// The next packet to put on the wire now, if any, with its sequence number.
    pub(super) fn next_due(&mut self, now_ns: u64) -> Option<(u32, &[u8])> {
        self.time_out(now_ns);
        let index = self.packets.iter().position(|packet| packet.state == State::Due)?;
        let packet = &mut self.packets[index];
        packet.state = State::OnItsWay;
        packet.sent_ns = now_ns;
        packet.times_sent += 1;
        Some((self.base.wrapping_add(index as u32), &packet.bytes))
    }

    /// Nothing was heard of the oldest packet for too long: it goes again, and waits longer the next time.
    fn time_out(&mut self, now_ns: u64) {
        let timeout_ns = self.trip.timeout_ns();
        if let Some(oldest) = self.packets.front_mut()
            && oldest.state == State::OnItsWay
            && now_ns >= oldest.sent_ns + timeout_ns
        {
            oldest.state = State::Due;
            self.trip.timed_out();
        }
    }

    /// Takes an acknowledgement in. One of packets that were never sent is ignored.
    pub(super) fn acknowledged(&mut self, now_ns: u64, has: Acknowledgement) {
        let end = self.base.wrapping_add(self.packets.len() as u32);
        if earlier(has.next, self.base) || earlier(end, has.next) {
            return;
        }
        while self.base != has.next {
            if let Some(packet) = self.packets.pop_front() {
                self.arrived(now_ns, packet.sent_ns, packet.times_sent, packet.state);
                self.spare.push(packet.bytes);
            }
            self.base = self.base.wrapping_add(1);
        }
        // The oldest has not arrived: the bitmap begins behind it.
        for bit in 0..self.packets.len().saturating_sub(1).min(64) {
            if has.beyond >> bit & 1 == 1 {
                let Packet { sent_ns, times_sent, state, .. } = self.packets[bit + 1];
                self.arrived(now_ns, sent_ns, times_sent, state);
                self.packets[bit + 1].state = State::Arrived;
            }
        }
        self.find_losses();
    }

    fn arrived(&mut self, now_ns: u64, sent_ns: u64, times_sent: u32, state: State) {
        if state == State::Arrived {
            return;
        }
        // Of a packet that was sent twice nobody knows which one is acknowledged (Karn's rule), unless the answer would have come
        // too soon.
        let took_ns = now_ns.saturating_sub(sent_ns);
        if times_sent == 1 {
            self.trip.measured(took_ns);
        }
        if times_sent == 1 || self.trip.is_possible(took_ns) {
            self.newest_ns = self.newest_ns.max(sent_ns);
        }
    }

    fn find_losses(&mut self) {
        let reordering_ns = self.trip.reordering_ns();
        for packet in &mut self.packets {
            if packet.state == State::OnItsWay && packet.sent_ns + reordering_ns < self.newest_ns {
                packet.state = State::Due;
            }
        }
    }

    /// When [`next_due`](Self::next_due) will have something, unless an acknowledgement comes before: 0 for at once.
    pub(super) fn deadline_ns(&self) -> Option<u64> {
        if self.packets.iter().any(|packet| packet.state == State::Due) {
            return Some(0);
        }
        self.packets.front().map(|oldest| oldest.sent_ns + self.trip.timeout_ns())
    }
}
