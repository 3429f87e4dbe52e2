//! Progress and waiting: every wait of the engine goes through here.

use super::upcall::Handlers;
use crate::error::Result;
use crate::handle::Handle;
use crate::process::Process;
use crate::waiting::Waiting;
use parking_lot::{Condvar, Mutex};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What a round of progress came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    Something,
    Nothing,
    /// Another thread is at it.
    Elsewhere,
}

/// Threads that wait while another one makes progress for them.
#[derive(Default)]
pub struct Waiters {
    count: AtomicUsize,
    rounds: AtomicUsize,
    lock: Mutex<()>,
    changed: Condvar,
}

impl Waiters {
    /// Sleeps until [`notify`](Self::notify), unless there was one since [`rounds`](Self::rounds) were counted.
    fn wait(&self, rounds: usize) {
        self.count.fetch_add(1, Ordering::SeqCst);
        let mut guard = self.lock.lock();
        if self.rounds() == rounds {
            // The limit covers the moment in which the thread that made progress leaves, before this one counts as a waiter.
            self.changed.wait_for(&mut guard, Duration::from_millis(1));
        }
        drop(guard);
        self.count.fetch_sub(1, Ordering::SeqCst);
    }

    /// Changes whenever something may have been completed.
    fn rounds(&self) -> usize {
        self.rounds.load(Ordering::SeqCst)
    }

    /// The process is about to sleep, or was woken: by what came beside messages, perhaps, of which only the thread knows that waits for it.
    fn look_again(&self) {
        if self.count.load(Ordering::SeqCst) > 0 {
            let _guard = self.lock.lock();
            self.changed.notify_all();
        }
    }

    fn notify(&self) {
        self.rounds.fetch_add(1, Ordering::SeqCst);
        if self.count.load(Ordering::SeqCst) > 0 {
            let _guard = self.lock.lock();
            self.changed.notify_all();
        }
    }
}

/// What the status line says of a wait.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Never,
    /// Something has come since, so that something else may be waited for.
    Before,
    Now,
}

impl Shown {
    fn outdated(self) -> Shown {
        if self == Shown::Never { Shown::Never } else { Shown::Before }
    }
}

/// As how many polls in vain it counts that another thread is making progress: enough for any [`Park`](fm::Park) to yield.
const POLLS_ELSEWHERE: u32 = 100;

/// After so many polls in vain, one after the other, the status line says that this process asks; and again after as many more.
const POLLS_SHOWN: u32 = 1024;

impl Process {
    /// One round: extracts what has arrived, pushes what waits, advances nonblocking collectives.
    #[inline]
    pub fn progress(&self) -> Progress {
        self.progress_by(self.config.extract_packets())
    }

    /// The same, extracting so many packets at most.
    #[inline]
    fn progress_by(&self, packets: usize) -> Progress {
        let some = {
            let Some(_turn) = self.progress_turn.try_lock() else { return Progress::Elsewhere };
            let mut some = self.fm.extract(packets, &Handlers(self)) > 0;
            some |= self.push_all();
            some |= self.copy_some();
            some |= self.advance_running();
            some
        };
        if !some {
            return Progress::Nothing;
        }
        // Also when this thread only tests and leaves: what it took from the network, another one may be about to sleep for.
        self.woken();
        Progress::Something
    }

    /// One round for a call that only asks (`MPI_Test`, `MPI_Iprobe`). Programs ask in loops: where that is in vain, whoever is to answer
    /// may need our core. `waiting` says what is asked for, and is asked once in a thousand vain polls.
    pub fn poll(&self, waiting: impl Fn() -> Waiting) {
        match self.progress() {
            Progress::Something => {
                if self.vain_polls.load(Ordering::Relaxed) >= POLLS_SHOWN {
                    self.host.has_asked();
                }
                self.vain_polls.store(0, Ordering::Relaxed);
            }
            Progress::Nothing => {
                let round = self.vain_polls.load(Ordering::Relaxed).wrapping_add(1);
                self.vain_polls.store(round, Ordering::Relaxed);
                if round.is_multiple_of(POLLS_SHOWN) {
                    let traffic = self.traffic();
                    let moved = self.shown_traffic.swap(traffic, Ordering::Relaxed) != traffic;
                    self.host.asks(&waiting(), round, moved);
                }
                self.park.give_way(round);
            }
            Progress::Elsewhere => self.park.give_way(POLLS_ELSEWHERE),
        }
    }

    /// Makes progress until `done` holds; it is not asked again then, and never under a lock: it may send and complete.
    /// `waiting` says what is waited for, and is asked off the fast path only.
    pub fn wait_until(&self, waiting: impl Fn() -> Waiting, done: impl FnMut() -> bool) {
        self.wait_until_or(waiting, done, &|| false, &Cell::new(0));
    }

    /// The same for who waits for something beside messages: `there` says whether it has come, before the process sleeps. `vain` counts the
    /// rounds that found nothing, by which the way of waiting changes; who waits several times in one call keeps it.
    pub fn wait_until_or(
        &self,
        waiting: impl Fn() -> Waiting,
        done: impl FnMut() -> bool,
        there: &dyn Fn() -> bool,
        vain: &Cell<u32>,
    ) {
        self.wait_by(self.config.extract_packets(), waiting, done, there, vain);
    }

    /// The same, extracting `packets` at most in the first rounds, and more and more if that is not enough.
    fn wait_by(
        &self,
        mut packets: usize,
        waiting: impl Fn() -> Waiting,
        mut done: impl FnMut() -> bool,
        there: &dyn Fn() -> bool,
        vain: &Cell<u32>,
    ) {
        let mut round = vain.get();
        let shown = Cell::new(Shown::Never);
        loop {
            // Counted before the question: what another thread completes after it must keep this one from sleeping.
            let rounds = self.waiters.rounds();
            if done() {
                break;
            }
            match self.progress_by(packets) {
                Progress::Something => {
                    round = 0;
                    packets = (2 * packets).min(self.config.extract_packets());
                }
                Progress::Nothing => {
                    if round == 0 {
                        shown.set(shown.get().outdated());
                    }
                    self.park.idle(round, &|| {
                        self.show(&shown, &waiting);
                        self.waiters.look_again();
                        there() || self.fm.arrived() || self.waiters.rounds() != rounds
                    });
                    if shown.get() != Shown::Never {
                        self.waiters.look_again();
                    }
                    round = round.saturating_add(1);
                }
                Progress::Elsewhere => {
                    self.show(&shown, &waiting);
                    self.waiters.wait(rounds);
                }
            }
        }
        vain.set(round);
        if shown.get() != Shown::Never {
            self.host.goes_on();
        }
        // Whoever waits for the turn may take it now.
        self.woken();
    }

    /// Waits for a single request to be done. What has arrived behind its message is left in the network: asked for later, it need not be kept
    /// as unexpected.
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST` when there is no such request.
    #[inline]
    pub fn wait_done(&self, handle: Handle, waiting: impl Fn() -> Waiting) -> Result<()> {
        let request = self.requests.get(handle)?;
        self.wait_by(1, waiting, || request.is_done(), &|| false, &Cell::new(0));
        Ok(())
    }

    /// The wait appears in the status line from when the process is about to sleep: a short one costs nothing.
    #[cold]
    fn show(&self, shown: &Cell<Shown>, waiting: &dyn Fn() -> Waiting) {
        // What one thread shows, another one's wait hides at its end.
        let hidden = || self.fm.threading() == fm::Threading::Multiple && !self.host.is_waiting();
        if shown.replace(Shown::Now) != Shown::Now || hidden() {
            self.host.waits(&waiting());
        }
    }

    /// This thread did something without which another one may sleep for good: completed what that waits for, left something that has
    /// to wait for room, or took the room that had become free. Whoever is about to sleep makes another round of progress.
    #[inline]
    pub fn woken(&self) {
        if self.fm.threading() == fm::Threading::Multiple {
            self.waiters.notify();
            self.park.wake();
        }
    }
}
