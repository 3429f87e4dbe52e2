//! How a process waits: a short spin, then it lets others have the core, then it sleeps on its doorbell: the futex, or, beside
//! another device, a socket.

use crate::cores::{self, Room};
use crate::doorbell::{AWAKE, Barrier, ON_SOCKETS, STATE_BITS};
use crate::layout::Control;
use crate::ring::Line;
use crate::segment::Part;
use crate::shared::Shared;
use crate::socket::Socket;
use crate::sys;
use fm::{Crowding, Park, Waits};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

pub struct SmpPark {
    shared: Arc<Shared>,
    spins: Spins,
    /// With a core for each process, an answer is usually under way on another core. Without, a spin would only keep the core from whom
    /// we wait for.
    may_spin: AtomicBool,
    /// Whether that may change.
    open: AtomicBool,
    /// How many cores the node's processes may use at a time.
    limit: usize,
    waits: Waits,
    /// The node's, not the process's.
    crowding: Part<Line<Crowding>>,
    /// When the wait that is under way, or was last, yielded first: nanoseconds.
    yielding_since: AtomicU64,
    /// Threads of this process on their way to sleep, asleep, or on their way back. The last one back says that the process
    /// is awake; while others still sleep it must stay known as asleep.
    sleepers: Mutex<Sleepers>,
    elsewhere: Option<Elsewhere>,
}

#[derive(Default)]
struct Sleepers {
    count: u32,
    /// How often a thread has said that it sleeps. Part of what it says: else a thread that is woken before it sleeps, and finds the
    /// doorbell saying again what it had said itself, because another thread went to sleep meanwhile, would sleep after all.
    announced: u32,
}

/// The rest of what a process waits for that has another device.
struct Elsewhere {
    socket: Socket,
    sleep: Sleep,
}

/// Sleeps until another device has something, the descriptor is readable, or the time has passed.
pub type Sleep = Box<dyn Fn(BorrowedFd<'_>, Option<Duration>) + Send + Sync>;

/// A wait that has yielded for so long sleeps, unless it has had the core for a few times only.
const YIELDS_FOR: u64 = 1_000_000;
const YIELDS_MIN: u32 = 20;
/// No wait yields more often: a fault of the clock does no harm.
const YIELDS_MAX: u32 = 1 << 20;

/// How long a wait spins, in polls of some 20 ns.
///
/// To be woken costs about as much as the longest spin, so that a spin in vain at most doubles the price of a wait. Where spins
/// are in vain again and again, because whom we wait for computes or has lost its core to another job, they get short; they
/// get long again as soon as short ones are enough.
struct Spins {
    limit: AtomicU32,
    /// The latest poll of the wait that is under way, or was last.
    round: AtomicU32,
}

const SPINS_MIN: u32 = 60;
const SPINS_MAX: u32 = 1500;

impl Spins {
    fn new() -> Self {
        Spins { limit: AtomicU32::new(SPINS_MAX), round: AtomicU32::new(0) }
    }

    /// How many polls of the wait that is in its poll number `round` are to be spun.
    #[inline]
    fn limit(&self, round: u32) -> u32 {
        let limit = self.limit.load(Relaxed);
        let limit = if round == 0 { self.learn(limit) } else { limit };
        self.round.store(round, Relaxed);
        limit
    }

    /// A wait begins: the last one's length tells how long this one may spin.
    #[inline]
    fn learn(&self, limit: u32) -> u32 {
        let enough = self.round.load(Relaxed) < limit;
        let next = if enough { (2 * limit).min(SPINS_MAX) } else { (limit / 2).max(SPINS_MIN) };
        self.limit.store(next, Relaxed);
        next
    }
}

impl SmpPark {
    pub(crate) fn new(shared: Arc<Shared>, limit: usize) -> Self {
        let cores = limit.min(sys::processors_there()).max(1);
        let park = SmpPark {
            spins: Spins::new(),
            may_spin: AtomicBool::new(false),
            open: AtomicBool::new(true),
            limit,
            waits: Waits::new(shared.me as u32, shared.segment.ranks().div_ceil(cores)),
            crowding: Part::new(&shared.segment, |segment| &segment.control(0).crowding),
            yielding_since: AtomicU64::new(0),
            sleepers: Mutex::default(),
            elsewhere: None,
            shared,
        };
        park.count_cores();
        park
    }

    /// Whether to spin, as far as is known by now.
    #[cold]
    fn count_cores(&self) {
        let room = cores::room(&self.shared.segment, self.limit);
        self.may_spin.store(room == Room::Enough, Relaxed);
        self.open.store(room == Room::NotYet, Relaxed);
    }

    pub(crate) fn beside(shared: Arc<Shared>, limit: usize, sleep: Sleep) -> io::Result<Self> {
        let socket = Socket::new()?;
        // Before any state that says we sleep there: the barrier between state and last look orders this, too.
        shared.segment.control(shared.me).socket.0.store(socket.name, Relaxed);
        Ok(SmpPark { elsewhere: Some(Elsewhere { socket, sleep }), ..SmpPark::new(shared, limit) })
    }

    fn control(&self) -> &Control {
        self.shared.segment.control(self.shared.me)
    }

    /// Sleeps while the doorbell says `state`.
    fn wait(&self, state: u32) {
        // Without membarrier the others' fences do; should they have it while we have not, a millisecond is the worst.
        let limit = (!self.shared.barrier.works()).then_some(Duration::from_millis(1));
        match &self.elsewhere {
            None => sys::futex_wait(&self.control().doorbell.0.word, state, limit),
            // Whoever wakes us after the last look leaves a datagram there.
            Some(elsewhere) => (elsewhere.sleep)(elsewhere.socket.as_fd(), limit),
        }
    }

    fn sleep(&self, arrived: &dyn Fn() -> bool) {
        let shared = &*self.shared;
        let doorbell = &self.control().doorbell.0;
        let state = {
            // Under the lock: what one thread waits for must not be overwritten by another that looked earlier.
            let mut sleepers = self.lock_sleepers();
            sleepers.count += 1;
            sleepers.announced = sleepers.announced.wrapping_add(1);
            let on_sockets = if self.elsewhere.is_some() { ON_SOCKETS } else { 0 };
            let state = shared.sleep_state() | on_sockets | sleepers.announced << STATE_BITS;
            doorbell.announce(state, &shared.barrier);
            state
        };
        if !arrived() {
            self.wait(state);
        }
        let mut sleepers = self.lock_sleepers();
        sleepers.count -= 1;
        if sleepers.count == 0 {
            doorbell.awake();
            // The last one, since until then the datagram wakes the others.
            if let Some(elsewhere) = &self.elsewhere {
                elsewhere.socket.clear();
            }
        }
    }

    fn lock_sleepers(&self) -> MutexGuard<'_, Sleepers> {
        self.sleepers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SmpPark {
    /// Lets another process have the core, and notes whether that was dear.
    fn yield_core(&self, now: u64) {
        sys::yield_core();
        self.waits.yielded(&self.crowding.0, now, sys::now());
    }

    /// A wait's fruitless poll after `yields` others that spinning has not served either. Returns false when it is time to sleep.
    fn yield_for_a_while(&self, yields: u32) -> bool {
        let now = sys::now();
        if yields == 0 {
            if self.open.load(Relaxed) {
                self.count_cores();
            }
            self.waits.begins(&self.crowding.0, now);
            self.yielding_since.store(now, Relaxed);
        }
        let since = self.yielding_since.load(Relaxed);
        let long = yields >= YIELDS_MIN && now.saturating_sub(since) > YIELDS_FOR || yields > YIELDS_MAX;
        if long || self.crowding.0.is_crowded(now) {
            return false;
        }
        self.yield_core(now);
        true
    }
}

impl Park for SmpPark {
    fn idle(&self, round: u32, arrived: &dyn Fn() -> bool) {
        let spins = if self.may_spin.load(Relaxed) { self.spins.limit(round) } else { 0 };
        if round < spins {
            // Also in the first polls: without a pause the line's arrival costs more than a pause delays it.
            std::hint::spin_loop();
        } else if !self.yield_for_a_while(round - spins) {
            self.sleep(arrived);
        }
    }

    fn give_way(&self, round: u32) {
        // Also with a core for each process of the job here: those of other jobs and hosts may be on the same cores.
        let often = if self.may_spin.load(Relaxed) { 100 } else { 5 };
        if round.is_multiple_of(often) {
            let now = sys::now();
            if !self.crowding.0.is_crowded(now) {
                self.yield_core(now);
            }
        }
    }

    fn has_cores(&self) -> bool {
        self.may_spin.load(Relaxed)
    }

    fn wake(&self) {
        self.shared.barrier.light();
        let control = self.control();
        let word = &control.doorbell.0.word;
        let state = word.load(Relaxed);
        if state != AWAKE {
            word.store(AWAKE, Relaxed);
            self.shared.wake(control, state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits that each take so many polls; how long the next one may spin.
    fn after(waits: &[u32]) -> u32 {
        let spins = Spins::new();
        waits.iter().for_each(|&polls| (0..polls).for_each(|round| _ = spins.limit(round)));
        spins.limit(0)
    }

    #[test]
    fn vain_spins_get_short_and_long_again() {
        assert_eq!(after(&[]), SPINS_MAX);
        assert_eq!(after(&[2 * SPINS_MAX; 10]), SPINS_MIN);
        assert_eq!(after(&[[2 * SPINS_MAX; 10], [10; 10]].concat()), SPINS_MAX);
    }
}
