//! A network with faults, as one node sees it.

use super::{Faults, Packet, Random, State};
use crate::packet::{Header, Peer};
use crate::reliability::{Datagrams, Failure, Path};
use parking_lot::Mutex;
use std::sync::Arc;

pub(super) struct Frames {
    pub(super) me: Peer,
    pub(super) frame_max: usize,
    /// Of the process whose view this is: one that is gone sends nothing.
    pub(super) incarnation: u32,
    pub(super) state: Arc<Mutex<State>>,
}

/// Bits that are not those sent, at most.
const BITS_MAX: u64 = 8;

impl State {
    fn send_frame(&mut self, to: Peer, from: Peer, frame: &[u8], faults: Faults) {
        let happens = |random: &mut Random, often: u16| random.below(10_000) < u64::from(often);
        let now_ns = self.now_ns;
        let wire = &mut self.wires[from.index() * self.nodes as usize + to.index()];
        let Some(left_ns) = wire.send(now_ns, frame.len() as u64) else { return };
        let lost = happens(&mut self.random, faults.lost) || self.partitions.separate(now_ns, from, to);
        let copies = match (lost, happens(&mut self.random, faults.repeated)) {
            (true, _) => 0,
            (false, repeated) => 1 + usize::from(repeated),
        };
        for _ in 0..copies {
            let mut at_ns = left_ns + 1 + self.random.below(self.plan.delay_ns_max.max(1));
            if !happens(&mut self.random, faults.reordered) {
                let pair = self.pair(from, to);
                at_ns = at_ns.max(pair.last_arrival_ns);
                pair.last_arrival_ns = at_ns;
            }
            self.pair(from, to).in_flight += 1;
            self.sequence += 1;
            let mut body = self.bodies.pop().unwrap_or_default();
            body.clear();
            body.extend_from_slice(frame);
            if happens(&mut self.random, faults.garbled) {
                for _ in 0..=self.random.below(BITS_MAX) {
                    let bit = self.random.below(8 * body.len() as u64);
                    body[bit as usize / 8] ^= 1 << (bit % 8);
                }
            }
            self.inboxes[to.index()].insert((at_ns, self.sequence), Packet { from, header: Header::GARBLED, body });
        }
    }
}

impl Datagrams for Frames {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn frame_max(&self) -> usize {
        self.frame_max
    }

    fn send(&self, to: Peer, _: Path, frame: &[u8]) {
        let mut state = self.state.lock();
        let faults = state.plan.faults.unwrap_or_default();
        if state.incarnations[self.me.index()] == self.incarnation {
            state.send_frame(to, self.me, frame, faults);
        }
    }

    fn failed(&self, peer: Peer, why: Failure) {
        self.state.lock().failures.push((self.me, peer, why));
    }

    fn receive(&self, frame: &mut dyn FnMut(Peer, &[u8])) -> bool {
        let Some(packet) = self.state.lock().receive(self.me) else { return false };
        frame(packet.from, &packet.body);
        self.state.lock().bodies.push(packet.body);
        true
    }

    fn arrived(&self) -> bool {
        self.state.lock().has_arrived(self.me)
    }

    fn now_ns(&self) -> u64 {
        self.state.lock().now_ns
    }

    fn wake_at(&self, ns: u64) {
        self.state.lock().timers_ns[self.me.index()] = ns;
    }
}
