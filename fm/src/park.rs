//! How a process waits.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

/// Decides what a thread does that has nothing to do. Production spins, yields and sleeps; the simulator switches to
/// another rank.
pub trait Park: Send + Sync {
    /// Called by a waiting thread whose last `round` polls in a row found nothing (counted from 0). May return at once, spin,
    /// yield the core, or sleep until something may have arrived. Spurious returns are fine.
    ///
    /// Before it sleeps it makes the process known as asleep and asks `arrived` once more.
    fn idle(&self, round: u32, arrived: &dyn Fn() -> bool);

    /// Ends the sleep of this process's other threads, if any sleeps: a thread completed what another may wait for.
    fn wake(&self);
}

/// Whether it is worth letting others have the core before a sleep: for a [`Park`] to ask.
///
/// Among processes that only wait, a yield comes back within microseconds. Beside one that computes it lasts for a slice of the
/// scheduler (3 ms and more), and who is asleep and is woken gets the core back sooner than who yields.
#[derive(Default)]
pub struct Crowding {
    /// Waits left that are to sleep without yielding first.
    left: AtomicU32,
}

impl Crowding {
    /// A yield that takes longer gave the core to somebody who computes.
    const YIELD_MAX: Duration = Duration::from_micros(500);

    /// So many waits then sleep at once.
    const WAITS: u32 = 64;

    /// A yield took so long.
    pub fn yielded(&self, took: Duration) {
        if took > Self::YIELD_MAX {
            self.left.store(Self::WAITS, Relaxed);
        }
    }

    /// Whether this wait is to sleep at once.
    pub fn is_crowded(&self) -> bool {
        let left = self.left.load(Relaxed);
        if left > 0 {
            self.left.store(left - 1, Relaxed);
        }
        left > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dear_yield_keeps_some_waits_from_yielding() {
        let crowding = Crowding::default();
        crowding.yielded(Duration::from_micros(20));
        assert!(!crowding.is_crowded());
        crowding.yielded(Duration::from_millis(3));
        assert!((0..Crowding::WAITS).all(|_| crowding.is_crowded()));
        assert!(!crowding.is_crowded(), "then it is tried again");
    }
}
