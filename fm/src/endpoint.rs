//! A process's endpoint: sending messages and extracting them.

use crate::board::Neighbours;
use crate::claims::Claims;
use crate::connection::Connection;
use crate::device::{Device, Inbox, Landing, Sink};
use crate::inbound::{Inbound, Streams};
use crate::lock::{Guard, ThreadLock, Threading};
use crate::packet::{HandlerId, Header, Kind, Peer};
use crate::stream::{Receive, SendStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

/// What a process does with the messages it extracts.
///
/// A handler never extracts and never waits. It may answer with at most one control message.
pub trait Upcall {
    /// A message that fits one packet: runs to completion on the device's own slot.
    fn message(&self, from: Peer, handler: HandlerId, body: &[u8]);

    /// The first packet of a longer message of `total` bytes. What is returned receives all its bytes, from the first on.
    fn begin(&self, from: Peer, handler: HandlerId, total: u64) -> Box<dyn Receive>;

    /// Of a message of `len` bytes only the first ones, `head`, are here. Returns the place of the rest, if it is known already; then it
    /// goes [there](Self::land) without being copied, and there will be no [`message`](Self::message).
    fn place(&self, from: Peer, handler: HandlerId, head: &[u8], len: usize) -> Option<Landing> {
        let _ = (from, handler, head, len);
        None
    }

    /// Lends room for a message that has a place from byte `at` on, some or all of it, to `fill`, which says how much it has filled.
    fn land(&self, from: Peer, landing: Landing, at: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize) {
        let _ = (from, landing, at, fill);
    }

    /// A packet from `from` makes no sense: a fault in this process, in that one, or in the network between.
    fn violation(&self, from: Peer, what: &str) {
        panic!("peer {} broke the protocol: {what}", from.0);
    }
}

/// A process's endpoint. Shared by `&` among its threads.
///
/// Locks are taken in this order: extraction, one peer's connection, the list of pending peers, a device's own. Handlers
/// run under the first, so that they may send; the closures that fill a packet run under the second, so that they may not.
pub struct Fm {
    me: Peer,
    threading: Threading,
    devices: Vec<DeviceSlot>,
    /// Index of each peer's device.
    route: Box<[u8]>,
    /// Made at first contact.
    connections: Box<[OnceLock<Box<ThreadLock<Connection>>>]>,
    inbound: ThreadLock<Inbound>,
    pending: Pending,
    counters: Option<Box<Counters>>,
}

struct DeviceSlot {
    device: Arc<dyn Device>,
    /// Asked once: they do not change.
    max_packet: usize,
    piece: usize,
    unasked_max: usize,
    lands: bool,
    credits: Option<u16>,
}

impl Fm {
    /// The endpoint of process `me` of a job of `peers` processes. `route` names each peer's device by its index in `devices`,
    /// for good; it is not asked for `me`, whose messages to itself enter no device. With `trace`, messages are
    /// [counted](Self::counts).
    ///
    /// # Panics
    /// When `me` is no peer, or `route` names a device that is not there.
    pub fn new(
        me: Peer,
        peers: u32,
        devices: Vec<Arc<dyn Device>>,
        route: impl Fn(Peer) -> usize,
        threading: Threading,
        trace: bool,
    ) -> Fm {
        assert!(me.0 < peers, "process {} in a job of {peers}", me.0);
        let devices: Vec<_> = devices
            .into_iter()
            .map(|device| DeviceSlot {
                max_packet: device.max_packet(),
                piece: device.piece(),
                unasked_max: device.unasked_max(),
                lands: device.lands(),
                credits: device.credits(),
                device,
            })
            .collect();
        assert!(devices.iter().all(|slot| slot.piece >= MIN_PACKET && slot.piece <= slot.max_packet));
        let inboxes = devices.iter().map(|slot| slot.device.inbox()).collect();
        let route = (0..peers)
            .map(|peer| {
                if Peer(peer) == me {
                    return NOWHERE;
                }
                let index = route(Peer(peer));
                assert!(index < devices.len().min(usize::from(NOWHERE)), "peer {peer} is routed to a device that is not there");
                index as u8
            })
            .collect();
        Fm {
            me,
            threading,
            devices,
            route,
            connections: (0..peers).map(|_| OnceLock::new()).collect(),
            inbound: ThreadLock::new(threading, Inbound::new(peers, inboxes)),
            pending: Pending { count: AtomicUsize::new(0), peers: ThreadLock::new(threading, Vec::new()) },
            counters: trace.then(Default::default),
        }
    }

    pub fn me(&self) -> Peer {
        self.me
    }

    /// Number of processes in the job.
    pub fn peers(&self) -> u32 {
        self.connections.len() as u32
    }

    pub fn threading(&self) -> Threading {
        self.threading
    }

    /// Largest body of a one-packet message to `to`, in bytes.
    #[inline]
    pub fn max_message(&self, to: Peer) -> usize {
        self.slot(to).max_packet
    }

    /// Largest body, in bytes, of the packets of a message to `to` that needs several.
    #[inline]
    pub fn piece(&self, to: Peer) -> usize {
        self.slot(to).piece
    }

    /// Longest message, in bytes, to `to` that is better sent unasked than announced; 0 where the device does not know.
    #[inline]
    pub fn unasked_max(&self, to: Peer) -> usize {
        self.slot(to).unasked_max
    }

    /// Whether long messages to `to` are better [sent from](Self::try_send_from) where they lie.
    #[inline]
    pub fn sends_in_place(&self, to: Peer) -> bool {
        self.slot(to).lands
    }

    /// Whether this process can [`read`](Self::read) the memory of `from`.
    pub fn can_read(&self, from: Peer) -> bool {
        self.slot(from).device.can_read(from)
    }

    /// Copies what lies at `address` in the memory of `from`, which takes no part, into `to`. Returns whether that was possible; if
    /// not, `to` may have changed.
    pub fn read(&self, from: Peer, address: u64, to: &mut [u8]) -> bool {
        self.slot(from).device.read(from, address, to)
    }

    /// Copies `from` to `address` in the memory of `to`, which takes no part. Returns whether that was possible; if not, part of it may
    /// have been copied.
    pub fn write(&self, to: Peer, address: u64, from: &[u8]) -> bool {
        self.slot(to).device.write(to, address, from)
    }

    /// By what this process and `other` share the copying of a body that `owner`, one of the two, receives; `None` where the device
    /// does not let both copy.
    pub fn claims(&self, other: Peer, owner: Peer) -> Option<Claims<'_>> {
        self.slot(other).device.claims(owner).map(Claims)
    }

    /// The memory that this process has in common with others, if one of its devices has such.
    pub fn neighbours(&self) -> Option<Arc<dyn Neighbours>> {
        self.devices.iter().find_map(|slot| slot.device.neighbours())
    }

    /// Sends a message of `len` bytes (at most [`max_message`](Self::max_message)) that `fill` writes straight into the device's
    /// room. `false` means not now: no room at the receiver, or something earlier for this peer waits; `fill` has not been
    /// called then, and the caller comes back after its next [`extract`](Self::extract).
    #[inline]
    pub fn try_send(&self, to: Peer, handler: HandlerId, len: usize, fill: impl FnOnce(&mut [u8])) -> bool {
        debug_assert!(len <= self.max_message(to));
        let sent = self.connection(to).lock().start(Header::single(handler), len, fill);
        if sent {
            self.count_sent(handler);
        }
        sent
    }

    /// As [`try_send`](Self::try_send), for a message that lies ready, `head` before `body`.
    #[inline(always)]
    pub fn try_send_from(&self, to: Peer, handler: HandlerId, head: &[u8], body: &[u8]) -> bool {
        debug_assert!(head.len() + body.len() <= self.max_message(to));
        let sent = self.connection(to).lock().start_from(Header::single(handler), head, body);
        if sent {
            self.count_sent(handler);
        }
        sent
    }

    /// Sends a small message that is never refused: what a handler answers. It leaves at once or waits here, in order, for
    /// later extractions and sends to take it along.
    ///
    /// # Panics
    /// When `body` does not fit one packet.
    pub fn control(&self, to: Peer, handler: HandlerId, body: &[u8]) {
        assert!(body.len() <= self.max_message(to), "a control message of {} bytes", body.len());
        let mut connection = self.connection(to).lock();
        if !connection.insist(Header::single(handler), body) {
            self.list_pending(to, &mut connection);
        }
        self.count_sent(handler);
    }

    /// Begins a message of at most `total` bytes, longer than a packet or of parts that come one by one. `None` means not now:
    /// too many streams towards this peer are open.
    pub fn begin(&self, to: Peer, handler: HandlerId, total: u64) -> Option<SendStream> {
        let number = self.connection(to).lock().open_stream()?;
        Some(SendStream::new(to, handler, number, total))
    }

    /// Runs the handlers of what has arrived, for at most `budget` packets, and moves what waits to be sent. Returns how many
    /// packets were handled: 0 also when another thread is extracting.
    #[inline]
    pub fn extract(&self, budget: usize, upcall: &impl Upcall) -> usize {
        self.idle_flush();
        let Some(mut inbound) = self.inbound.try_lock() else {
            return 0;
        };
        let Inbound { inboxes, streams, first_device } = &mut *inbound;
        if let ([inbox], [slot]) = (&mut inboxes[..], &self.devices[..]) {
            return self.extract_from(&mut **inbox, slot, budget, upcall, streams);
        }
        let devices = inboxes.len();
        let first = *first_device;
        *first_device = if first + 1 >= devices { 0 } else { first + 1 };
        let mut handled = 0;
        for index in (first..devices).chain(0..first) {
            handled += self.extract_from(&mut *inboxes[index], &self.devices[index], budget - handled, upcall, streams);
            if handled == budget {
                break;
            }
        }
        handled
    }

    #[inline]
    fn extract_from(
        &self,
        inbox: &mut dyn Inbox,
        slot: &DeviceSlot,
        budget: usize,
        upcall: &impl Upcall,
        streams: &mut Streams,
    ) -> usize {
        if slot.lands {
            return inbox.poll_to(budget, &mut Landings { fm: self, upcall, streams });
        }
        if slot.credits.is_some() {
            return inbox.poll(budget, &mut |from, header, body| self.deliver_counted(from, header, body, upcall, streams));
        }
        inbox.poll(budget, &mut |from, header, body| {
            if streams.deliver(upcall, from, header, body) {
                self.count_received(header);
            }
        })
    }

    /// A packet of a device on which credits are counted.
    fn deliver_counted(&self, from: Peer, header: Header, body: &[u8], upcall: &impl Upcall, streams: &mut Streams) {
        if header.credits() > 0 && !header.is_garbled() {
            self.connection(from).lock().granted(header.credits());
        }
        if streams.deliver(upcall, from, header, body) {
            self.count_received(header);
        }
        if header.kind() != Kind::Credits {
            let mut connection = self.connection(from).lock();
            if !connection.handled() {
                self.list_pending(from, &mut connection);
            }
        }
    }

    /// Whether an extraction would find something, or a send that was refused might now succeed: the last look before
    /// sleeping. Also true while another thread extracts.
    pub fn arrived(&self) -> bool {
        self.inbound.try_lock().is_none_or(|inbound| inbound.inboxes.iter().any(|inbox| inbox.arrived()))
    }

    /// Leaves the job's networks, when every process of the job is about to. Returns whether that is done; until then the caller
    /// goes on extracting and asks again. No message may be sent any more.
    pub fn close(&self) -> bool {
        let Some(mut inbound) = self.inbound.try_lock() else {
            return false;
        };
        let mut closed = true;
        for inbox in &mut inbound.inboxes {
            closed &= inbox.close();
        }
        closed
    }

    /// Whether something waits here to be sent. Until it has left, the process must not stop extracting for good.
    #[inline]
    pub fn pending(&self) -> bool {
        self.pending.count.load(Relaxed) > 0
    }

    /// Moves what waits to be sent without extracting. Returns whether something still waits.
    #[inline]
    pub fn idle_flush(&self) -> bool {
        self.pending() && self.flush_pending()
    }

    #[cold]
    fn flush_pending(&self) -> bool {
        let peers = {
            let mut peers = self.pending.peers.lock();
            self.pending.count.store(0, Relaxed);
            std::mem::take(&mut *peers)
        };
        for peer in peers {
            let mut connection = self.connection(peer).lock();
            connection.listed = false;
            if !connection.flush() {
                self.list_pending(peer, &mut connection);
            }
        }
        self.pending()
    }

    /// Messages sent and received so far, when they are counted.
    pub fn counts(&self) -> Option<Counts> {
        let read = |counters: &[AtomicU64; 256]| std::array::from_fn(|handler| counters[handler].load(Relaxed));
        self.counters.as_ref().map(|counters| Counts { sent: read(&counters.sent), received: read(&counters.received) })
    }

    #[inline]
    pub(crate) fn connection(&self, to: Peer) -> &ThreadLock<Connection> {
        self.connections[to.index()].get_or_init(|| self.connect(to))
    }

    #[cold]
    fn connect(&self, to: Peer) -> Box<ThreadLock<Connection>> {
        let slot = self.slot(to);
        Box::new(ThreadLock::new(self.threading, Connection::new(slot.device.link(to), slot.credits)))
    }

    #[inline]
    fn slot(&self, to: Peer) -> &DeviceSlot {
        self.devices.get(usize::from(self.route[to.index()])).expect("messages to oneself enter no device")
    }

    /// Notes that `peer` has something waiting, for the flushes to come.
    pub(crate) fn list_pending(&self, peer: Peer, connection: &mut Guard<'_, Connection>) {
        if !std::mem::replace(&mut connection.listed, true) {
            let mut peers = self.pending.peers.lock();
            peers.push(peer);
            self.pending.count.store(peers.len(), Relaxed);
        }
    }

    /// A message has begun to arrive.
    #[inline]
    fn count_received(&self, header: Header) {
        if let Some(counters) = &self.counters {
            counters.received[usize::from(header.handler().0)].fetch_add(1, Relaxed);
        }
    }

    #[inline]
    pub(crate) fn count_sent(&self, handler: HandlerId) {
        if let Some(counters) = &self.counters {
            counters.sent[usize::from(handler.0)].fetch_add(1, Relaxed);
        }
    }
}

/// Where the packets of a device go that reads long ones in place. It counts no credits.
struct Landings<'e, U> {
    fm: &'e Fm,
    upcall: &'e U,
    streams: &'e mut Streams,
}

impl<U: Upcall> Sink for Landings<'_, U> {
    #[inline]
    fn packet(&mut self, from: Peer, header: Header, body: &[u8]) {
        if self.streams.deliver(self.upcall, from, header, body) {
            self.fm.count_received(header);
        }
    }

    fn place(&mut self, from: Peer, header: Header, head: &[u8], len: usize) -> Option<Landing> {
        if !header.is_single() {
            return None;
        }
        let landing = self.upcall.place(from, header.handler(), head, len)?;
        self.fm.count_received(header);
        Some(landing)
    }

    fn land(&mut self, from: Peer, landing: Landing, at: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize) {
        self.upcall.land(from, landing, at, fill);
    }
}

/// The route to oneself.
const NOWHERE: u8 = u8::MAX;

/// Packets smaller than this could not carry a long message's length and some of its bytes.
const MIN_PACKET: usize = 32;

/// The peers with something waiting to be sent.
struct Pending {
    /// Their number, to be read without the lock.
    count: AtomicUsize,
    peers: ThreadLock<Vec<Peer>>,
}

struct Counters {
    sent: [AtomicU64; 256],
    received: [AtomicU64; 256],
}

impl Default for Counters {
    fn default() -> Self {
        let zeros = || std::array::from_fn(|_| AtomicU64::new(0));
        Counters { sent: zeros(), received: zeros() }
    }
}

/// Messages by handler id.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Counts {
    pub sent: [u64; 256],
    pub received: [u64; 256],
}
