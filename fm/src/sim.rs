//! A network inside one process: virtual time, every delay decided by one seed.
//!
//! [`Network`] hands out one [`Device`] per node. A packet arrives after a random delay; packets of a pair keep their order,
//! those of different pairs overtake each other. Time stands still until whoever schedules the nodes moves it:
//! [`Network::tick`] a little after each node's turn, [`Network::advance`] to the next arrival when no node can run. When
//! nothing is in flight either, the nodes have deadlocked.
//!
//! The same seed, plan and schedule give the same run.

pub mod bottleneck;
mod flight;
mod frames;
mod partition;
mod regions;
pub mod trial;
pub mod wire;

use crate::board::Neighbours;
use crate::device::{Device, Inbox, Link};
use crate::packet::{Header, Kind, Peer};
use crate::reliability::{Failure, Reliable, Settings};
use frames::Frames;
use parking_lot::Mutex;
use partition::Partitions;
use regions::{Memory, Regions};
use std::collections::BTreeMap;
use std::sync::Arc;
use wire::Wire;

/// What the network is like.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Largest payload of a packet in bytes. Small ones make streams long.
    pub max_packet: usize,
    /// `Some`: FM counts receive credits, and the network checks that it does. `None`: the network holds senders back.
    pub credits: Option<u16>,
    /// Without credits, packets of a pair that may be on their way or unextracted.
    pub slots: usize,
    /// A packet is on its way for 1 to this many nanoseconds.
    pub delay_ns_max: u64,
    /// `Some`: the network does all this wrong, and [`reliability`](crate::reliability) makes a device of what is left.
    pub faults: Option<Faults>,
    /// Bytes that each node shares with the others, beside the network; 0 for none.
    pub region_size: usize,
}

/// What the network does wrong, in packets of ten thousand unless it says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Faults {
    pub lost: u16,
    pub repeated: u16,
    /// Overtakes or is overtaken, as its delay has it.
    pub reordered: u16,
    /// Arrives with one to eight bits that are not those sent.
    pub garbled: u16,
    /// Bytes a second that each pair has each way; 0 for no limit. And bytes that may wait for their turn: more are lost.
    pub rate: u64,
    pub queue: u64,
    /// Now and then the network is in two halves, for up to so many nanoseconds, perhaps one way only. That is to be well below the patience of a
    /// process that leaves ([`reliability`](crate::reliability)): what it has sent last would not arrive.
    pub apart_ns_max: u64,
}

impl Default for Plan {
    fn default() -> Self {
        Plan { max_packet: 4096, credits: None, slots: 32, delay_ns_max: 20_000, faults: None, region_size: 0 }
    }
}

/// The network between the nodes of one simulation.
#[derive(Clone)]
pub struct Network {
    state: Arc<Mutex<State>>,
    memory: Option<Arc<Memory>>,
}

impl Network {
    pub fn new(seed: u64, nodes: u32, plan: Plan) -> Network {
        let pairs = nodes as usize * nodes as usize;
        let Faults { apart_ns_max, rate, queue, .. } = plan.faults.unwrap_or_default();
        Network {
            memory: (plan.region_size > 0).then(|| Arc::new(Memory::new(nodes, plan.region_size))),
            state: Arc::new(Mutex::new(State {
                random: Random::new(seed),
                partitions: Partitions::new(Random::new(!seed), nodes, apart_ns_max),
                nodes,
                plan,
                now_ns: 0,
                sequence: 0,
                inboxes: (0..nodes).map(|_| BTreeMap::new()).collect(),
                timers_ns: vec![u64::MAX; nodes as usize],
                pairs: vec![Pair::default(); pairs],
                wires: vec![Wire::new(rate, 0, queue); pairs],
                // Every node has one of its own, whatever becomes of others.
                incarnations: (1..=nodes).collect(),
                failures: Vec::new(),
                rung: vec![false; nodes as usize],
                bodies: Vec::new(),
            })),
        }
    }

    /// Node `me`'s side of the network.
    pub fn device(&self, me: Peer) -> Arc<dyn Device> {
        let state = self.state.lock();
        assert!(me.0 < state.nodes);
        let plan = state.plan.clone();
        let device: Arc<dyn Device> = if plan.faults.is_none() {
            Arc::new(SimDevice { me, plan, state: self.state.clone() })
        } else {
            let incarnation = state.incarnations[me.index()];
            let frames = Frames { me, frame_max: plan.max_packet, incarnation, state: self.state.clone() };
            Arc::new(Reliable::new(Arc::new(frames), state.nodes, Settings::new(incarnation)))
        };
        match &self.memory {
            Some(memory) => {
                let regions = Regions { memory: memory.clone(), me, state: self.state.clone() };
                Arc::new(WithRegions { device, regions: Arc::new(regions) })
            }
            None => device,
        }
    }

    /// Node `me` has ended without a word, and another process takes its place: its side of the network. What is on its way to it still arrives. Of a
    /// network with [`Faults`]; without, nothing tells one process from the next.
    pub fn restart(&self, me: Peer) -> Arc<dyn Device> {
        let mut state = self.state.lock();
        assert!(state.plan.faults.is_some(), "who restarts needs incarnations");
        let nodes = state.nodes;
        state.incarnations[me.index()] += nodes;
        state.timers_ns[me.index()] = u64::MAX;
        drop(state);
        self.device(me)
    }

    /// Which node has lost which, and why.
    pub fn failures(&self) -> Vec<(Peer, Peer, Failure)> {
        self.state.lock().failures.clone()
    }

    /// Virtual time in nanoseconds.
    pub fn now_ns(&self) -> u64 {
        self.state.lock().now_ns
    }

    /// Lets a little time pass.
    pub fn tick(&self, ns: u64) {
        self.state.lock().now_ns += ns;
    }

    /// Moves time to the next arrival, or to when a node wants to be woken. Returns false when neither is to come.
    pub fn advance(&self) -> bool {
        let mut state = self.state.lock();
        let now_ns = state.now_ns;
        let later = (now_ns + 1, 0);
        let next = state.inboxes.iter().filter_map(|inbox| inbox.range(later..).next()).map(|(&(at_ns, _), _)| at_ns).min();
        let timers_ns = state.timers_ns.iter().copied().filter(|&at_ns| at_ns > now_ns && at_ns < u64::MAX);
        match next.into_iter().chain(timers_ns).min() {
            Some(at_ns) => {
                state.now_ns = at_ns;
                true
            }
            None => false,
        }
    }

    /// Whether `node` would find something: a packet that has arrived, room where it was refused, or what another node stored in its
    /// region and rang for.
    pub fn has_news(&self, node: Peer) -> bool {
        let state = self.state.lock();
        state.has_news(node) || state.rung[node.index()]
    }

    /// Packets on their way or unextracted.
    pub fn in_flight(&self) -> usize {
        self.state.lock().inboxes.iter().map(BTreeMap::len).sum()
    }
}

struct State {
    random: Random,
    partitions: Partitions,
    nodes: u32,
    plan: Plan,
    now_ns: u64,
    sequence: u64,
    /// By receiver: packets by time of arrival and order of sending.
    inboxes: Vec<BTreeMap<(u64, u64), Packet>>,
    /// By node: when it wants to be woken.
    timers_ns: Vec<u64>,
    pairs: Vec<Pair>,
    wires: Vec<Wire>,
    /// By node: which process is in its place.
    incarnations: Vec<u32>,
    /// Who has lost whom.
    failures: Vec<(Peer, Peer, Failure)>,
    /// By node: whether another one rang since it last looked for packets.
    rung: Vec<bool>,
    /// Buffers of delivered packets, for those to come.
    bodies: Vec<Vec<u8>>,
}

/// From one node to another.
#[derive(Clone, Default)]
struct Pair {
    last_arrival_ns: u64,
    /// Packets on their way or unextracted, and how many of them carry nothing but credits.
    in_flight: usize,
    credits_in_flight: usize,
    /// The sender was refused and has not sent since.
    refused: bool,
}

struct Packet {
    from: Peer,
    header: Header,
    body: Vec<u8>,
}

impl State {
    fn pair(&mut self, from: Peer, to: Peer) -> &mut Pair {
        let index = from.index() * self.nodes as usize + to.index();
        &mut self.pairs[index]
    }

    fn full(&self, from: Peer, to: Peer) -> bool {
        let pair = &self.pairs[from.index() * self.nodes as usize + to.index()];
        self.plan.credits.is_none() && pair.in_flight >= self.plan.slots
    }

    fn send(&mut self, to: Peer, packet: Packet) {
        let delay_ns = 1 + self.random.below(self.plan.delay_ns_max.max(1));
        let earliest_ns = self.now_ns + delay_ns;
        let credits = self.plan.credits;
        let only_credits = packet.header.kind() == Kind::Credits;
        let from = packet.from;
        let pair = self.pair(from, to);
        let at_ns = earliest_ns.max(pair.last_arrival_ns);
        pair.last_arrival_ns = at_ns;
        pair.refused = false;
        pair.in_flight += 1;
        pair.credits_in_flight += usize::from(only_credits);
        if let Some(credits) = credits {
            assert!(pair.in_flight - pair.credits_in_flight <= usize::from(credits), "a sender exceeded its credits");
            assert!(pair.credits_in_flight <= 2, "more than two packets of credits on their way");
        }
        self.sequence += 1;
        self.inboxes[to.index()].insert((at_ns, self.sequence), packet);
    }

    fn has_arrived(&self, me: Peer) -> bool {
        self.inboxes[me.index()].first_key_value().is_some_and(|(&(at_ns, _), _)| at_ns <= self.now_ns)
    }

    fn has_news(&self, me: Peer) -> bool {
        let row = me.index() * self.nodes as usize;
        let freed = |to| self.pairs[row + to as usize].refused && !self.full(me, Peer(to));
        self.has_arrived(me) || self.timers_ns[me.index()] <= self.now_ns || (0..self.nodes).any(freed)
    }

    fn receive(&mut self, me: Peer) -> Option<Packet> {
        let now_ns = self.now_ns;
        self.rung[me.index()] = false;
        let first = self.inboxes[me.index()].first_entry()?;
        if first.key().0 > now_ns {
            return None;
        }
        let packet = first.remove();
        let pair = self.pair(packet.from, me);
        pair.in_flight -= 1;
        pair.credits_in_flight -= usize::from(packet.header.kind() == Kind::Credits);
        Some(packet)
    }
}

struct SimDevice {
    me: Peer,
    plan: Plan,
    state: Arc<Mutex<State>>,
}

impl Device for SimDevice {
    fn name(&self) -> &'static str {
        "sim"
    }

    fn max_packet(&self) -> usize {
        self.plan.max_packet
    }

    fn credits(&self) -> Option<u16> {
        self.plan.credits
    }

    fn link(&self, to: Peer) -> Box<dyn Link> {
        Box::new(SimLink { from: self.me, to, state: self.state.clone(), room: Vec::new() })
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        Box::new(SimInbox { me: self.me, state: self.state.clone() })
    }
}

/// A device of nodes that have memory in common, too.
struct WithRegions {
    device: Arc<dyn Device>,
    regions: Arc<Regions>,
}

impl Device for WithRegions {
    fn name(&self) -> &'static str {
        self.device.name()
    }

    fn max_packet(&self) -> usize {
        self.device.max_packet()
    }

    fn credits(&self) -> Option<u16> {
        self.device.credits()
    }

    fn neighbours(&self) -> Option<Arc<dyn Neighbours>> {
        Some(self.regions.clone())
    }

    fn link(&self, to: Peer) -> Box<dyn Link> {
        self.device.link(to)
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        self.device.inbox()
    }
}

struct SimInbox {
    me: Peer,
    state: Arc<Mutex<State>>,
}

impl Inbox for SimInbox {
    fn poll(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        for delivered in 0..budget {
            // Not locked during the delivery: handlers send.
            let Some(packet) = self.state.lock().receive(self.me) else {
                return delivered;
            };
            deliver(packet.from, packet.header, &packet.body);
            self.state.lock().bodies.push(packet.body);
        }
        budget
    }

    fn arrived(&self) -> bool {
        self.state.lock().has_news(self.me)
    }
}

struct SimLink {
    from: Peer,
    to: Peer,
    state: Arc<Mutex<State>>,
    room: Vec<u8>,
}

impl Link for SimLink {
    fn lend(&mut self, len: usize) -> Option<&mut [u8]> {
        let mut state = self.state.lock();
        assert!(len <= state.plan.max_packet);
        if state.full(self.from, self.to) {
            state.pair(self.from, self.to).refused = true;
            return None;
        }
        if self.room.capacity() == 0 {
            self.room = state.bodies.pop().unwrap_or_default();
        }
        // Whoever lends it fills it: what was there before is as good as zeros.
        self.room.resize(len, 0);
        Some(&mut self.room)
    }

    fn commit(&mut self, header: Header) {
        let body = std::mem::take(&mut self.room);
        self.state.lock().send(self.to, Packet { from: self.from, header, body });
    }
}

/// A small generator of random numbers (splitmix64): the same everywhere for the same seed.
#[derive(Clone)]
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Random(seed)
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below 2^`bits`, with every size of number about as likely.
    pub fn any_size(&mut self, bits: u64) -> u64 {
        let size = self.below(bits + 1);
        self.below(1 << size)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next_u64()) * u128::from(bound)) >> 64) as u64
    }
}
