//! Counts that any thread may read at any time, without a lock: what a tool asks for while the process runs (MPI 5.0 section 15.3.7).
//!
//! Each is written under a lock that its owner holds anyway, so that writing is a plain load and store.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// A sum that only grows. One writer at a time.
#[derive(Default)]
pub struct Tally(AtomicU64);

impl Tally {
    #[inline]
    pub fn add(&self, more: u64) {
        self.0.store(self.0.load(Relaxed).wrapping_add(more), Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

/// Messages, and the bytes of their bodies.
#[derive(Default)]
pub struct Flow {
    messages: Tally,
    bytes: Tally,
}

impl Flow {
    #[inline]
    pub fn count(&self, bytes: u64) {
        self.messages.add(1);
        self.bytes.add(bytes);
    }

    pub fn total(&self) -> Total {
        Total { messages: self.messages.get(), bytes: self.bytes.get() }
    }
}

/// What went one way between this process and another.
#[derive(Default)]
pub struct Traffic {
    pub eager: Flow,
    pub rendezvous: Flow,
}

/// A reading of one or several [`Flow`]s.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Total {
    pub messages: u64,
    pub bytes: u64,
}

impl std::ops::AddAssign for Total {
    fn add_assign(&mut self, more: Total) {
        self.messages += more.messages;
        self.bytes += more.bytes;
    }
}

/// A process's messages so far, by kind.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Totals {
    pub eager_sent: Total,
    pub eager_received: Total,
    pub rendezvous_sent: Total,
    pub rendezvous_received: Total,
    /// Messages of the process to itself, which are both sent and received.
    pub own: Total,
}

/// Length of a queue, and the greatest since [`restart`](Self::restart). One writer of the length at a time.
#[derive(Default)]
pub struct Depth {
    level: AtomicU32,
    most: AtomicU32,
}

impl Depth {
    #[inline]
    pub fn up(&self) {
        let level = self.level.load(Relaxed) + 1;
        self.level.store(level, Relaxed);
        if level > self.most.load(Relaxed) {
            self.most.store(level, Relaxed);
        }
    }

    #[inline]
    pub fn down(&self) {
        self.level.store(self.level.load(Relaxed) - 1, Relaxed);
    }

    pub fn level(&self) -> u64 {
        self.level.load(Relaxed).into()
    }

    pub fn most(&self) -> u64 {
        self.most.load(Relaxed).into()
    }

    /// Begins a new watch at the present length. A peak that a queue reaches in this very moment may be lost.
    pub fn restart(&self) {
        self.most.store(self.level.load(Relaxed), Relaxed);
    }
}

/// Lengths of a matcher's two queues.
#[derive(Default)]
pub struct Depths {
    pub posted: Depth,
    pub unexpected: Depth,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_depth_remembers_its_peak_until_restarted() {
        let depth = Depth::default();
        depth.up();
        depth.up();
        depth.down();
        assert_eq!((depth.level(), depth.most()), (1, 2));
        depth.restart();
        assert_eq!(depth.most(), 1);
        depth.down();
        depth.up();
        assert_eq!((depth.level(), depth.most()), (1, 1));
    }
}
