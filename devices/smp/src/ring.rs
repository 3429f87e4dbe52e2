//! The ring between a pair of processes: one writes cells, the other reads them, in shared memory.
//!
//! A cell is one cache line: a 64-bit word and a payload. The word is FM's header with this device's 16 bits on top, and is
//! stored last, with one release store: whoever sees it sees the payload, and a small message costs one cache miss. The
//! word's top bit says in which lap over the ring it was written, so that the reader knows a fresh word from the one of the
//! lap before, and nothing has to be cleared. Zeroed memory is an empty ring.
//!
//! A larger message lies in a *span* of cells: its payload goes on over the cells behind the first, words and all, so that it is in
//! one piece. The word says how long it is, and the reader goes on behind it. Two things follow. A span does not reach over the
//! ring's end: the writer *skips* the last cells where they are too few, and may do so earlier. And what a payload left in the place of a word may
//! look like a fresh one: the writer blanks it before it publishes the span ahead of it.
//!
//! The reader tells how far it has come in `head`, which has a cache line of its own, and not after every cell, but before it waits: the
//! writer looks at it only when the ring seems full.
//!
//! Both sides keep their positions in memory of their own. What the other side scribbles over the ring can garble messages
//! but never leads an index astray.

use crate::atomics::{Atomic, Atomics};
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

/// The memory shared by the two.
#[repr(C)]
pub struct Ring<A: Atomics, C: ?Sized = [Cell<A>]> {
    /// How many cells the reader is through with, modulo 2^32; written by the reader alone.
    pub head: Line<A::U32>,
    pub cells: C,
}

/// A value with a cache line of its own.
#[repr(C, align(64))]
pub struct Line<T>(pub T);

#[repr(C, align(64))]
pub struct Cell<A: Atomics> {
    pub word: A::U64,
    pub payload: A::Payload,
}

/// Size of a cell in bytes.
pub const CELL_SIZE: usize = 64;

/// What the first cell of a span holds beside its word.
pub const INLINE_SIZE: usize = CELL_SIZE - size_of::<u64>();

/// The bit that alternates with every lap; the first lap writes ones.
const LAP: u64 = 1 << 63;

/// How many cells a payload of `len` bytes takes.
#[inline]
pub const fn cells_for(len: usize) -> usize {
    if len <= INLINE_SIZE { 1 } else { 1 + (len - INLINE_SIZE).div_ceil(CELL_SIZE) }
}

/// No span has a larger payload, however large the ring: a word says up to 16 KiB.
pub const SPAN_SIZE_MAX: usize = 11 << 10;

/// The largest payload that lies in a ring of so many cells; three of them fit.
pub fn span_size_max(cells: usize) -> usize {
    (INLINE_SIZE + (cells / 3).saturating_sub(1) * CELL_SIZE).min(SPAN_SIZE_MAX)
}

impl<A: Atomics> Ring<A> {
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

    /// Behind a span of a ring of `cells`, which does not reach over its end.
    #[inline]
    fn after(&self, span: usize, cells: usize) -> Position {
        let (count, next) = (self.count.wrapping_add(span as u32), self.slot + span);
        if next >= cells {
            Position { count, slot: 0, lap: self.lap ^ LAP }
        } else {
            Position { count, slot: next, lap: self.lap }
        }
    }
}

/// What may lie in the place of a cell's word: in which laps it looks fresh.
#[derive(Clone, Copy)]
struct Leftover(u8);

impl Leftover {
    /// Zeroed memory.
    const NOTHING: Leftover = Leftover::word(0);
    /// Bytes of a payload.
    const ANYTHING: Leftover = Leftover(0b11);

    /// A word written in the lap `lap`.
    const fn word(lap: u64) -> Leftover {
        Leftover(1 << (lap >> 63))
    }

    #[inline]
    fn looks_fresh(self, lap: u64) -> bool {
        self.0 >> (lap >> 63) & 1 != 0
    }
}

/// The largest ring.
pub const CELLS_MAX: usize = 4096;

/// The writing side's own state.
pub struct Writer {
    at: Position,
    /// The reader's position as last seen.
    head: u32,
    cells: usize,
    /// By slot: as many as a power of two, so that finding one takes no check.
    leftovers: Box<[Leftover]>,
}

impl Writer {
    /// The writer of an empty ring of `cells`: 2 to [`CELLS_MAX`], one of which stays free.
    pub fn new(cells: usize) -> Self {
        assert!((2..=CELLS_MAX).contains(&cells), "a ring of {cells} cells");
        let leftovers = vec![Leftover::NOTHING; cells.next_power_of_two()].into();
        Writer { at: Position::START, head: 0, cells, leftovers }
    }

    /// Cells passed so far, modulo 2^32.
    #[inline]
    pub fn count(&self) -> u32 {
        self.at.count
    }

    /// The reader's position as [`has_room`](Self::has_room) saw it last.
    pub fn head_seen(&self) -> u32 {
        self.head
    }

    /// Whether the next `span` cells may be written. They must not reach over the ring's end: the writer skips what is left, if it is too
    /// little, by publishing it as a span of its own.
    #[inline]
    pub fn has_room<A: Atomics>(&mut self, ring: &Ring<A>, span: usize) -> bool {
        self.free(span) || {
            self.head = ring.head();
            self.free(span)
        }
    }

    /// Whether so many cells are known to be free, and the one behind them, which may have to be blanked.
    #[inline]
    fn free(&self, needed: usize) -> bool {
        self.at.count.wrapping_sub(self.head) as usize + needed < self.cells
    }

    /// How many cells are left before the ring's end.
    #[inline]
    pub fn cells_to_end(&self) -> usize {
        self.cells - self.at.slot
    }

    /// How many cells there are between the ring's start and the next one.
    pub fn cells_from_start(&self) -> usize {
        self.at.slot
    }

    /// The memory of the next `span` cells but for the word, to be written once [`has_room`](Self::has_room) said so.
    #[inline]
    pub fn payload<A: Atomics, R>(&mut self, ring: &Ring<A>, span: usize, access: impl FnOnce(*mut u8) -> R) -> R {
        let slots = self.at.slot..self.at.slot + span;
        if span > 1 {
            self.leftovers[slots.clone()][1..].fill(Leftover::ANYTHING);
        }
        A::write(&ring.cells[slots], access)
    }

    #[inline]
    fn leftover(&mut self, slot: usize) -> &mut Leftover {
        let mask = self.leftovers.len() - 1;
        &mut self.leftovers[slot & mask]
    }

    /// Publishes the next `span` cells under `word`, whose top bit is the ring's.
    #[inline]
    pub fn publish<A: Atomics>(&mut self, ring: &Ring<A>, word: u64, span: usize) {
        debug_assert!(word & LAP == 0);
        let next = self.at.after(span, self.cells);
        if self.leftover(next.slot).looks_fresh(next.lap) {
            // The reader looks there once it has seen our word, which the release orders behind this.
            ring.cells[next.slot].word.store(next.lap ^ LAP, Relaxed);
            *self.leftover(next.slot) = Leftover::word(next.lap ^ LAP);
        }
        ring.cells[self.at.slot].word.store(word | self.at.lap, Release);
        *self.leftover(self.at.slot) = Leftover::word(self.at.lap);
        self.at = next;
    }

    /// Takes the line of the next cell, known to be free, back from the reader, which has just looked at it or will do so soon: asking for the
    /// line is not enough where this process has a copy that it may only read.
    #[inline]
    pub fn touch<A: Atomics>(&mut self, ring: &Ring<A>) {
        let blank = self.at.lap ^ LAP;
        ring.cells[self.at.slot].word.store(blank, Relaxed);
        *self.leftover(self.at.slot) = Leftover::word(blank);
    }

    /// A cell that will be written soon, if it is free.
    #[inline]
    pub fn ahead<'r, A: Atomics>(&self, ring: &'r Ring<A>, distance: usize) -> Option<&'r Cell<A>> {
        if self.free(distance) { ring.cells.get(self.at.slot + distance) } else { None }
    }

    /// The cells behind the one at which the reader looks, as many as that, if they are free; those at the ring's start if the end is near.
    #[inline]
    pub fn next_cells<'r, A: Atomics>(&mut self, ring: &'r Ring<A>, count: usize) -> &'r [Cell<A>] {
        let left = self.cells_to_end();
        let (first, needed) = if count < left { (self.at.slot, count) } else { (0, left + count) };
        if !self.free(needed) {
            self.head = ring.head();
        }
        if self.free(needed) { &ring.cells[first + 1..=first + count] } else { &[] }
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

    /// Cells passed so far, modulo 2^32.
    #[inline]
    pub fn count(&self) -> u32 {
        self.at.count
    }

    /// The next cell's word without the ring's bit, if it has been published.
    #[inline]
    pub fn peek<A: Atomics>(&self, ring: &Ring<A>) -> Option<u64> {
        let word = ring.cells[self.at.slot].word.load(Acquire);
        ((word ^ self.at.lap) & LAP == 0).then_some(word & !LAP)
    }

    /// The payload of the span that begins with the cell that [`peek`](Self::peek) found, or none if it reaches over the ring's end.
    #[inline]
    pub fn payload<A: Atomics, R>(&self, ring: &Ring<A>, span: usize, access: impl FnOnce(*const u8) -> R) -> Option<R> {
        ring.cells.get(self.at.slot..self.at.slot + span).map(|cells| A::read(cells, access))
    }

    /// A cell behind the next one, which the writer may have written already.
    #[inline]
    pub fn ahead<'r, A: Atomics>(&self, ring: &'r Ring<A>, distance: usize) -> Option<&'r Cell<A>> {
        ring.cells.get(self.at.slot + distance)
    }

    /// How many cells are left before the ring's end.
    #[inline]
    pub fn cells_to_end<A: Atomics>(&self, ring: &Ring<A>) -> usize {
        ring.cells.len() - self.at.slot
    }

    /// Is through with `span` cells, and with whatever memory they named.
    #[inline]
    pub fn pass<A: Atomics>(&mut self, ring: &Ring<A>, span: usize) {
        self.at = self.at.after(span, ring.cells.len());
    }

    /// Cells passed that the writer does not know of.
    #[inline]
    pub fn unpublished(&self) -> u32 {
        self.at.count.wrapping_sub(self.published)
    }

    /// Lets the writer know how far we are.
    #[inline]
    pub fn publish<A: Atomics>(&mut self, ring: &Ring<A>) {
        ring.head.0.store(self.at.count, Release);
        self.published = self.at.count;
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}
