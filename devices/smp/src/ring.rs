//! The ring between a pair of processes: one writes cells, the other reads them, in shared memory.
//!
//! A cell is one cache line: a 64-bit word and a payload. The word is FM's header with this device's 16 bits on top, and is
//! stored last, with one release store: whoever sees it sees the payload, and a small message costs one cache miss. The
//! word's top bit says in which lap over the ring it was written, so that the reader knows a fresh word from the one of the
//! lap before, and nothing has to be cleared. Zeroed memory is an empty ring.
//!
//! The reader tells how far it has come in `head`, which has a cache line of its own, and not after every cell: the writer
//! looks at it only when the ring seems full.
//!
//! Both sides keep their positions in memory of their own. What the other side scribbles over the ring can garble messages
//! but never leads an index astray.

use crate::atomics::{Atomic, Atomics};
use std::sync::atomic::Ordering::{Acquire, Release};

/// The memory shared by the two.
#[repr(C)]
pub struct Ring<A: Atomics, const CELLS: usize> {
    /// How many cells the reader is through with, modulo 2^32; written by the reader alone.
    pub head: Line<A::U32>,
    pub cells: [Cell<A>; CELLS],
}

/// A value with a cache line of its own.
#[repr(C, align(64))]
pub struct Line<T>(pub T);

#[repr(C, align(64))]
pub struct Cell<A: Atomics> {
    pub word: A::U64,
    pub payload: A::Payload,
}

/// The bit that alternates with every lap; the first lap writes ones.
const LAP: u64 = 1 << 63;

impl<A: Atomics, const CELLS: usize> Ring<A, CELLS> {
    /// How far the reader says it is.
    #[inline]
    pub fn head(&self) -> u32 {
        self.head.0.load(Acquire)
    }
}

/// Where a side is in the ring.
struct Position {
    /// Cells passed, modulo 2^32.
    count: u32,
    slot: usize,
    lap: u64,
}

impl Position {
    const START: Position = Position { count: 0, slot: 0, lap: LAP };

    #[inline]
    fn step(&mut self, cells: usize) {
        self.count = self.count.wrapping_add(1);
        self.slot += 1;
        if self.slot == cells {
            self.slot = 0;
            self.lap ^= LAP;
        }
    }
}

/// The writing side's own state.
pub struct Writer {
    at: Position,
    /// The reader's position as last seen.
    head: u32,
}

impl Writer {
    pub const fn new() -> Self {
        Writer { at: Position::START, head: 0 }
    }

    /// Cells written so far, modulo 2^32.
    #[inline]
    pub fn count(&self) -> u32 {
        self.at.count
    }

    /// The reader's position as [`has_room`](Self::has_room) saw it last.
    pub fn head_seen(&self) -> u32 {
        self.head
    }

    /// Whether the next cell is free.
    #[inline]
    pub fn has_room<A: Atomics, const CELLS: usize>(&mut self, ring: &Ring<A, CELLS>) -> bool {
        self.free(CELLS) || {
            self.head = ring.head();
            self.free(CELLS)
        }
    }

    #[inline]
    fn free(&self, cells: usize) -> bool {
        (self.at.count.wrapping_sub(self.head) as usize) < cells
    }

    /// The next cell's payload, to be written once [`has_room`](Self::has_room) said so.
    #[inline]
    pub fn payload<'r, A: Atomics, const CELLS: usize>(&self, ring: &'r Ring<A, CELLS>) -> &'r A::Payload {
        &ring.cells[self.at.slot].payload
    }

    /// Publishes the next cell under `word`, whose top bit is the ring's.
    #[inline]
    pub fn publish<A: Atomics, const CELLS: usize>(&mut self, ring: &Ring<A, CELLS>, word: u64) {
        debug_assert!(word & LAP == 0);
        ring.cells[self.at.slot].word.store(word | self.at.lap, Release);
        self.at.step(CELLS);
    }
}

impl Default for Writer {
    fn default() -> Self {
        Self::new()
    }
}

/// The reading side's own state.
pub struct Reader {
    at: Position,
    /// Our position as the writer can know it.
    published: u32,
}

impl Reader {
    pub const fn new() -> Self {
        Reader { at: Position::START, published: 0 }
    }

    /// Cells read so far, modulo 2^32.
    #[inline]
    pub fn count(&self) -> u32 {
        self.at.count
    }

    /// The next cell's word without the ring's bit, if it has been published.
    #[inline]
    pub fn peek<A: Atomics, const CELLS: usize>(&self, ring: &Ring<A, CELLS>) -> Option<u64> {
        let word = ring.cells[self.at.slot].word.load(Acquire);
        ((word ^ self.at.lap) & LAP == 0).then_some(word & !LAP)
    }

    /// The payload of the cell that [`peek`](Self::peek) found.
    #[inline]
    pub fn payload<'r, A: Atomics, const CELLS: usize>(&self, ring: &'r Ring<A, CELLS>) -> &'r A::Payload {
        &ring.cells[self.at.slot].payload
    }

    /// Is through with the cell, and with whatever memory it named.
    #[inline]
    pub fn pass<A: Atomics, const CELLS: usize>(&mut self, _ring: &Ring<A, CELLS>) {
        self.at.step(CELLS);
    }

    /// Cells passed that the writer does not know of.
    #[inline]
    pub fn unpublished(&self) -> u32 {
        self.at.count.wrapping_sub(self.published)
    }

    /// Lets the writer know how far we are.
    #[inline]
    pub fn publish<A: Atomics, const CELLS: usize>(&mut self, ring: &Ring<A, CELLS>) {
        ring.head.0.store(self.at.count, Release);
        self.published = self.at.count;
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}
