//! What the links, the inbox and the park of one process share.

use crate::cores;
use crate::doorbell::{ASLEEP, ASLEEP_FOR_ROOM, ON_SOCKETS};
use crate::layout::{Control, DIRECT_MAX};
use crate::pool::Pool;
use crate::reading::Readers;
use crate::segment::Segment;
use crate::socket::Caller;
use crate::sys::{self, Membarrier};
use fm::answer::Sent;
use fm::{Peer, ThreadLock, Threading};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, OnceLock};

pub struct Shared {
    pub segment: Arc<Segment>,
    /// This process's number among those of the segment.
    pub me: usize,
    /// The job's number of each process of the segment.
    pub peers: Box<[Peer]>,
    numbers: Numbers,
    pub barrier: Membarrier,
    pub pool: ThreadLock<Pool>,
    readers: Readers,
    /// How many messages this process has been waiting for when they came, as far as polls tell, modulo 2^32.
    awaited: AtomicU32,
    /// The last message that is likely to be answered at once.
    pub sent: Sent,
    /// What was refused for want of room, and has not been tried again.
    refusals: ThreadLock<Vec<Refusal>>,
    /// Made when the first process has to be woken that sleeps on sockets.
    caller: OnceLock<Caller>,
}

/// Processes of the segment by their number in the job.
struct Numbers(Box<[(Peer, usize)]>);

impl Numbers {
    fn new(peers: &[Peer]) -> Numbers {
        let mut numbers: Box<[_]> = peers.iter().copied().zip(0..).collect();
        numbers.sort_unstable();
        Numbers(numbers)
    }

    fn of(&self, peer: Peer) -> usize {
        self.find(peer).expect("the route leads to a process of this node")
    }

    fn find(&self, peer: Peer) -> Option<usize> {
        let place = self.0.binary_search_by_key(&peer, |&(peer, _)| peer).ok()?;
        Some(self.0[place].1)
    }
}

struct Refusal {
    to: usize,
    /// Who can make room: the receiver, or, when the pool is empty, whoever holds large cells.
    watched: usize,
    /// How many cells it had passed when there was no room.
    head: u32,
}

impl Shared {
    pub fn new(segment: Segment, me: usize, peers: Box<[Peer]>, threading: Threading) -> Self {
        let ranks = segment.ranks();
        assert!(me < ranks && peers.len() == ranks);
        cores::publish(segment.control(me));
        Shared {
            readers: Readers::publish(&segment, me),
            numbers: Numbers::new(&peers),
            segment: Arc::new(segment),
            me,
            peers,
            barrier: Membarrier::register(),
            pool: ThreadLock::new(threading, Pool::new(ranks)),
            awaited: AtomicU32::new(0),
            sent: Sent::default(),
            refusals: ThreadLock::new(threading, Vec::new()),
            caller: OnceLock::new(),
        }
    }

    /// The number in the segment of a process of this node.
    pub fn number_of(&self, peer: Peer) -> usize {
        self.numbers.of(peer)
    }

    /// The number in the segment of any process of the job, if it is one of this node.
    pub fn find(&self, peer: Peer) -> Option<usize> {
        self.numbers.find(peer)
    }

    /// Whether others had better not write into this process's memory.
    pub fn is_watched(&self) -> bool {
        self.readers.watched
    }

    /// The process number of `peer`, if its memory can be read.
    pub fn readable(&self, peer: Peer) -> Option<u32> {
        self.readers.find(&self.segment, self.number_of(peer))
    }

    /// Whether receivers look at every ring.
    #[inline]
    pub fn direct(&self) -> bool {
        self.segment.ranks() <= DIRECT_MAX
    }

    /// See [`came_while_waiting`](Self::came_while_waiting).
    #[inline]
    pub fn awaited(&self) -> u32 {
        self.awaited.load(Relaxed)
    }

    /// A message was found by a poll after one in vain.
    #[inline]
    pub fn came_while_waiting(&self) {
        // Not a read-modify-write: one thread at a time receives.
        self.awaited.store(self.awaited.load(Relaxed).wrapping_add(1), Relaxed);
    }

    /// A packet for `to` was refused. Each of `watched`, at the number of cells it was seen to have passed, may make room for
    /// it by passing more.
    pub fn refused(&self, to: usize, watched: impl Iterator<Item = (u32, u32)>) {
        let mut refusals = self.refusals.lock();
        refusals.retain(|refusal| refusal.to != to);
        refusals.extend(watched.map(|(watched, head)| Refusal { to, watched: watched as usize, head }));
    }

    /// A packet for `to` has found room, after a refusal.
    pub fn accepted(&self, to: usize) {
        self.refusals.lock().retain(|refusal| refusal.to != to);
    }

    /// Whether a packet that was refused, and not tried again since, may find room now.
    pub fn room_again(&self) -> bool {
        let moved = |refusal: &Refusal| self.segment.ring(self.me, refusal.watched).head() != refusal.head;
        self.refusals.lock().iter().any(moved)
    }

    /// How this process sleeps now.
    pub fn sleep_state(&self) -> u32 {
        if self.refusals.lock().is_empty() { ASLEEP } else { ASLEEP_FOR_ROOM }
    }

    /// A message was left for the owner of `control`: wakes it if it sleeps.
    #[inline]
    pub fn wake_for_message(&self, control: &Control) {
        let doorbell = &control.doorbell.0;
        if let Some(state) = doorbell.rings(&self.barrier) {
            self.wake(control, state);
        }
    }

    /// The owner of `control` has room in a ring of ours: wakes it if it sleeps for that.
    #[inline]
    pub fn wake_for_room(&self, control: &Control) {
        let doorbell = &control.doorbell.0;
        if let Some(state) = doorbell.rings_for_room(&self.barrier) {
            self.wake(control, state);
        }
    }

    /// Wakes the owner of `control`, whose doorbell said `state` and says awake by now.
    #[cold]
    pub fn wake(&self, control: &Control, state: u32) {
        if state & ON_SOCKETS == 0 {
            sys::futex_wake(&control.doorbell.0.word);
        } else {
            self.caller.get_or_init(Caller::new).ring(control.socket.0.load(Relaxed));
        }
    }
}
