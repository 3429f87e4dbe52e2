//! Copying one body from both ends: its receiver reads it out of the sender's memory from one end on, and the sender, while it
//! waits, writes into the receiver's memory from the other. Who is faster copies more.
//!
//! Both take portions by a word that they share, so that no byte is copied twice and none is left out. The words belong to the receiver: it
//! opens one for a body, and gives that a *ticket*. Whoever comes with an old ticket gets nothing.

use crate::packet::Peer;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::AcqRel, Ordering::Acquire, Ordering::Relaxed};

/// A word in memory that both processes see, zero at first.
///
/// ```text
/// bit 24   number of the ticket
///     12   units taken from the front
///      0   units taken from the back
/// ```
pub trait Word {
    /// Ordered before what the caller does next.
    fn load(&self) -> u64;
    /// Stores `new` if the word still is `old`, ordered after what the caller did before and before what it does next.
    fn exchange(&self, old: u64, new: u64) -> bool;
}

impl Word for AtomicU64 {
    fn load(&self) -> u64 {
        self.load(Acquire)
    }
    fn exchange(&self, old: u64, new: u64) -> bool {
        self.compare_exchange_weak(old, new, AcqRel, Relaxed).is_ok()
    }
}

const SIDE_BITS: u32 = 12;
const SIDE: u64 = (1 << SIDE_BITS) - 1;
const TICKET_SHIFT: u32 = 2 * SIDE_BITS;

/// Which body, and by which of the receiver's words it is shared: good until the receiver closes the word. Tickets come again after
/// 2^39 bodies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket(pub u64);

impl Ticket {
    fn new(index: usize, word: u64) -> Ticket {
        Ticket((word >> TICKET_SHIFT) * WORDS as u64 + index as u64)
    }

    /// The index of its word.
    pub fn index(self) -> usize {
        (self.0 % WORDS as u64) as usize
    }

    fn is_of(self, word: u64) -> bool {
        self.0 / WORDS as u64 == word >> TICKET_SHIFT
    }
}

/// Bodies that a process can share at a time.
pub const WORDS: usize = 8;

/// What is to be copied next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Portion {
    pub bytes: Range<u64>,
    /// Nothing is left behind it.
    pub last: bool,
}

/// How a body of so many bytes is cut into units: the same for both sides.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cut {
    bytes: u64,
    unit: u64,
}

impl Cut {
    pub fn of(bytes: u64) -> Cut {
        Cut { bytes, unit: bytes.div_ceil(SIDE).max(1).next_multiple_of(UNIT_MIN) }
    }

    fn units(self) -> u64 {
        self.bytes.div_ceil(self.unit)
    }

    fn bytes_of(self, units: Range<u64>) -> Range<u64> {
        units.start * self.unit..(units.end * self.unit).min(self.bytes)
    }
}

const UNIT_MIN: u64 = 16 << 10;

/// To copy a smaller portion takes little longer than to ask the kernel for it.
const PORTION_MIN: u64 = 32 << 10;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Front,
    Back,
}

impl End {
    /// From which end `me` copies of what it shares with `other`: from the same, whoever sends. What goes back and forth between two
    /// buffers stays in the caches of those who copy it.
    pub fn of(me: Peer, other: Peer) -> End {
        if me < other { End::Front } else { End::Back }
    }
}

/// A receiver's words, as either side sees them.
pub struct Claims<'w, W = AtomicU64>(pub &'w [W; WORDS]);

impl<W: Word> Claims<'_, W> {
    /// The receiver has a body to share, and this word is free.
    pub fn open(&self, index: usize) -> Ticket {
        Ticket::new(index, self.renew(index).0)
    }

    /// The receiver shares the body no more: nothing is handed out for the ticket any more, and the word is free. Returns how many units were taken from `end`.
    pub fn close(&self, ticket: Ticket, end: End) -> u64 {
        let word = self.renew(ticket.index()).1;
        match end {
            End::Front => word >> SIDE_BITS & SIDE,
            End::Back => word & SIDE,
        }
    }

    /// Gives the word a new ticket; returns it with that, and as it was.
    fn renew(&self, index: usize) -> (u64, u64) {
        let word = &self.0[index];
        loop {
            let old = word.load();
            let new = ((old >> TICKET_SHIFT) + 1) << TICKET_SHIFT;
            if word.exchange(old, new) {
                return (new, old);
            }
        }
    }

    /// Takes the next portion of the body: half of what is left, unless that is little, and at most `bytes_max` or a unit. `None` when nothing
    /// is left, or the ticket is old.
    pub fn take(&self, ticket: Ticket, cut: Cut, end: End, bytes_max: u64) -> Option<Portion> {
        let word = &self.0[ticket.index()];
        let most = (bytes_max / cut.unit).max(1);
        loop {
            let old = word.load();
            let (front, back) = (old >> SIDE_BITS & SIDE, old & SIDE);
            let left = cut.units().saturating_sub(front + back);
            if !ticket.is_of(old) || left == 0 {
                return None;
            }
            let units = left.div_ceil(2).max(PORTION_MIN / cut.unit).min(most).min(left);
            let (added, first) = match end {
                End::Front => (units << SIDE_BITS, front),
                End::Back => (units, cut.units() - back - units),
            };
            if word.exchange(old, old + added) {
                return Some(Portion { bytes: cut.bytes_of(first..first + units), last: left == units });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn words() -> [AtomicU64; WORDS] {
        std::array::from_fn(|_| AtomicU64::new(0))
    }

    proptest! {
        /// Whoever asks when: every byte is handed out once.
        #[test]
        fn portions_cover_the_body(bytes in 1u64..1 << 40, most in 1u64..1 << 24, asks in prop::collection::vec(any::<bool>(), 1..200)) {
            let words = words();
            let claims = Claims(&words);
            let (ticket, cut) = (claims.open(3), Cut::of(bytes));
            let (mut low, mut high) = (0, bytes);
            for ask in asks.into_iter().cycle() {
                let end = if ask { End::Front } else { End::Back };
                let Some(Portion { bytes, last }) = claims.take(ticket, cut, end, most) else { break };
                prop_assert!(bytes.start < bytes.end);
                match end {
                    End::Front => prop_assert_eq!(std::mem::replace(&mut low, bytes.end), bytes.start),
                    End::Back => prop_assert_eq!(std::mem::replace(&mut high, bytes.start), bytes.end),
                }
                prop_assert_eq!(last, low == high);
            }
            prop_assert_eq!(low, high);
        }
    }

    #[test]
    fn an_old_ticket_is_worth_nothing() {
        let words = words();
        let claims = Claims(&words);
        let cut = Cut::of(1 << 20);
        let old = claims.open(1);
        let other = claims.open(0);
        assert_eq!(claims.take(old, cut, End::Back, 1 << 20), Some(Portion { bytes: 512 << 10..1 << 20, last: false }));
        assert_eq!(claims.close(old, End::Back), 32);
        assert_eq!(claims.take(old, cut, End::Back, 1 << 20), None);
        let new = claims.open(1);
        assert_eq!(claims.take(old, cut, End::Back, 1 << 20), None);
        assert_eq!(claims.take(new, cut, End::Front, 1), Some(Portion { bytes: 0..16 << 10, last: false }));
        assert_eq!(claims.close(new, End::Front), 1);
        assert_eq!(claims.close(other, End::Back), 0);
    }

    #[test]
    fn a_body_of_any_length_is_cut() {
        for bytes in [0, 1, UNIT_MIN, UNIT_MIN + 1, SIDE * UNIT_MIN, SIDE * UNIT_MIN + 1, 1 << 47] {
            let cut = Cut::of(bytes);
            assert!(cut.units() <= SIDE, "{bytes}");
            assert_eq!(cut.bytes_of(0..cut.units()), 0..bytes);
            let words = words();
            assert_eq!(Claims(&words).take(Ticket(0), cut, End::Front, 1).is_some(), bytes > 0);
        }
    }
}
