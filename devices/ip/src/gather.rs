//! Packets that wait for each other.
//!
//! A write to a socket costs as much as putting a hundred small packets together: the kernel carries the bytes all the way to the next
//! host's door before it returns. So of packets that follow each other quickly the first goes at once, and the others gather behind it
//! until
//!
//! - the process polls: whoever waits for something lets go first of what it has,
//! - [`MOST`] bytes are there, or a packet comes when the last write is longer than [`INTERVAL`] ago,
//! - the [`Flusher`], a thread of this device, comes by: the process computes and does neither.
//!
//! Where the process has polled since the last write, nothing is held back: that is a dialogue, and everything in it is waited for.

use crate::lane;
use crate::shared::Shared;
use fm::{Peer, ThreadLock, Threading};
use std::sync::atomic::{AtomicU8, AtomicU32, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, OnceLock, Weak};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

/// So many bytes go at once. More of them together would not be cheaper, and the receiver would have nothing to do meanwhile.
pub const MOST: usize = 32 << 10;

/// Packets follow each other quickly when they come within this time. It is about what a write takes, so that the process spends at most
/// half of its time with writes.
const INTERVAL: Duration = Duration::from_micros(8);

/// How old what has gathered may become when the process does nothing about it, and as often the flusher looks.
const PATIENCE: Duration = Duration::from_micros(100);

/// When one peer was written to last, and when what waits began to gather.
pub struct Pace {
    written: Instant,
    /// [`Gatherings::polls`] then.
    polls: u32,
    /// Packets gather: they wait for no room, but for each other.
    pub gathering: bool,
    since: Instant,
    /// The peer is in the list.
    listed: bool,
}

impl Pace {
    pub fn new() -> Self {
        let now = Instant::now();
        Pace { written: now, polls: u32::MAX, gathering: false, since: now, listed: false }
    }

    /// Something has been written.
    #[inline]
    pub fn wrote(&mut self, shared: &Shared) {
        self.gathering = false;
        self.written = Instant::now();
        self.polls = shared.gatherings.polls.load(Relaxed);
    }

    /// Whether a packet comes that quickly after another one.
    #[inline]
    pub fn is_quick(&self, shared: &Shared) -> bool {
        self.polls == shared.gatherings.polls.load(Relaxed) && self.written.elapsed() < INTERVAL
    }

    /// The first packet gathers. Returns whether it may: somebody has to see to it that it leaves.
    pub fn begin(&mut self, shared: &Shared, peer: Peer) -> bool {
        if !shared.gatherings.flusher.is_there() {
            return false;
        }
        self.gathering = true;
        self.since = Instant::now();
        self.list(shared, peer);
        shared.gatherings.flusher.call(QUICK);
        true
    }

    fn list(&mut self, shared: &Shared, peer: Peer) {
        if !std::mem::replace(&mut self.listed, true) {
            shared.gatherings.list.lock().push(peer);
            shared.gatherings.count.fetch_add(1, SeqCst);
        }
    }
}

/// Where packets gather, of one process.
pub struct Gatherings {
    /// Counts the process's polls.
    polls: AtomicU32,
    /// Peers for whom packets gather, or did, and their number.
    list: ThreadLock<Vec<Peer>>,
    count: AtomicUsize,
    flusher: Flusher,
}

impl Gatherings {
    pub fn new(shared: Weak<Shared>) -> Self {
        Gatherings {
            polls: AtomicU32::new(0),
            // The flusher is a thread more than the program has.
            list: ThreadLock::new(Threading::Multiple, Vec::new()),
            count: AtomicUsize::new(0),
            flusher: Flusher { shared, thread: OnceLock::new(), pace: Arc::new(AtomicU8::new(ASLEEP)) },
        }
    }

    /// Whether somebody will look at what is kept.
    pub fn may_keep(&self) -> bool {
        self.flusher.is_there()
    }

    /// Something is kept: it is in its list already.
    #[inline]
    pub fn keeps(&self) {
        self.flusher.call(SLOW);
    }

    /// The process polls.
    #[inline]
    pub fn polled(&self, shared: &Shared) {
        self.polls.store(self.polls.load(Relaxed).wrapping_add(1), Relaxed);
        if self.count.load(Relaxed) > 0 {
            self.flush(shared, Duration::ZERO);
        }
    }

    /// Lets go of what has gathered for so long.
    #[cold]
    fn flush(&self, shared: &Shared, age: Duration) {
        let peers = std::mem::take(&mut *self.list.lock());
        self.count.fetch_sub(peers.len(), SeqCst);
        for peer in peers {
            let mut sending = shared.peers[peer.index()].lock();
            sending.pace.listed = false;
            if sending.pace.gathering {
                if age.is_zero() || sending.pace.since.elapsed() >= age {
                    sending.flush(shared);
                } else {
                    sending.pace.list(shared, peer);
                }
            }
        }
    }
}

/// The thread that lets go of what a process leaves behind that computes, and sees to [what is kept](crate::lane). It sleeps unless packets
/// have gathered of late, or are kept.
struct Flusher {
    shared: Weak<Shared>,
    /// `None` inside: there can be none, and nothing gathers or is kept.
    thread: OnceLock<Option<Thread>>,
    pace: Arc<AtomicU8>,
}

/// It sleeps.
const ASLEEP: u8 = 0;
/// It looks as often as what is kept needs it.
const SLOW: u8 = 1;
/// It looks as often as what gathers needs it.
const QUICK: u8 = 2;

/// Looks in vain before it looks less often, or sleeps.
const VAIN: u32 = 20;

impl Flusher {
    #[inline]
    fn is_there(&self) -> bool {
        self.thread.get_or_init(|| self.start()).is_some()
    }

    #[cold]
    fn start(&self) -> Option<Thread> {
        let (shared, pace) = (self.shared.clone(), Arc::clone(&self.pace));
        let builder = thread::Builder::new().name("hpvm-ip".into()).stack_size(128 << 10);
        builder.spawn(move || run(&shared, &pace)).ok().map(|handle| handle.thread().clone())
    }

    /// Something is in a list for which it has to look that often.
    #[inline]
    fn call(&self, pace: u8) {
        if self.pace.load(SeqCst) < pace {
            self.wake(pace);
        }
    }

    #[cold]
    fn wake(&self, pace: u8) {
        self.pace.fetch_max(pace, SeqCst);
        if let Some(Some(thread)) = self.thread.get() {
            thread.unpark();
        }
    }
}

impl Drop for Flusher {
    fn drop(&mut self) {
        self.wake(QUICK);
    }
}

fn run(shared: &Weak<Shared>, pace: &AtomicU8) {
    let mut vain = 0;
    loop {
        match pace.load(SeqCst) {
            ASLEEP => thread::park(),
            SLOW => thread::park_timeout(lane::PATIENCE),
            _ => thread::sleep(PATIENCE),
        }
        let Some(shared) = shared.upgrade() else { return };
        let now = pace.load(SeqCst);
        vain += 1;
        if shared.gatherings.count.load(SeqCst) > 0 {
            shared.gatherings.flush(&shared, PATIENCE);
            vain = 0;
        }
        if shared.kept.is_any() {
            shared.kept.look(&shared, lane::PATIENCE);
            vain = if now == SLOW { 0 } else { vain };
        }
        if vain < VAIN || now == ASLEEP {
            continue;
        }
        vain = 0;
        // Who lists a peer after this calls us, and what was listed before we see here.
        let _ = pace.compare_exchange(now, now - 1, SeqCst, SeqCst);
        if shared.gatherings.count.load(SeqCst) > 0 {
            pace.store(QUICK, SeqCst);
        } else if shared.kept.is_any() {
            pace.fetch_max(SLOW, SeqCst);
        }
    }
}
