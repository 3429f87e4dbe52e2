//! What the links and the inbox of one process share: a flow to each peer, and the sockets.

use crate::card::{Card, DATAGRAM_MIN, Key, tag};
use crate::fault::{Cuts, Faults};
use crate::outbox::Outbox;
use crate::sys::{Address, Poller, Socket, Train};
use crate::{Log, Network};
use fm::reliability::{Flow, OVERHEAD, Settings};
use fm::Peer;
use parking_lot::Mutex;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

/// The two fabrics, X and Y.
pub const FABRICS: usize = 2;

/// Before the frame: the sender's number, and the tag of this direction between the two.
pub const HEAD: usize = 4 + TAG;
const TAG: usize = 8;

/// No time at all.
const NEVER: u64 = u64::MAX;

/// So many packets of a flow may be on their way: half a megabyte with datagrams of Ethernet's size.
const WINDOW: u32 = 1024;

pub struct Shared {
    pub me: Peer,
    card: Card,
    sockets: [Socket; FABRICS],
    pub poller: Poller,
    /// By peer; `None` for those that are reached otherwise.
    peers: Box<[Option<Remote>]>,
    datagram_max: usize,
    outbox: Mutex<Outbox>,
    /// Peers whose flows have something to send later.
    pub waiting: Mutex<Vec<Peer>>,
    /// When the first of them has.
    deadline_ns: AtomicU64,
    /// Links that were refused, would lend now, and have not been asked since.
    pub freed: AtomicUsize,
    start: Instant,
    cuts: Arc<Cuts>,
    counts: Counts,
    log: Log,
}

/// A peer that is reached by this device.
struct Remote {
    /// By fabric.
    addresses: [Address; FABRICS],
    card: Card,
    /// Of what we send, and of what it sends.
    tags: [[u8; TAG]; 2],
    /// Made at first contact.
    line: OnceLock<Mutex<Line>>,
}

/// The way to a peer.
pub struct Line {
    pub flow: Flow,
    pub refusal: Refusal,
    /// For so many packets of the flow room was asked last.
    pub wanted: usize,
    /// It is among those that wait.
    is_waiting: bool,
    faults: Option<Box<[Faults; FABRICS]>>,
}

/// Whether a sender is waiting for room.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    None,
    /// It was told that there is none.
    Told,
    /// There is some now, and it has not come back yet.
    Over,
}

/// Datagrams that were dropped.
#[derive(Default)]
pub struct Counts {
    /// Nobody of the job has sent them, or they were changed on the way.
    pub strange: AtomicU64,
    /// A flow had no use for them.
    pub refused: AtomicU64,
}

impl Shared {
    pub fn new(sockets: [Socket; FABRICS], card: Card, network: Network) -> io::Result<Shared> {
        let Network { me, key, peers, faults, cuts, log, .. } = network;
        let poller = Poller::new(&sockets)?;
        let mut datagram_max = usize::from(card.datagram_max);
        let remote = |(number, contact): (u32, Option<crate::Contact>)| {
            let Some(crate::Contact { card: its, addresses }) = contact else { return Ok(None) };
            datagram_max = datagram_max.min(its.datagram_max.into());
            let at = |fabric: usize| sockets[fabric].address(SocketAddr::new(addresses[fabric], its.ports[fabric]));
            let tags = tags(&key, (me, &card), (Peer(number), &its));
            Ok(Some(Remote { addresses: [at(0)?, at(1)?], card: its, tags, line: OnceLock::new() }))
        };
        let peers: Box<[_]> = (0..).zip(peers).map(remote).collect::<io::Result<_>>()?;
        assert!(datagram_max >= DATAGRAM_MIN, "cards say so");
        let mut shared = Shared {
            me,
            card,
            sockets,
            poller,
            peers,
            datagram_max,
            outbox: Mutex::new(Outbox::new(datagram_max)),
            waiting: Mutex::new(Vec::new()),
            deadline_ns: AtomicU64::new(NEVER),
            freed: AtomicUsize::new(0),
            start: Instant::now(),
            cuts,
            counts: Counts::default(),
            log,
        };
        if let Some(plan) = faults {
            for (peer, remote) in shared.peers.iter_mut().enumerate() {
                let Some(remote) = remote else { continue };
                let line = Line::new(&card, &remote.card);
                let stream = |fabric: u64| (u64::from(me.0) << 32 | peer as u64) << 1 | fabric;
                let faults = Some(Box::new([Faults::new(plan, stream(0)), Faults::new(plan, stream(1))]));
                remote.line = OnceLock::from(Mutex::new(Line { faults, ..line }));
            }
        }
        Ok(shared)
    }

    /// Bytes that one packet of a flow holds.
    pub fn piece(&self) -> usize {
        self.datagram_max - HEAD - OVERHEAD
    }

    /// Nanoseconds since this process has joined.
    pub fn now_ns(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }

    /// Number of processes in the job.
    pub fn peers(&self) -> usize {
        self.peers.len()
    }

    pub fn socket(&self, fabric: usize) -> &Socket {
        &self.sockets[fabric]
    }

    /// When there is something to send, if nothing arrives before.
    pub fn deadline_ns(&self) -> Option<u64> {
        Some(self.deadline_ns.load(Relaxed)).filter(|deadline_ns| *deadline_ns != NEVER)
    }

    pub fn line(&self, peer: Peer) -> &Mutex<Line> {
        self.known_line(peer).expect("a peer is asked for that is reached otherwise")
    }

    fn known_line(&self, peer: Peer) -> Option<&Mutex<Line>> {
        let remote = self.peers.get(peer.index())?.as_ref()?;
        Some(remote.line.get_or_init(|| Mutex::new(Line::new(&self.card, &remote.card))))
    }

    /// All lines that are there.
    pub fn lines(&self) -> impl Iterator<Item = &Mutex<Line>> {
        self.peers.iter().flatten().filter_map(|remote| remote.line.get())
    }

    /// Whom a datagram that came by a fabric is from, and the frame in it; `None` for what nobody of the job has sent.
    pub fn open<'d>(&self, fabric: usize, datagram: &'d [u8]) -> Option<(Peer, &'d [u8])> {
        if self.cuts.is_cut(fabric) {
            return None;
        }
        let parts = datagram.split_first_chunk::<4>().and_then(|(number, rest)| Some((number, rest.split_first_chunk::<TAG>()?)));
        let known = parts.and_then(|(number, (tag, frame))| {
            let peer = Peer(u32::from_le_bytes(*number));
            let remote = self.peers.get(peer.index())?.as_ref()?;
            (remote.tags[1] == *tag).then_some((peer, frame))
        });
        if known.is_none() {
            self.dropped(&self.counts.strange, "is nobody's of this job, or was changed on its way");
        }
        known
    }

    /// A flow had no use for a frame: the network has repeated, garbled or kept it.
    pub fn refused(&self) {
        self.counts.refused.fetch_add(1, Relaxed);
    }

    fn dropped(&self, count: &AtomicU64, what: &str) {
        let count = count.fetch_add(1, Relaxed) + 1;
        if 10u64.pow(count.ilog10()) == count {
            (self.log)(&format!("a datagram {what}: it was dropped (number {count})"));
        }
    }

    /// Sends what is due to a peer.
    pub fn transmit(&self, to: Peer, line: &mut Line, now_ns: u64) {
        let Some(remote) = &self.peers[to.index()] else { return };
        let mut outbox = self.outbox.lock();
        let mut head = [0; HEAD];
        head[..4].copy_from_slice(&self.me.0.to_le_bytes());
        head[4..].copy_from_slice(&remote.tags[0]);
        while outbox.fill(&mut line.flow, now_ns, &head) {
            self.hand_over(&mut outbox, remote, line);
        }
        self.hand_over(&mut outbox, remote, line);
        drop(outbox);
        if line.refusal == Refusal::Told && line.flow.room() >= line.wanted {
            line.refusal = Refusal::Over;
            self.freed.fetch_add(1, Relaxed);
        }
        if let Some(deadline_ns) = line.flow.deadline_ns() {
            self.deadline_ns.fetch_min(deadline_ns, Relaxed);
            if !std::mem::replace(&mut line.is_waiting, true) {
                self.waiting.lock().push(to);
            }
        }
    }

    fn hand_over(&self, outbox: &mut Outbox, remote: &Remote, line: &mut Line) {
        for (fabric, carriage) in outbox.carriages.iter_mut().enumerate() {
            if !self.cuts.is_cut(fabric) {
                let to = &remote.addresses[fabric];
                match &mut line.faults {
                    None => carriage.send(&self.sockets[fabric], to),
                    Some(faults) => carriage.datagrams().for_each(|datagram| {
                        let mut send = |bytes: &[u8]| self.sockets[fabric].send(&[Train { to, bytes, segment: bytes.len().max(1) }]);
                        faults[fabric].pass(datagram, &mut send);
                    }),
                }
            }
            carriage.clear();
        }
    }

    /// Sends what time alone has made due.
    pub fn transmit_due(&self, now_ns: u64) {
        if self.deadline_ns.load(Relaxed) > now_ns {
            return;
        }
        self.deadline_ns.store(NEVER, Relaxed);
        let waiting = std::mem::take(&mut *self.waiting.lock());
        for peer in waiting {
            let mut line = self.line(peer).lock();
            line.is_waiting = false;
            self.transmit(peer, &mut line, now_ns);
        }
    }
}

fn tags(key: &Key, ours: (Peer, &Card), theirs: (Peer, &Card)) -> [[u8; TAG]; 2] {
    [tag(key, ours, theirs), tag(key, theirs, ours)]
}

impl Line {
    fn new(own: &Card, its: &Card) -> Line {
        let settings = Settings { peer: Some(its.incarnation), paths: FABRICS as u8, window: WINDOW, ..Settings::new(own.incarnation) };
        Line { flow: Flow::new(settings), refusal: Refusal::None, wanted: 1, is_waiting: false, faults: None }
    }
}
