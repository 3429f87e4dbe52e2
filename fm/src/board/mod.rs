//! Boards: where the members of a group that share memory show each other what they have to say, step by step.
//!
//! Each member has a *part* of the board, which it writes and all others read. In one *step* a member shows at most one message, to
//! everybody, then looks at those of the others that concern it, and passes. All members go through the same steps. Who shows is
//! ahead of who reads by at most [`Memory::SLOTS`] steps, and by what the part's data area holds.
//!
//! ```text
//! a part     marks    one line per member: how far it has come with this part
//!            slots    one line per step in flight: number, label, and the message if it is short
//!            data     longer messages, one after the other, round and round
//! ```
//!
//! Messages are published by one store of the step's number, and read where they lie. Nobody writes to a word that another one
//! writes. A reader tells how far it has come once in a while only: a slot whose line nobody else has touched is written without
//! waiting for that line.
//!
//! 1. This file: the protocol, over any [`Memory`], so that the model checker can run it (`tests/loom_boards.rs`).
//! 2. [`part`]: real memory, as a device shares it ([`Neighbours`]).
//! 3. [`places`]: who uses which part of a process's region.

pub mod part;
pub mod places;

use crate::packet::Peer;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

pub use part::Parts;
pub use places::{Place, Places};

/// Memory that processes have in common, beside the messages between them.
pub trait Neighbours: Send + Sync {
    /// The region that `owner` gives away parts of: of the same length for all, zero at first, mapped as long as this object lives, and
    /// aligned to a page. `None` when this process cannot see it.
    fn region(&self, owner: Peer) -> Option<NonNull<[u8]>>;

    /// What wakes each of `members`, called by their index.
    fn bell(&self, members: &[Peer]) -> Box<dyn Bell>;
}

/// Tells others that something was stored which they may sleep for.
pub trait Bell: Send + Sync {
    /// Wakes the members that sleep.
    fn ring(&self);
}

/// A message of so many bytes lies in its slot.
pub const SHORT: usize = 48;

/// What a member says about its message, so that those who expect another one find out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(C)]
pub struct Label {
    pub mark: u32,
    /// Length in bytes of the whole of which this step's message may be a piece.
    pub total: u64,
}

/// Where a message is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lies {
    InSlot,
    /// From this byte of the data area on.
    At(usize),
}

/// A word that one member stores and others load.
pub trait Word {
    fn load(&self, order: Ordering) -> u32;
    fn store(&self, value: u32, order: Ordering);
}

impl Word for AtomicU32 {
    #[inline]
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }
    #[inline]
    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }
}

/// The parts of all members. Accesses to messages must be ordered by the words: [`Board`] sees to that.
pub trait Memory {
    type Word: Word;

    /// Steps that a member may be ahead of who reads what it shows.
    const SLOTS: usize;

    /// Bytes of each part's data area: a power of two.
    fn data_size(&self) -> usize;

    /// The number of the step that the slot of this part holds.
    fn number(&self, owner: usize, slot: usize) -> &Self::Word;

    /// How far `reader` has come with the part of `owner`: it has passed all steps before this one. 1 at first.
    fn passed(&self, owner: usize, reader: usize) -> &Self::Word;

    /// Writes a label and a message of `len` bytes, which `fill` writes.
    fn write(&self, owner: usize, slot: usize, label: Label, lies: Lies, len: usize, fill: impl FnOnce(&mut [u8]));

    fn label(&self, owner: usize, slot: usize) -> Label;

    /// Reads a message of `len` bytes. `None` when there can be none of this length.
    fn read<R>(&self, owner: usize, slot: usize, len: usize, take: impl FnOnce(&[u8]) -> R) -> Option<R>;

    /// This slot will be written soon.
    fn prefetch_slot(&self, owner: usize, slot: usize) {
        let _ = (owner, slot);
    }

    /// So many bytes of the data area from `at` on, or those that there are, will be written soon.
    fn prefetch_data(&self, owner: usize, at: usize, len: usize) {
        let _ = (owner, at, len);
    }
}

/// One member's view of a board.
pub struct Board<M> {
    memory: M,
    me: usize,
    members: usize,
    /// The next to show. Numbers begin with 1, and wrap.
    step: u32,
    /// All others have passed the steps before this one.
    free: u32,
    /// Bytes of data shown so far, with those left out at the area's end; and the same after each of the last steps.
    head: u64,
    heads: Box<[u64]>,
    /// This member has passed the steps before this one, and told the others about those before `told`.
    passed: u32,
    told: u32,
}

/// Bytes of data whose lines are asked for ahead: more would be gone again, or still in the readers' hands.
const PREFETCH_MAX: usize = 4 << 10;

/// Messages begin at cache lines.
const fn padded(len: usize) -> u64 {
    len.next_multiple_of(64) as u64
}

impl<M: Memory> Board<M> {
    /// # Panics
    /// When there is no such member.
    pub fn new(memory: M, me: usize, members: usize) -> Board<M> {
        assert!(me < members && memory.data_size().is_power_of_two());
        Board { memory, me, members, step: 1, free: 1, head: 0, heads: vec![0; M::SLOTS].into(), passed: 1, told: 1 }
    }

    #[inline]
    fn slot(step: u32) -> usize {
        step as usize % M::SLOTS
    }

    pub fn me(&self) -> usize {
        self.me
    }

    pub fn members(&self) -> usize {
        self.members
    }

    pub fn memory(&self) -> &M {
        &self.memory
    }

    /// Steps that a member passes at most without telling.
    const UNTOLD_MAX: u32 = M::SLOTS as u32 / 4;

    /// A step with so many bytes is told at once.
    #[inline]
    fn much(&self) -> usize {
        self.memory.data_size() / (4 * Self::UNTOLD_MAX as usize)
    }

    /// Longest message in bytes: beside it, and what the area's end costs, there is room for all that the others may have passed without
    /// telling, a quarter of the data area, and for some messages that are being read.
    pub fn longest(&self) -> usize {
        self.memory.data_size() / 16 * 3
    }

    /// Whether a message of `len` bytes can be shown now. If not, some member has yet to pass what lies in its place.
    #[inline]
    pub fn has_room(&mut self, len: usize) -> bool {
        debug_assert!(len <= self.longest());
        self.fits(len) || {
            self.free = self.slowest();
            self.fits(len)
        }
    }

    #[inline]
    fn fits(&self, len: usize) -> bool {
        if self.step.wrapping_sub(self.free) >= M::SLOTS as u32 {
            return false;
        }
        // A short message takes nothing of the data area.
        len <= SHORT || self.place(len).1 - self.tail() <= self.memory.data_size() as u64
    }

    /// Where in the data area a count of its bytes is.
    #[inline]
    fn at(&self, head: u64) -> usize {
        head as usize & (self.memory.data_size() - 1)
    }

    /// The data before this has been passed by all.
    fn tail(&self) -> u64 {
        if self.free == self.step { self.head } else { self.heads[Self::slot(self.free.wrapping_sub(1))] }
    }

    /// Where a message of `len` bytes goes, and where the data ends then.
    fn place(&self, len: usize) -> (Lies, u64) {
        if len <= SHORT {
            return (Lies::InSlot, self.head);
        }
        let left = (self.memory.data_size() - self.at(self.head)) as u64;
        let start = if left < padded(len) { self.head + left } else { self.head };
        (Lies::At(self.at(start)), start + padded(len))
    }

    /// The first step that not all others have passed.
    #[cold]
    fn slowest(&self) -> u32 {
        let others = (0..self.members).filter(|&member| member != self.me);
        let behind = others.map(|reader| {
            // After this, its reads of what we are about to overwrite are over.
            let passed = self.memory.passed(self.me, reader).load(Ordering::Acquire);
            // Some may be ahead of this member.
            (self.step.wrapping_sub(passed) as i32).max(0) as u32
        });
        self.step.wrapping_sub(behind.max().unwrap_or(0))
    }

    /// The member that has passed the fewest steps of this one's part: whom it waits for that has no room.
    pub fn hindmost(&self) -> usize {
        let others = (0..self.members).filter(|&member| member != self.me);
        let behind = |&reader: &usize| self.step.wrapping_sub(self.memory.passed(self.me, reader).load(Ordering::Relaxed)) as i32;
        others.max_by_key(behind).unwrap_or(self.me)
    }

    /// Shows a message of `len` bytes, for which there [is room](Self::has_room), as this member's part of the next step. Returns the
    /// step's number. Who may be waiting for it is to be woken.
    #[inline]
    pub fn show(&mut self, label: Label, len: usize, fill: impl FnOnce(&mut [u8])) -> u32 {
        debug_assert!(self.fits(len));
        let (step, place) = (self.step, Self::slot(self.step));
        let (lies, end) = self.place(len);
        self.memory.write(self.me, place, label, lies, len, fill);
        self.memory.number(self.me, place).store(step, Ordering::Release);
        self.head = end;
        self.ended(len);
        step
    }

    /// Shows nothing in the next step, at which nobody may look then. Returns its number.
    #[inline]
    pub fn skip(&mut self) -> u32 {
        let step = self.step;
        self.ended(0);
        step
    }

    /// `len` bytes were shown in this step: likely that many will be in the next. Their lines come from the readers' caches, while this
    /// member waits for what the others show.
    #[inline]
    fn ended(&mut self, len: usize) {
        self.heads[Self::slot(self.step)] = self.head;
        self.step = self.step.wrapping_add(1);
        self.memory.prefetch_slot(self.me, Self::slot(self.step));
        if len > SHORT {
            self.memory.prefetch_data(self.me, self.at(self.head), len.min(PREFETCH_MAX));
        }
    }

    /// What `member` says about its message in a step, once it has shown it.
    #[inline]
    pub fn look(&self, member: usize, step: u32) -> Option<Label> {
        self.is_shown(member, step).then(|| self.memory.label(member, Self::slot(step)))
    }

    /// Whether `member` has shown its message of a step.
    #[inline]
    pub fn is_shown(&self, member: usize, step: u32) -> bool {
        self.memory.number(member, Self::slot(step)).load(Ordering::Acquire) == step
    }

    /// Reads the message of `len` bytes that `member` [has shown](Self::look) in a step not passed yet. `None` when it cannot have that
    /// length.
    #[inline]
    pub fn read<R>(&self, member: usize, step: u32, len: usize, take: impl FnOnce(&[u8]) -> R) -> Option<R> {
        debug_assert!(self.is_shown(member, step) && step.wrapping_sub(self.passed) < M::SLOTS as u32);
        self.memory.read(member, Self::slot(step), len, take)
    }

    /// This member has done with the steps up to this one, in which `len` is the length of the longest message: for all members
    /// alike. Returns whether the others were told, and are to be woken if they wait for it.
    #[inline]
    pub fn pass(&mut self, step: u32, len: usize) -> bool {
        self.passed = step.wrapping_add(1);
        let due = len > self.much() || self.passed.wrapping_sub(self.told) >= Self::UNTOLD_MAX;
        if due {
            self.tell();
        }
        due
    }

    fn tell(&mut self) {
        self.told = self.passed;
        for owner in (0..self.members).filter(|&member| member != self.me) {
            self.memory.passed(owner, self.me).store(self.passed, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests;
