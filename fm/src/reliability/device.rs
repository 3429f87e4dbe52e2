//! A device over a network of datagrams.

use super::flow::{Failure, Flow, Received};
use super::{OVERHEAD, Path, Settings};
use crate::device::{Device, Inbox, Link};
use crate::packet::{Header, Peer};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// A network that carries frames between processes, or loses, repeats, reorders and garbles them. It may have several paths, of which
/// some may fail.
pub trait Datagrams: Send + Sync {
    /// For people.
    fn name(&self) -> &'static str;

    /// Largest frame in bytes.
    fn frame_max(&self) -> usize;

    /// Sends a frame on a path, or loses it. It may wait for others until [`flush`](Self::flush).
    fn send(&self, to: Peer, path: Path, frame: &[u8]);

    /// What was sent leaves now: nothing more is to be sent to `to` for the time being.
    fn flush(&self, to: Peer) {
        let _ = to;
    }

    /// The incarnation of a peer, where processes have told each other beforehand.
    fn incarnation(&self, of: Peer) -> Option<u32> {
        let _ = of;
        None
    }

    /// A peer has failed: packets from and to it may be lost, and nothing more goes either way.
    fn failed(&self, peer: Peer, why: Failure) {
        let _ = (peer, why);
    }

    /// Hands over the frame that arrived first. Returns false when there is none. Nothing is to be locked meanwhile: handlers send.
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
    settings: Settings,
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
    /// The network was told that the flow has failed.
    is_reported: bool,
}

impl Reliable {
    /// For a job of `peers` processes. All flows are like `settings`, but for the [incarnations](Datagrams::incarnation) of peers.
    pub fn new(network: Arc<dyn Datagrams>, peers: u32, settings: Settings) -> Reliable {
        assert!(network.frame_max() > OVERHEAD + Header::SIZE, "frames that hold nothing");
        let flows = (0..peers).map(|_| OnceLock::new()).collect();
        let state = State { network, settings, flows, met: Mutex::new(Vec::new()), deadline_ns: AtomicU64::new(NEVER) };
        Reliable { state: Arc::new(state) }
    }
}

impl State {
    fn flow(&self, peer: Peer) -> &Mutex<Refusable> {
        self.flows[peer.index()].get_or_init(|| {
            self.met.lock().push(peer);
            let settings = Settings { peer: self.network.incarnation(peer).or(self.settings.peer), ..self.settings };
            Mutex::new(Refusable { flow: Flow::new(settings), refused: false, is_reported: false })
        })
    }

    /// The peer at this place in the list of those met.
    fn met(&self, place: usize) -> Option<Peer> {
        self.met.lock().get(place).copied()
    }

    /// A frame to fill.
    fn frame(&self) -> Vec<u8> {
        vec![0; self.network.frame_max()]
    }

    /// Puts on the wire what is due.
    fn transmit(&self, to: Peer, it: &mut Refusable, frame: &mut [u8]) {
        let mut is_any = false;
        while let Some((path, length)) = it.flow.transmit(self.network.now_ns(), frame) {
            self.network.send(to, path, &frame[..length]);
            is_any = true;
        }
        if is_any {
            self.network.flush(to);
        }
        if let Some(why) = it.flow.failure()
            && !std::mem::replace(&mut it.is_reported, true)
        {
            self.network.failed(to, why);
        }
        if let Some(deadline_ns) = it.flow.deadline_ns()
            && deadline_ns < self.deadline_ns.load(Relaxed)
        {
            self.deadline_ns.store(deadline_ns, Relaxed);
            self.network.wake_at(deadline_ns);
        }
    }

    fn transmit_all(&self, frame: &mut [u8]) {
        self.deadline_ns.store(NEVER, Relaxed);
        let mut place = 0;
        while let Some(peer) = self.met(place) {
            self.transmit(peer, &mut self.flow(peer).lock(), frame);
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
        self.state.network.frame_max() - OVERHEAD - Header::SIZE
    }

    fn credits(&self) -> Option<u16> {
        // The window holds senders back.
        None
    }

    fn link(&self, to: Peer) -> Box<dyn Link> {
        Box::new(ReliableLink { state: Arc::clone(&self.state), to, packet: Vec::new(), frame: self.state.frame() })
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        Box::new(ReliableInbox { state: Arc::clone(&self.state), first: 0, frame: self.state.frame(), leaving_ns: None })
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
        self.state.transmit(self.to, &mut it, &mut self.frame);
    }
}

/// Takes a packet apart: FM's header, and the payload.
fn deliver_packet(peer: Peer, packet: &[u8], deliver: &mut dyn FnMut(Peer, Header, &[u8])) {
    match packet.split_first_chunk() {
        Some((header, payload)) => deliver(peer, Header::from_bits(u64::from_le_bytes(*header)), payload),
        None => deliver(peer, Header::GARBLED, &[]),
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
            deliver_packet(peer, &packet, deliver);
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
                if from.index() >= state.flows.len() {
                    return;
                }
                let received = state.flow(from).lock().flow.receive(state.network.now_ns(), frame);
                match received {
                    Ok(Received::Next(packet)) => {
                        deliver_packet(from, packet, deliver);
                        delivered += 1;
                    }
                    Ok(Received::Kept) => sender = Some(from),
                    Ok(Received::Nothing) | Err(_) => {}
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
