//! A device over a network of datagrams.

use super::flow::Flow;
use super::frame::Prefix;
use crate::device::{Device, Inbox, Link};
use crate::packet::{Header, Peer};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// A network that carries frames between processes, or loses, repeats, reorders and garbles them.
pub trait Datagrams: Send + Sync {
    /// For people.
    fn name(&self) -> &'static str;

    /// Largest frame in bytes.
    fn frame_max(&self) -> usize;

    /// Sends a frame, or loses it.
    fn send(&self, to: Peer, frame: &[u8]);

    /// Hands over the frame that arrived first. Returns false when there is none.
    fn receive(&self, frame: &mut dyn FnMut(Peer, &[u8])) -> bool;

    /// Whether a frame has arrived.
    fn arrived(&self) -> bool;

    /// The time in nanoseconds; never goes back.
    fn now_ns(&self) -> u64;

    /// The process is to be woken at this time, also if nothing arrives. Replaces what was asked for before.
    fn wake_at(&self, ns: u64);
}

/// No time at all.
const NEVER: u64 = u64::MAX;

/// A process that leaves waits so long for the acknowledgement of its last packets. By then it has got all that it needs from its
/// peers; one that says nothing has left already, and its last acknowledgement was lost.
const PATIENCE_NS: u64 = 100_000_000;

/// Reliable packets between the processes of a job.
pub struct Reliable {
    state: Arc<State>,
}

struct State {
    network: Arc<dyn Datagrams>,
    incarnation: u32,
    /// Made at first contact.
    flows: Box<[OnceLock<Mutex<Refusable>>]>,
    /// The peers with a flow.
    met: Mutex<Vec<Peer>>,
    /// When the next flow has something to send.
    deadline_ns: AtomicU64,
}

struct Refusable {
    flow: Flow,
    /// A sender was refused and has not come back.
    refused: bool,
}

impl Reliable {
    /// For a job of `peers` processes. `incarnation` tells this process from earlier ones in its place.
    pub fn new(network: Arc<dyn Datagrams>, peers: u32, incarnation: u32) -> Reliable {
        assert!(network.frame_max() > Prefix::SIZE + Header::SIZE, "frames that hold nothing");
        let flows = (0..peers).map(|_| OnceLock::new()).collect();
        let state = State {
            network,
            incarnation,
            flows,
            met: Mutex::new(Vec::new()),
            deadline_ns: AtomicU64::new(NEVER),
        };
        Reliable { state: Arc::new(state) }
    }
}

impl State {
    fn flow(&self, peer: Peer) -> &Mutex<Refusable> {
        self.flows[peer.index()].get_or_init(|| {
            self.met.lock().push(peer);
            Mutex::new(Refusable { flow: Flow::new(self.incarnation), refused: false })
        })
    }

    /// The peer at this place in the list of those met.
    fn met(&self, place: usize) -> Option<Peer> {
        self.met.lock().get(place).copied()
    }

    /// Puts on the wire what is due.
    fn transmit(&self, to: Peer, flow: &mut Flow, frame: &mut Vec<u8>) {
        while flow.transmit(self.network.now_ns(), frame) {
            self.network.send(to, frame);
        }
        if let Some(deadline_ns) = flow.deadline_ns()
            && deadline_ns < self.deadline_ns.load(Relaxed)
        {
            self.deadline_ns.store(deadline_ns, Relaxed);
            self.network.wake_at(deadline_ns);
        }
    }

    fn transmit_all(&self, frame: &mut Vec<u8>) {
        self.deadline_ns.store(NEVER, Relaxed);
        let mut place = 0;
        while let Some(peer) = self.met(place) {
            self.transmit(peer, &mut self.flow(peer).lock().flow, frame);
            place += 1;
        }
        self.network.wake_at(self.deadline_ns.load(Relaxed));
    }

    /// Nothing of what was sent is missing anywhere, as far as a process can know that has been leaving since then.
    fn is_settled(&self, leaving_ns: u64) -> bool {
        let now_ns = self.network.now_ns();
        !self.any(|it| !it.flow.is_settled() && now_ns < it.flow.heard_ns().max(leaving_ns) + PATIENCE_NS)
    }

    fn any(&self, is: impl Fn(&Refusable) -> bool) -> bool {
        let mut place = 0;
        while let Some(peer) = self.met(place) {
            if is(&self.flow(peer).lock()) {
                return true;
            }
            place += 1;
        }
        false
    }
}

impl Device for Reliable {
    fn name(&self) -> &'static str {
        self.state.network.name()
    }

    fn max_packet(&self) -> usize {
        self.state.network.frame_max() - Prefix::SIZE - Header::SIZE
    }

    fn credits(&self) -> Option<u16> {
        // The window holds senders back.
        None
    }

    fn link(&self, to: Peer) -> Box<dyn Link> {
        Box::new(ReliableLink { state: Arc::clone(&self.state), to, packet: Vec::new(), frame: Vec::new() })
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        Box::new(ReliableInbox { state: Arc::clone(&self.state), first: 0, frame: Vec::new(), leaving_ns: None })
    }
}

struct ReliableLink {
    state: Arc<State>,
    to: Peer,
    /// FM header and payload of the packet that was lent.
    packet: Vec<u8>,
    frame: Vec<u8>,
}

impl Link for ReliableLink {
    fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        let mut it = self.state.flow(self.to).lock();
        it.refused = !it.flow.has_room();
        if it.refused {
            return None;
        }
        if self.packet.capacity() == 0 {
            self.packet = it.flow.buffer();
        }
        self.packet.resize(Header::SIZE + len, 0);
        Some(&mut self.packet[Header::SIZE..])
    }

    fn commit(&mut self, header: Header) {
        self.packet[..Header::SIZE].copy_from_slice(&header.to_bits().to_le_bytes());
        let mut it = self.state.flow(self.to).lock();
        it.flow.push(std::mem::take(&mut self.packet));
        self.state.transmit(self.to, &mut it.flow, &mut self.frame);
    }
}

struct ReliableInbox {
    state: Arc<State>,
    /// Place in the list of peers that the next poll starts with.
    first: usize,
    frame: Vec<u8>,
    /// When the process began to leave.
    leaving_ns: Option<u64>,
}

impl ReliableInbox {
    /// Delivers what is ready from `peer`.
    fn deliver_from(&self, peer: Peer, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        for delivered in 0..budget {
            // Not locked during the delivery: handlers send.
            let Some(packet) = self.state.flow(peer).lock().flow.take() else { return delivered };
            let (header, payload) = packet.split_first_chunk().expect("a frame with data has a header");
            deliver(peer, Header::from_bits(u64::from_le_bytes(*header)), payload);
            self.state.flow(peer).lock().flow.give_back(packet);
        }
        budget
    }

    /// Delivers what earlier polls had no budget for.
    fn deliver_ready(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        let met = self.state.met.lock().len();
        let mut delivered = 0;
        for step in 0..met {
            let place = (self.first + step) % met;
            if let Some(peer) = self.state.met(place) {
                delivered += self.deliver_from(peer, budget - delivered, deliver);
            }
            if delivered == budget {
                self.first = (place + 1) % met;
                break;
            }
        }
        delivered
    }
}

impl Inbox for ReliableInbox {
    fn poll(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        let mut delivered = self.deliver_ready(budget, deliver);
        while delivered < budget {
            let state = &*self.state;
            let mut sender = None;
            let received = state.network.receive(&mut |from, frame| {
                if from.index() < state.flows.len() {
                    let _ = state.flow(from).lock().flow.receive(state.network.now_ns(), frame);
                    sender = Some(from);
                }
            });
            if !received {
                break;
            }
            if let Some(peer) = sender {
                delivered += self.deliver_from(peer, budget - delivered, deliver);
            }
        }
        self.state.transmit_all(&mut self.frame);
        delivered
    }

    fn arrived(&self) -> bool {
        let state = &*self.state;
        state.network.arrived()
            || state.deadline_ns.load(Relaxed) <= state.network.now_ns()
            || state.any(|it| it.flow.is_ready() || it.refused && it.flow.has_room())
            || self.leaving_ns.is_some_and(|leaving_ns| state.is_settled(leaving_ns))
    }

    fn close(&mut self) -> bool {
        let leaving_ns = *self.leaving_ns.get_or_insert_with(|| self.state.network.now_ns());
        let closed = self.state.is_settled(leaving_ns);
        if closed {
            // Who has left may come again, with another session.
            self.leaving_ns = None;
        }
        closed
    }
}
