//! What the links and the inbox of one process share: the provider, its descriptors, and the virtual interfaces. One thread at a time is here.

use crate::fabric::abi::Address;
use crate::fabric::{Entry, Failed, Moved, Nic};
use crate::loss::Losses;
use crate::memory::{self, Place, Slab};
use crate::packet::{FRONT, Front, Kind};
use crate::sleep::Sleep;
use crate::vi::{Refusal, Vi, Waiting};
use fm::{Header, Peer};
use std::collections::VecDeque;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr::NonNull;
use std::time::{Duration, Instant};

/// Bytes of a slot: a packet with what is in front of it. `ofi_rxm` copies messages of up to so many bytes, and announces longer ones.
pub const SLOT: usize = 16 << 10;

/// Slots to send from.
const SENDS: usize = 128;

/// The slab that has them.
const SENDING: u32 = 0;

/// So many descriptors are posted for whoever comes first.
const FIRST: usize = 32;

/// A receiver has so many slots in all when every peer is in contact, while that is enough for [`CREDITS_MIN`] for each.
const SLOTS: usize = 4096;
const CREDITS_MIN: usize = 8;
const CREDITS_MAX: usize = 128;

/// Completions that are read at once.
const BATCH: usize = 16;

/// Short packets are copied twice, but leave without a completion.
const SHORT_MAX: usize = 512;

/// Where nothing tells that there is something, sleeps are so short at first: an answer often comes soon. Each in vain is twice as long as the
/// one before.
const NAP_MIN: Duration = Duration::from_micros(20);
const NAP_MAX: Duration = Duration::from_millis(1);

/// Credits of each sender in a job of so many processes.
pub fn credits(peers: usize) -> u16 {
    (SLOTS / peers.max(1)).clamp(CREDITS_MIN, CREDITS_MAX) as u16
}

/// A packet that has come: its slot is the receiver's until it is [passed](State::pass).
#[derive(Clone, Copy)]
pub struct Arrival {
    pub from: Peer,
    pub header: Header,
    pub place: Place,
    pub payload: NonNull<u8>,
    pub len: usize,
}

// SAFETY: the slot that it points to is its own.
unsafe impl Send for Arrival {}

pub struct State {
    me: Peer,
    tag: u32,
    /// Longest packet, with its front, that leaves without a completion.
    pub short_max: usize,
    vis: Box<[Vi]>,
    /// Where the peers are.
    names: Box<[Box<[u8]>]>,
    ready: VecDeque<Arrival>,
    /// Slots to send from that are free.
    free: Vec<u32>,
    /// Slots whose sends are under way.
    in_flight: usize,
    /// Peers with a backlog.
    waiting: VecDeque<u32>,
    /// Peers whose links found no free slot.
    starved: Vec<u32>,
    /// Links that were refused, would be lent room now, and have not been asked since.
    freed: usize,
    /// Descriptors that are posted for receiving.
    posted: usize,
    /// Receive slots that the provider's queue had no room for.
    unposted: Vec<Place>,
    /// How long the next sleep is of which nothing would wake us.
    nap: Duration,
    is_leaving: bool,
    pub losses: Losses,
    /// Messages that were none of this job's.
    strange: u64,
    // In this order: memory goes before the provider.
    slabs: Vec<Slab>,
    nic: Nic,
}

impl Drop for State {
    fn drop(&mut self) {
        self.nic.shut();
    }
}

impl State {
    pub fn new(nic: Nic, me: Peer, tag: u32, names: Box<[Box<[u8]>]>, losses: Losses) -> Result<State, String> {
        let short_max = nic.queues().inject_max.min(SHORT_MAX);
        let mut state = State {
            me,
            tag,
            short_max,
            vis: names.iter().map(|_| Vi::default()).collect(),
            names,
            ready: VecDeque::new(),
            free: (0..SENDS as u32).collect(),
            in_flight: 0,
            waiting: VecDeque::new(),
            starved: Vec::new(),
            freed: 0,
            posted: 0,
            unposted: Vec::new(),
            nap: NAP_MIN,
            is_leaving: false,
            losses,
            strange: 0,
            slabs: Vec::new(),
            nic,
        };
        state.add_slab(SENDS)?;
        state.add_receives(FIRST)?;
        Ok(state)
    }

    fn add_slab(&mut self, count: usize) -> Result<u32, String> {
        let number = self.slabs.len() as u32;
        // SAFETY: our fields are dropped in this order.
        let slab = unsafe { Slab::new(&mut self.nic, number, count, SLOT)? };
        self.slabs.push(slab);
        Ok(number)
    }

    /// Posts so many descriptors more.
    fn add_receives(&mut self, count: usize) -> Result<(), String> {
        let slab = self.add_slab(count)?;
        for slot in 0..count as u32 {
            self.post(Place { slab, slot });
        }
        Ok(())
    }

    /// Posts a descriptor. Returns whether the provider has taken it.
    fn post(&mut self, place: Place) -> bool {
        if self.posted >= self.nic.queues().receives {
            // Providers answer differently when they are asked for more.
            self.unposted.push(place);
            return false;
        }
        let slab = &self.slabs[place.slab as usize];
        let (slot, context) = (slab.slot(place.slot), slab.context(place.slot));
        // SAFETY: a slot that nobody has, of this slab; both stay until the endpoint is shut.
        match unsafe { self.nic.receive(slot, SLOT, slab.registration(), context) } {
            Moved::Done => {
                self.posted += 1;
                return true;
            }
            Moved::Later => {}
            Moved::Failed(code) => {
                let what = format!("no receive can be posted: {}", self.nic.describe(code));
                self.losses.note(self.me, what);
            }
        }
        self.unposted.push(place);
        false
    }

    /// The peer's packets are to be expected, so many at a time.
    fn contact(&mut self, peer: Peer) {
        let vi = &mut self.vis[peer.index()];
        if !std::mem::replace(&mut vi.in_contact, true) {
            let more = usize::from(credits(self.vis.len())) + 2;
            if let Err(what) = self.add_receives(more) {
                self.losses.note(peer, what);
            }
        }
    }

    fn address(&mut self, peer: Peer) -> Option<Address> {
        if let Some(address) = self.vis[peer.index()].address {
            return Some(address);
        }
        match self.nic.insert(&self.names[peer.index()]) {
            Ok(address) => {
                self.vis[peer.index()].address = Some(address);
                Some(address)
            }
            Err(what) => {
                self.lose(peer, what);
                None
            }
        }
    }

    fn lose(&mut self, peer: Peer, what: String) {
        let vi = &mut self.vis[peer.index()];
        vi.has_left = true;
        for waiting in std::mem::take(&mut vi.backlog) {
            if let Waiting::Slot { place, .. } = waiting {
                self.free.push(place.slot);
            }
        }
        if !self.is_leaving {
            self.losses.note(peer, what);
        }
    }
}

/// Sending.
impl State {
    /// Whether a packet for `to` may be written now.
    #[inline]
    pub fn has_room(&mut self, to: Peer) -> bool {
        let vi = &mut self.vis[to.index()];
        if vi.refusal == Refusal::Freed {
            vi.refusal = Refusal::None;
            self.freed -= 1;
        }
        if vi.backlog.is_empty() {
            return true;
        }
        self.flush(to);
        let vi = &mut self.vis[to.index()];
        let room = vi.backlog.is_empty();
        vi.refusal = if room { Refusal::None } else { Refusal::Refused };
        room
    }

    /// A slot for a packet to `to`, with its bytes.
    pub fn take_slot(&mut self, to: Peer) -> Option<(Place, NonNull<u8>)> {
        let Some(slot) = self.free.pop() else {
            self.vis[to.index()].refusal = Refusal::Refused;
            self.starved.push(to.0);
            return None;
        };
        let slab = &self.slabs[SENDING as usize];
        slab.set_recipient(slot, to.0);
        Some((Place { slab: SENDING, slot }, slab.slot(slot)))
    }

    pub fn give_back(&mut self, place: Place) {
        self.free.push(place.slot);
        for peer in std::mem::take(&mut self.starved) {
            self.room_again(peer);
        }
    }

    fn room_again(&mut self, peer: u32) {
        let vi = &mut self.vis[peer as usize];
        if vi.refusal == Refusal::Refused && vi.backlog.is_empty() {
            vi.refusal = Refusal::Freed;
            self.freed += 1;
        }
    }

    /// What a packet to anybody has in front.
    #[inline]
    pub fn front(&self, header: Header, kind: Kind) -> [u8; FRONT] {
        Front { header, kind, from: self.me, tag: self.tag }.to_bytes()
    }

    /// Sends a packet that leaves without a completion.
    #[inline]
    pub fn send_short(&mut self, to: Peer, packet: &[u8]) {
        self.contact(to);
        let Some(address) = self.ready_to_send(to) else { return };
        match self.nic.inject(packet, address) {
            Moved::Done => {}
            Moved::Later => self.wait(to, Waiting::Short(packet.into())),
            Moved::Failed(code) => self.lose(to, self.nic.describe(code)),
        }
    }

    /// Sends a packet of `len` bytes that a slot has.
    pub fn send_slot(&mut self, to: Peer, place: Place, len: usize) {
        self.contact(to);
        let Some(address) = self.ready_to_send(to) else { return self.give_back(place) };
        match self.post_send(place, len, address) {
            Moved::Done => {}
            Moved::Later => self.wait(to, Waiting::Slot { place, len }),
            Moved::Failed(code) => {
                self.give_back(place);
                self.lose(to, self.nic.describe(code));
            }
        }
    }

    /// `None` where nothing goes any more.
    #[inline]
    fn ready_to_send(&mut self, to: Peer) -> Option<Address> {
        if self.vis[to.index()].has_left { None } else { self.address(to) }
    }

    fn post_send(&mut self, place: Place, len: usize, to: Address) -> Moved {
        let slab = &self.slabs[place.slab as usize];
        let (slot, context) = (slab.slot(place.slot), slab.context(place.slot));
        // SAFETY: a slot of this slab that was taken, and is given back when the send is complete.
        let moved = unsafe { self.nic.send(slot, len, slab.registration(), to, context) };
        self.in_flight += usize::from(moved == Moved::Done);
        moved
    }

    fn wait(&mut self, to: Peer, waiting: Waiting) {
        let vi = &mut self.vis[to.index()];
        vi.backlog.push_back(waiting);
        if !std::mem::replace(&mut vi.is_listed, true) {
            self.waiting.push_back(to.0);
        }
    }

    /// Sends what waits for a peer, as far as the provider takes it.
    fn flush(&mut self, to: Peer) {
        while let Some(waiting) = self.vis[to.index()].backlog.pop_front() {
            let Some(address) = self.address(to) else { return };
            let moved = match &waiting {
                Waiting::Short(packet) => self.nic.inject(packet, address),
                Waiting::Slot { place, len } => self.post_send(*place, *len, address),
            };
            match moved {
                Moved::Done => {}
                Moved::Later => return self.vis[to.index()].backlog.push_front(waiting),
                Moved::Failed(code) => {
                    if let Waiting::Slot { place, .. } = waiting {
                        self.give_back(place);
                    }
                    return self.lose(to, self.nic.describe(code));
                }
            }
        }
    }

    fn flush_all(&mut self) {
        for _ in 0..self.waiting.len() {
            let Some(peer) = self.waiting.pop_front() else { return };
            self.flush(Peer(peer));
            let vi = &mut self.vis[peer as usize];
            if vi.backlog.is_empty() {
                vi.is_listed = false;
                self.room_again(peer);
            } else {
                self.waiting.push_back(peer);
            }
        }
    }
}

/// Receiving.
impl State {
    /// Moves the provider on, unless some packets wait to be taken.
    #[inline]
    pub fn progress(&mut self) {
        if self.ready.is_empty() {
            self.move_on();
        }
    }

    /// Reads completions, and offers the provider what waits for it.
    #[inline]
    fn move_on(&mut self) {
        let mut room = [MaybeUninit::<Entry>::uninit(); BATCH];
        match self.nic.completions(&mut room) {
            Ok([]) => {}
            Ok(entries) => {
                self.nap = NAP_MIN;
                entries.iter().for_each(|entry| self.complete(entry));
            }
            Err(failed) => self.fail(&failed),
        }
        if !self.waiting.is_empty() {
            self.flush_all();
        }
    }

    #[inline]
    fn complete(&mut self, entry: &Entry) {
        // SAFETY: we give no other contexts than those of our slabs, which stay.
        let Some(place) = (unsafe { memory::place_of(entry.context) }) else { return };
        if place.slab == SENDING {
            self.in_flight -= 1;
            self.give_back(place);
        } else {
            self.posted -= 1;
            self.arrive(place, entry.len.min(SLOT));
        }
    }

    #[cold]
    fn fail(&mut self, failed: &Failed) {
        // SAFETY: as above.
        match unsafe { memory::place_of(failed.context) } {
            Some(place) if place.slab == SENDING => {
                self.in_flight -= 1;
                let to = self.recipient(place);
                self.give_back(place);
                self.lose(to, failed.what.clone());
            }
            // Too long for a slot, or given up: no sender of ours does that.
            Some(place) => {
                self.posted -= 1;
                self.strange += 1;
                self.pass(place);
            }
            None if self.is_leaving => {}
            None => self.losses.note(self.me, failed.what.clone()),
        }
    }

    /// To whom a slot's packet was to go.
    fn recipient(&self, place: Place) -> Peer {
        Peer(self.slabs[SENDING as usize].recipient(place.slot))
    }

    fn arrive(&mut self, place: Place, len: usize) {
        let slot = self.slabs[place.slab as usize].slot(place.slot);
        // SAFETY: the provider has written so much of the slot, which is ours until it is posted again.
        let message = unsafe { std::slice::from_raw_parts(slot.as_ptr(), len) };
        let front = Front::parse(message).filter(|front| front.tag == self.tag && front.from != self.me);
        let Some(Front { header, kind, from, .. }) = front.filter(|front| front.from.index() < self.vis.len()) else {
            self.strange += 1;
            return self.pass(place);
        };
        self.contact(from);
        match kind {
            Kind::Packet => {
                // SAFETY: a front is there, so that this is still within the slot.
                let payload = unsafe { slot.add(FRONT) };
                self.ready.push_back(Arrival { from, header, place, payload, len: len - FRONT });
            }
            Kind::Hello => {
                self.vis[from.index()].greeted = true;
                self.pass(place);
            }
            Kind::Bye => {
                self.vis[from.index()].has_left = true;
                self.pass(place);
            }
        }
    }

    /// The slot of a packet that nobody looks at any more is posted again.
    #[inline]
    pub fn pass(&mut self, place: Place) {
        if self.unposted.is_empty() {
            self.post(place);
        } else {
            self.unposted.push(place);
            self.repost();
        }
    }

    /// The next packet. `passed` is the one before, whose slot nobody looks at any more.
    #[inline]
    pub fn next(&mut self, passed: Option<Place>) -> Option<Arrival> {
        if let Some(place) = passed {
            self.pass(place);
        }
        self.ready.pop_front()
    }

    /// Whether a poll would find something, or a link that was refused would be lent room.
    pub fn has_news(&mut self) -> bool {
        self.repost();
        self.progress();
        if self.losses.any() {
            self.losses.tell_old();
        }
        !self.ready.is_empty() || self.freed > 0
    }

    /// Whether packets wait to be taken, of which somebody about to sleep may know.
    pub fn has_seen(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Offers the provider again what its queue had no room for.
    pub fn repost(&mut self) {
        while let Some(place) = self.unposted.pop() {
            if !self.post(place) {
                break;
            }
        }
    }

    /// How to sleep until there is something.
    pub fn sleep(&mut self) -> Sleep {
        // When the provider takes what waits it does not say: a connection is being made, for one.
        if !self.waiting.is_empty() || self.nic.descriptor().is_none() {
            let nap = self.nap;
            self.nap = (2 * nap).min(NAP_MAX);
            return Sleep::Nap(nap);
        }
        if self.nic.may_wait() { Sleep::OnDescriptor } else { Sleep::Not }
    }
}

/// Meeting and leaving.
impl State {
    /// The provider's descriptor to wait at.
    pub fn descriptor(&self) -> Option<RawFd> {
        self.nic.descriptor()
    }

    /// Greets all others and waits for their greetings, which they send at the same time. Then everybody has found everybody.
    ///
    /// # Errors
    /// Says who has not come.
    pub fn meet(&mut self, until: Instant) -> Result<(), String> {
        let others: Vec<Peer> = (0..self.vis.len() as u32).map(Peer).filter(|&peer| peer != self.me && !self.names[peer.index()].is_empty()).collect();
        let hello = self.front(Header::GARBLED, Kind::Hello);
        others.iter().for_each(|&peer| self.send_short(peer, &hello));
        loop {
            self.move_on();
            let missing = others.iter().find(|peer| !self.vis[peer.index()].greeted);
            if missing.is_none() && self.waiting.is_empty() {
                return Ok(());
            }
            if Instant::now() > until {
                let Some(peer) = missing else { return Err("greetings do not leave".into()) };
                return Err(format!("rank {} does not greet", peer.0));
            }
            std::thread::yield_now();
        }
    }

    /// Our own address.
    pub fn name(&self) -> &[u8] {
        self.nic.name()
    }

    /// Tells everybody who has been in contact that nothing more comes. Returns whether all have been told and have told us: then nobody waits
    /// for anything, and nothing of ours is on its way.
    pub fn leave(&mut self) -> bool {
        self.is_leaving = true;
        for peer in (0..self.vis.len() as u32).map(Peer) {
            let vi = &self.vis[peer.index()];
            if !vi.in_contact || vi.told {
                continue;
            }
            let Some((place, slot)) = self.take_slot(peer) else { break };
            let front = self.front(Header::GARBLED, Kind::Bye);
            // SAFETY: a slot is longer than this, and was just taken.
            unsafe { slot.copy_from_nonoverlapping(NonNull::from(&front).cast(), FRONT) };
            self.vis[peer.index()].told = true;
            // A peer that has said so is still there to hear it.
            let has_left = std::mem::take(&mut self.vis[peer.index()].has_left);
            self.send_slot(peer, place, FRONT);
            self.vis[peer.index()].has_left |= has_left;
        }
        self.progress();
        self.in_flight == 0 && self.waiting.is_empty() && self.vis.iter().all(|vi| !vi.in_contact || vi.told && vi.has_left)
    }
}
