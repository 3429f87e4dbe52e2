//! How a process waits that has no other device: it looks for a while, lets others have the core, then sleeps on its sockets.

use crate::shared::Shared;
use crate::sys::{self, Bell};
use fm::{Crowding, Park, Waits};
use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Instant;

/// With a core for each process a wait that is not crowded goes on looking for so long: an answer of 64 KiB takes half of it, and the first
/// that comes while this process yields is late.
const LOOKS_FOR: u64 = 60_000;

/// A wait that has yielded for so long sleeps, unless it has had the core for a few times only (decision 11).
const YIELDS_FOR: u64 = 1_000_000;
const YIELDS_MIN: u32 = 20;

pub struct IpPark {
    shared: Arc<Shared>,
    /// Fruitless polls that pass before the core is offered to others. Each is a system call.
    spins: u32,
    /// How long it looks on after these, in nanoseconds; and in which round it did so last.
    looks_for: u64,
    looked: AtomicU32,
    /// When the wait that is under way, or was last, had spun: nanoseconds.
    yielding_since: AtomicU64,
    /// Each process finds out for itself.
    crowding: Crowding,
    waits: Waits,
    /// What times are counted from.
    start: Instant,
    bell: Bell,
    /// Threads of this process on their way to sleep, asleep, or on their way back.
    sleepers: AtomicUsize,
}

impl IpPark {
    pub(crate) fn new(shared: Arc<Shared>, processes: usize, cores: usize) -> io::Result<Self> {
        // With a core for each process an answer is awaited for about as long as it takes to wake a sleeper.
        let (spins, looks_for) = if processes <= cores { (60, LOOKS_FOR) } else { (0, 0) };
        let waits = Waits::new(0, processes.div_ceil(cores));
        let (crowding, start, sleepers) = (Crowding::default(), Instant::now(), AtomicUsize::new(0));
        let (looked, yielding_since, bell) = (AtomicU32::new(0), AtomicU64::new(0), Bell::new()?);
        Ok(IpPark { shared, spins, looks_for, looked, yielding_since, crowding, waits, start, bell, sleepers })
    }

    fn sleep(&self, arrived: &dyn Fn() -> bool) {
        // Before the last look: who completes something after it sees us here, in `wake`.
        self.sleepers.fetch_add(1, SeqCst);
        if !arrived() {
            self.shared.sleep(self.bell.as_fd());
        }
        // The last one to get up clears the bell, which until then wakes the others.
        if self.sleepers.fetch_sub(1, SeqCst) == 1 {
            self.bell.clear();
        }
    }
}

impl IpPark {
    /// Lets another process have the core, and notes whether that was dear.
    fn yield_core(&self) {
        let before = self.now();
        sys::yield_core();
        self.waits.yielded(&self.crowding, before, self.now());
    }

    fn is_crowded(&self) -> bool {
        self.crowding.is_crowded(self.now())
    }

    fn now(&self) -> u64 {
        self.start.elapsed().as_nanos() as u64
    }
}

impl Park for IpPark {
    fn idle(&self, round: u32, arrived: &dyn Fn() -> bool) {
        if round < self.spins {
            return std::hint::spin_loop();
        }
        let now = self.now();
        if round == self.spins {
            self.waits.begins(&self.crowding, now);
            self.yielding_since.store(now, Relaxed);
            self.looked.store(round, Relaxed);
        }
        let lasting = now.saturating_sub(self.yielding_since.load(Relaxed));
        let crowded = self.crowding.is_crowded(now);
        if !crowded && lasting < self.looks_for {
            self.looked.store(round, Relaxed);
            std::hint::spin_loop();
        } else if !crowded && (round.saturating_sub(self.looked.load(Relaxed)) < YIELDS_MIN || lasting < YIELDS_FOR) {
            self.yield_core();
        } else {
            self.sleep(arrived);
        }
    }

    fn give_way(&self, round: u32) {
        // Each poll was a system call, which costs as much as a yield.
        if round.is_multiple_of(10) && !self.is_crowded() {
            self.yield_core();
        }
    }

    fn wake(&self) {
        if self.sleepers.load(SeqCst) > 0 {
            self.bell.ring();
        }
    }
}
