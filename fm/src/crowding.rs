//! Whether a wait is to let others have the core, or to sleep at once: for a [`Park`](crate::Park) to ask.
//!
//! Among processes that only wait, a yield comes back within microseconds, and to be woken takes several times as long. Beside one that
//! computes, a yield lasts for a slice of the scheduler, 3 ms and more, and who is asleep and is woken may get the core back sooner. Or
//! later: it depends on the scheduler, on who shares a core with whom, and on how long everybody computes between two waits. So it is
//! tried. When yields turn out dear, one process of the node counts how many waits it gets through in a while of either way, and all
//! go the better one, for longer and longer before it is tried again.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

/// What the processes that share cores know together, in memory that they share or, where there is none, in each one's own. All zero
/// at first. Times are nanoseconds of one clock.
///
/// Stores of several processes may overtake each other: the worst is a trial more.
#[repr(C)]
#[derive(Default)]
pub struct Crowding {
    /// Until when waits are to sleep at once.
    sleep_until: AtomicU64,
    /// What dear yields have taken in all.
    dear: AtomicU64,
    /// Who is trying, from 1.
    observer: AtomicU32,
    /// When it was seen at it.
    observed: AtomicU64,
}

impl Crowding {
    /// Whether a wait is to sleep at once.
    #[inline]
    pub fn is_crowded(&self, now: u64) -> bool {
        now < self.sleep_until.load(Relaxed)
    }
}

/// For so long each way is tried: a few of the scheduler's slices.
const TRIAL: u64 = 16_000_000;

/// For so long a verdict stands, and for twice as long each time that the next one is the same.
const VERDICT_MIN: u64 = 64_000_000;
const VERDICT_MAX: u64 = 1_024_000_000;

/// Dear yields that take less than this part of the time are an exception: some daemon had its turn.
const DEAR_PART: u64 = 8;

/// An observer that is not heard of for so long does not wait any more.
const LOST_AFTER: u64 = 250_000_000;

/// The waits of one process.
pub struct Waits {
    /// From 1.
    me: u32,
    /// A yield that takes longer gave the core to somebody who computes.
    dear: u64,
    trial: Mutex<Trial>,
}

/// What the observer knows.
#[derive(Default)]
struct Trial {
    stage: Stage,
    since: u64,
    /// Waits since then.
    waits: u64,
    /// [`Crowding::dear`] then.
    dear: u64,
    /// What a wait took in the latest trial of each way, with all that is between two waits.
    yielding: u64,
    sleeping: Option<u64>,
    verdict: Option<Verdict>,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    /// Waits yield: how long do they take?
    #[default]
    Yields,
    Sleeps,
    /// By the verdict.
    Settled,
}

#[derive(Clone, Copy)]
struct Verdict {
    sleep: bool,
    lasts: u64,
    until: u64,
}

impl Waits {
    /// Those of process number `me` of a node where `ranks` share each core: among that many a yield is longer, although all only wait.
    pub fn new(me: u32, ranks: usize) -> Waits {
        let dear = Duration::from_micros(500 + 10 * ranks as u64);
        Waits { me: me + 1, dear: dear.as_nanos() as u64, trial: Mutex::default() }
    }

    /// A wait begins that spinning has not served.
    #[inline]
    pub fn begins(&self, crowding: &Crowding, now: u64) {
        if crowding.observer.load(Relaxed) == self.me {
            self.count(crowding, now);
        }
    }

    /// A yield took from `before` to `after`.
    #[inline]
    pub fn yielded(&self, crowding: &Crowding, before: u64, after: u64) {
        let took = after.saturating_sub(before);
        if took > self.dear {
            self.was_dear(crowding, took, after);
        }
    }

    #[cold]
    fn was_dear(&self, crowding: &Crowding, took: u64, now: u64) {
        let dear = crowding.dear.load(Relaxed) + took;
        crowding.dear.store(dear, Relaxed);
        let observer = crowding.observer.load(Relaxed);
        let lost = now.saturating_sub(crowding.observed.load(Relaxed)) > LOST_AFTER;
        if observer == 0 || observer != self.me && lost {
            self.with_trial(|trial| *trial = Trial { since: now, dear, ..Trial::default() });
            crowding.observed.store(now, Relaxed);
            crowding.observer.store(self.me, Relaxed);
        }
    }

    /// The observer's own waits are the measure: ranks of a job go in step.
    fn count(&self, crowding: &Crowding, now: u64) {
        self.with_trial(|trial| {
            trial.waits += 1;
            if now.saturating_sub(trial.since) >= TRIAL {
                crowding.observed.store(now, Relaxed);
                trial.ends(crowding, now);
            }
        });
    }

    /// Another thread that is at it is enough.
    fn with_trial(&self, change: impl FnOnce(&mut Trial)) {
        match self.trial.try_lock() {
            Ok(mut trial) => change(&mut trial),
            Err(TryLockError::Poisoned(poisoned)) => change(&mut poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => (),
        }
    }
}

impl Trial {
    /// So much for one way.
    fn ends(&mut self, crowding: &Crowding, now: u64) {
        let took = now - self.since;
        let cost = took / self.waits;
        let dear = crowding.dear.load(Relaxed);
        match self.stage {
            Stage::Yields if dear.wrapping_sub(self.dear) < took / DEAR_PART => {
                crowding.observer.store(0, Relaxed);
                return;
            }
            Stage::Yields => {
                self.yielding = cost;
                match self.sleeping.take() {
                    Some(sleeping) => self.decide(sleeping <= cost, crowding, now),
                    None => {
                        self.stage = Stage::Sleeps;
                        // At most: the observer may not come back to look.
                        crowding.sleep_until.store(now + 4 * TRIAL, Relaxed);
                    }
                }
            }
            Stage::Sleeps => self.decide(cost <= self.yielding, crowding, now),
            Stage::Settled => {
                let verdict = self.verdict.expect("it is settled");
                if verdict.until <= now {
                    self.stage = Stage::Yields;
                    self.sleeping = verdict.sleep.then_some(cost);
                }
            }
        }
        (self.since, self.waits, self.dear) = (now, 0, dear);
    }

    fn decide(&mut self, sleep: bool, crowding: &Crowding, now: u64) {
        let again = self.verdict.filter(|last| last.sleep == sleep);
        let lasts = again.map_or(VERDICT_MIN, |last| (2 * last.lasts).min(VERDICT_MAX));
        let until = now + lasts;
        self.verdict = Some(Verdict { sleep, lasts, until });
        self.stage = Stage::Settled;
        crowding.sleep_until.store(if sleep { until } else { 0 }, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MICROSECOND: u64 = 1_000;
    const MILLISECOND: u64 = 1_000_000;
    const SECOND: u64 = 1_000_000_000;

    /// A process that does nothing but wait, on a machine where each way of waiting takes so long.
    struct Machine {
        yielding: fn(u64) -> u64,
        sleeping: u64,
    }

    struct Waiter {
        crowding: Crowding,
        waits: Waits,
        now: u64,
    }

    impl Waiter {
        fn new() -> Waiter {
            Waiter { crowding: Crowding::default(), waits: Waits::new(0, 1), now: SECOND }
        }

        /// Waits for `time`; the part of it in which it slept, in percent.
        fn waits_on(&mut self, machine: &Machine, time: u64) -> u64 {
            let (start, mut slept) = (self.now, 0);
            let mut waits = 0;
            while self.now - start < time {
                self.waits.begins(&self.crowding, self.now);
                waits += 1;
                if self.crowding.is_crowded(self.now) {
                    slept += machine.sleeping;
                    self.now += machine.sleeping;
                } else {
                    let before = self.now;
                    self.now += (machine.yielding)(waits);
                    self.waits.yielded(&self.crowding, before, self.now);
                }
            }
            100 * slept / (self.now - start)
        }
    }

    const ALONE: Machine = Machine { yielding: |_| 10 * MICROSECOND, sleeping: 80 * MICROSECOND };
    /// Of somebody who computes, and has a slice of each core for every one of ours.
    const BESIDE: Machine = Machine { yielding: |_| 4 * MILLISECOND, sleeping: 80 * MICROSECOND };
    /// Who sleeps is woken late.
    const WOKEN_LATE: Machine = Machine { yielding: |wait| dear_once_in(500, wait), sleeping: 2 * MILLISECOND };
    const DAEMON: Machine = Machine { yielding: |wait| dear_once_in(5_000, wait), sleeping: 1 };

    fn dear_once_in(many: u64, wait: u64) -> u64 {
        if wait.is_multiple_of(many) { 4 * MILLISECOND } else { 10 * MICROSECOND }
    }

    #[test]
    fn cheap_yields_are_never_doubted() {
        assert_eq!(Waiter::new().waits_on(&ALONE, SECOND), 0);
    }

    #[test]
    fn a_dear_yield_now_and_then_is_an_exception() {
        assert_eq!(Waiter::new().waits_on(&DAEMON, SECOND), 0);
    }

    #[test]
    fn beside_somebody_who_computes_waits_sleep() {
        let mut waiter = Waiter::new();
        assert!(waiter.waits_on(&BESIDE, SECOND) > 80);
        assert!(waiter.waits_on(&BESIDE, 10 * SECOND) > 95, "it is tried more and more seldom");
        waiter.waits_on(&ALONE, 2 * SECOND);
        assert_eq!(waiter.waits_on(&ALONE, SECOND), 0, "and noticed when it is over");
        assert_eq!(waiter.crowding.observer.load(Relaxed), 0);
    }

    #[test]
    fn where_sleepers_are_woken_late_waits_yield() {
        let mut waiter = Waiter::new();
        assert!(waiter.waits_on(&WOKEN_LATE, SECOND) < 15);
        assert!(waiter.waits_on(&WOKEN_LATE, 10 * SECOND) < 5);
    }

    #[test]
    fn processes_of_a_node_decide_together() {
        let mut first = Waiter::new();
        let second = Waits::new(1, 1);
        first.waits_on(&BESIDE, SECOND);
        assert!(first.crowding.is_crowded(first.now));
        let now = first.now;
        second.yielded(&first.crowding, now - 4 * MILLISECOND, now);
        assert_eq!(first.crowding.observer.load(Relaxed), 1, "one is enough");
        let later = now + 2 * SECOND;
        second.yielded(&first.crowding, later - 4 * MILLISECOND, later);
        assert_eq!(first.crowding.observer.load(Relaxed), 2, "the first one does not wait any more");
        first.waits.begins(&first.crowding, later + SECOND);
        assert_eq!(first.crowding.observed.load(Relaxed), later);
    }

    #[test]
    fn among_many_processes_a_yield_may_take_longer() {
        let crowding = Crowding::default();
        Waits::new(0, 512).yielded(&crowding, 0, 4 * MILLISECOND);
        assert_eq!(crowding.dear.load(Relaxed), 0);
    }
}
