//! The doorbell: how a process that has nothing to do sleeps without missing a message.
//!
//! Each process has a sleep word in shared memory. The danger is the classic one: the sleeper says "I sleep" and looks for
//! messages, the sender leaves a message and looks whether the other sleeps; if both looks may be carried out before
//! the other side's store is seen, the message is left with a sleeper. One full fence on each side forbids it, but the
//! sender would pay it with every message. So *the sleeper pays*: its [`heavy`](Barrier::heavy) barrier acts as a fence on every
//! processor that runs a process of the job (`membarrier`), and the sender's [`light`](Barrier::light) one costs nothing.
//!
//! The word is stored by its owner and by who wakes it, with plain stores. Whoever stores [`AWAKE`] for another wakes it
//! afterwards, so that a store which comes late, and meets a newer sleep, only wakes in vain.

use crate::atomics::{Atomic, Atomics};
use std::sync::atomic::Ordering::Relaxed;

pub const AWAKE: u32 = 0;
/// Sleeps until a message arrives.
pub const ASLEEP: u32 = 1;
/// Sleeps until a message arrives or a receiver that was full has room again.
pub const ASLEEP_FOR_ROOM: u32 = 3;

/// What only a sleeper for room is woken for.
const ROOM: u32 = 2;

/// Beside either of these: the sleeper waits for sockets too, and is woken by a datagram instead of a futex.
pub const ON_SOCKETS: u32 = 4;

/// Bits above these make two announcements of one process differ.
pub const STATE_BITS: u32 = 3;

/// The two halves of an asymmetric fence.
pub trait Barrier {
    /// Between our store and our look at a sleep word.
    fn light(&self);
    /// Between our sleep word and the last look.
    fn heavy(&self);
}

#[repr(transparent)]
pub struct Doorbell<A: Atomics> {
    pub word: A::U32,
}

impl<A: Atomics> Doorbell<A> {
    /// After a message was left for the owner: how it sleeps, if the caller must wake it now.
    #[inline]
    #[must_use]
    pub fn rings(&self, barrier: &impl Barrier) -> Option<u32> {
        barrier.light();
        self.claim(ASLEEP)
    }

    /// After room was made for the owner: how it sleeps, if the caller must wake it now.
    #[inline]
    #[must_use]
    pub fn rings_for_room(&self, barrier: &impl Barrier) -> Option<u32> {
        barrier.light();
        self.claim(ROOM)
    }

    #[inline]
    fn claim(&self, mask: u32) -> Option<u32> {
        let state = self.word.load(Relaxed);
        if state & mask == 0 {
            return None;
        }
        // Later senders need not wake it again.
        self.word.store(AWAKE, Relaxed);
        Some(state)
    }

    /// Makes it known that the owner is about to sleep. It must look for messages once more, and then sleep only for as long
    /// as the word stays `state`.
    pub fn announce(&self, state: u32, barrier: &impl Barrier) {
        self.word.store(state, Relaxed);
        barrier.heavy();
    }

    pub fn awake(&self) {
        self.word.store(AWAKE, Relaxed);
    }
}
