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

    /// Called by a thread that does not wait but asks again and again whether something has arrived, and has found nothing `round` times in a
    /// row (counted from 1). May yield the core to whom it asks for; never sleeps.
    fn give_way(&self, round: u32) {
        let _ = round;
    }

    /// Ends the sleep of this process's other threads, if any sleeps: a thread completed what another may wait for.
    fn wake(&self);
}

/// Whether it is worth letting others have the core before a sleep: for a [`Park`] to ask.
///
/// Among processes that only wait, a yield comes back within microseconds. Beside one that computes it lasts for a slice of the
/// scheduler (3 ms and more, once for each process that computes), and who is asleep and is woken gets the core back sooner than who
/// yields. So after a dear yield some waits sleep at once, then it is tried again: more seldom each time that it was dear again, since
/// ranks in lockstep all wait for the one that tries.
pub struct Crowding {
    /// Waits left that are to sleep without yielding first.
    left: AtomicU32,
    /// How many there are to be after the next dear yield.
    next: AtomicU32,
}

impl Default for Crowding {
    fn default() -> Self {
        Crowding { left: AtomicU32::new(0), next: AtomicU32::new(Self::WAITS_MIN) }
    }
}

impl Crowding {
    /// A yield that takes longer gave the core to somebody who computes.
    const YIELD_MAX: Duration = Duration::from_micros(500);

    const WAITS_MIN: u32 = 64;
    const WAITS_MAX: u32 = 4096;

    /// A yield took so long.
    pub fn yielded(&self, took: Duration) {
        let next = self.next.load(Relaxed);
        if took > Self::YIELD_MAX {
            self.left.store(next, Relaxed);
            self.next.store((2 * next).min(Self::WAITS_MAX), Relaxed);
        } else if next > Self::WAITS_MIN {
            self.next.store(next - 1, Relaxed);
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

    const CHEAP: Duration = Duration::from_micros(20);
    const DEAR: Duration = Duration::from_millis(3);

    /// How many waits sleep at once now.
    fn crowded_waits(crowding: &Crowding) -> usize {
        std::iter::repeat_with(|| crowding.is_crowded()).take_while(|crowded| *crowded).count()
    }

    #[test]
    fn dear_yields_are_tried_more_and_more_seldom() {
        let crowding = Crowding::default();
        crowding.yielded(CHEAP);
        assert_eq!(crowded_waits(&crowding), 0);
        let waits = || {
            crowding.yielded(DEAR);
            crowded_waits(&crowding)
        };
        assert_eq!([waits(), waits(), waits()], [64, 128, 256]);
        assert_eq!((0..10).map(|_| waits()).max(), Some(4096));
        (0..5000).for_each(|_| crowding.yielded(CHEAP));
        assert_eq!(crowded_waits(&crowding), 0);
        crowding.yielded(DEAR);
        assert_eq!(crowded_waits(&crowding), 64, "cheap ones bring it back");
    }
}
