//! When to look for an answer.
//!
//! Who looks at a line of shared memory before its writer has written it takes a copy, and the writer has to take that back before it can write:
//! looking too early delays what is looked for, by as long as a line takes from one core to another. In a ping-pong the answer always comes
//! after the same time. So who has just answered itself lets that time pass before it looks. How long that is, [`Tuner`] finds out.
//!
//! Nothing depends on it: a pause is as long as a few such ways, and where answers take longer, or come without any pattern, there is none.

mod tuner;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tuner::Tuner;

/// When a message has left that is likely to be answered at once. One thread at a time sends, and one looks; where several take turns there is a
/// pause too many or too few.
#[derive(Debug)]
pub struct Sent {
    /// In ticks; 0 when no answer is looked for.
    at: AtomicU64,
    /// Ticks can be read here, and quickly.
    works: bool,
}

impl Default for Sent {
    fn default() -> Self {
        Sent { at: AtomicU64::new(0), works: ticks_are_cheap() }
    }
}

impl Sent {
    /// Now.
    #[inline]
    pub fn begin(&self) {
        self.at.store(if self.works { ticks() } else { 1 }, Relaxed);
    }
}

/// The side that looks for answers.
#[derive(Debug)]
pub struct Looker {
    /// The first look is over.
    looked: bool,
    tuner: Tuner,
}

impl Default for Looker {
    fn default() -> Self {
        Looker { looked: false, tuner: Tuner::new() }
    }
}

impl Looker {
    /// Before a look: pauses if it is the first. Returns whether an answer is looked for.
    #[inline]
    pub fn before_look(&mut self, sent: &Sent) -> bool {
        let at = sent.at.load(Relaxed);
        if at != 0 && !self.looked {
            self.pause(at);
        }
        at != 0
    }

    #[inline(never)]
    fn pause(&mut self, sent: u64) {
        self.looked = true;
        let length = u64::from(self.tuner.pause());
        while length > 0 && ticks().wrapping_sub(sent) < length {}
    }

    /// The look has found something.
    #[inline]
    pub fn found(&mut self, sent: &Sent) {
        let at = sent.at.load(Relaxed);
        if at != 0 {
            sent.at.store(0, Relaxed);
            self.looked = false;
            if sent.works {
                self.tuner.answered(at);
            }
        }
    }
}

/// A clock of the processor; 0 where there is none.
#[cfg(target_arch = "x86_64")]
#[allow(unsafe_code)]
#[inline]
fn ticks() -> u64 {
    // SAFETY: reads a register.
    unsafe { std::arch::x86_64::_rdtsc() }
}

#[cfg(not(target_arch = "x86_64"))]
fn ticks() -> u64 {
    0
}

/// Some virtual machines intercept the instruction.
fn ticks_are_cheap() -> bool {
    let took = || {
        let before = ticks();
        ticks().wrapping_sub(before)
    };
    (0..8).map(|_| took()).min().is_some_and(|least| (1..200).contains(&least))
}
