//! Waiting for several devices between nodes: asleep on all of them at once. With shared memory beside them that is the part of
//! [`hpvm_smp`], which sleeps by [`sleep`]; a process that has none has [`WiredPark`].

use super::devices::Wired;
use crate::host;
use fm::{Crowding, Park, Waits};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::time::Duration;

/// Sleeps until one of the devices has something, or `other` is readable, or `limit` has passed, or a signal arrives.
pub fn sleep(devices: &[Arc<dyn Wired>], other: BorrowedFd<'_>, limit: Option<Duration>) {
    let mut polled = vec![PollFd::from_borrowed_fd(other, PollFlags::IN)];
    polled.extend(devices.iter().map(|device| PollFd::from_borrowed_fd(device.descriptor(), PollFlags::IN)));
    let limit = devices.iter().filter_map(|device| device.limit()).chain(limit).min();
    let limit = limit.and_then(|limit| Timespec::try_from(limit).ok());
    let _ = poll(&mut polled, limit.as_ref());
}

/// How a process waits that shares memory with nobody: it looks for a while, lets others have the core, then sleeps.
pub struct WiredPark {
    devices: Vec<Arc<dyn Wired>>,
    /// Fruitless polls that pass before the core is offered to others, and how long the process looks on after these, in nanoseconds.
    spins: u32,
    looks_for: u64,
    /// In which round it looked last.
    looked: AtomicU32,
    /// When the wait that is under way, or was last, had spun: nanoseconds.
    yielding_since: AtomicU64,
    /// Each process finds out for itself.
    crowding: Crowding,
    waits: Waits,
    /// Rung for the other threads of this process.
    bell: OwnedFd,
    /// Threads of this process on their way to sleep, asleep, or on their way back.
    sleepers: AtomicUsize,
}

/// With a core for each process an answer is awaited for about as long as it takes to wake a sleeper.
const SPINS: u32 = 60;
const LOOKS_FOR: u64 = 60_000;

/// A wait that has yielded for so long sleeps, unless it has had the core for a few times only (decision 11).
const YIELDS_FOR: u64 = 1_000_000;
const YIELDS_MIN: u32 = 20;

impl WiredPark {
    /// On a node whose `processes` may use `cores` cores together.
    pub fn new(devices: Vec<Arc<dyn Wired>>, processes: usize, cores: usize) -> io::Result<WiredPark> {
        let (spins, looks_for) = if processes <= cores { (SPINS, LOOKS_FOR) } else { (0, 0) };
        Ok(WiredPark {
            devices,
            spins,
            looks_for,
            looked: AtomicU32::new(0),
            yielding_since: AtomicU64::new(0),
            crowding: Crowding::default(),
            waits: Waits::new(0, processes.div_ceil(cores)),
            bell: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            sleepers: AtomicUsize::new(0),
        })
    }

    fn sleep(&self, arrived: &dyn Fn() -> bool) {
        // Before the last look: who completes something after it sees us here, in `wake`.
        self.sleepers.fetch_add(1, SeqCst);
        if !arrived() {
            sleep(&self.devices, self.bell.as_fd(), None);
        }
        // The last one to get up clears the bell, which until then wakes the others.
        if self.sleepers.fetch_sub(1, SeqCst) == 1 {
            let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        }
    }

    /// Lets another process have the core, and notes whether that was dear.
    fn yield_core(&self) {
        let before = host::nanoseconds();
        std::thread::yield_now();
        self.waits.yielded(&self.crowding, before, host::nanoseconds());
    }
}

impl Park for WiredPark {
    fn idle(&self, round: u32, arrived: &dyn Fn() -> bool) {
        if round < self.spins {
            return std::hint::spin_loop();
        }
        let now = host::nanoseconds();
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
        if round.is_multiple_of(10) && !self.crowding.is_crowded(host::nanoseconds()) {
            self.yield_core();
        }
    }

    fn wake(&self) {
        if self.sleepers.load(SeqCst) > 0 {
            while let Err(Errno::INTR) = rustix::io::write(&self.bell, &1u64.to_ne_bytes()) {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    #[test]
    fn a_sleep_ends_when_another_thread_rings() {
        let park = Arc::new(WiredPark::new(Vec::new(), 2, 1).unwrap());
        let asleep = Arc::clone(&park);
        let sleeper = std::thread::spawn(move || asleep.sleep(&|| false));
        let end = Instant::now() + Duration::from_secs(20);
        while !sleeper.is_finished() && Instant::now() < end {
            park.wake();
            std::thread::yield_now();
        }
        assert!(sleeper.is_finished());
        sleeper.join().unwrap();
        assert_eq!(park.sleepers.load(SeqCst), 0);
        park.sleep(&|| true);
    }
}
