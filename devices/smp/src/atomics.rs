//! The shim that lets the protocols run on real atomics and under the model checker.
//!
//! [`ring`](crate::ring) and [`doorbell`](crate::doorbell) are generic over [`Atomics`]; production uses [`Native`], the tests
//! under `tests/loom` bring loom's types.

use crate::ring::{Cell, INLINE_SIZE};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A family of atomic types, and of cells' payloads: plain bytes that the protocol hands from one side to the other, accessed only by
/// who may at the time. The model checker reports any overlap.
pub trait Atomics: Sized {
    type U32: Atomic<u32>;
    type U64: Atomic<u64>;
    type Payload;

    /// Writes to the payload of a span: that of its first cell, and the whole cells after it, in one piece.
    fn write<R>(span: &[Cell<Self>], access: impl FnOnce(*mut u8) -> R) -> R;
    /// Reads from it.
    fn read<R>(span: &[Cell<Self>], access: impl FnOnce(*const u8) -> R) -> R;
}

pub trait Atomic<T> {
    fn load(&self, order: Ordering) -> T;
    fn store(&self, value: T, order: Ordering);
}

/// The machine's own atomics. Zeroed memory is a valid value of each.
pub struct Native;

impl Atomics for Native {
    type U32 = AtomicU32;
    type U64 = AtomicU64;
    type Payload = Inline;

    #[inline]
    fn write<R>(span: &[Cell<Self>], access: impl FnOnce(*mut u8) -> R) -> R {
        // From the whole slice, not from its first payload: the pointer may reach over the cells behind.
        access(span.as_ptr().cast::<u8>().wrapping_add(WORD_SIZE).cast_mut())
    }

    #[inline]
    fn read<R>(span: &[Cell<Self>], access: impl FnOnce(*const u8) -> R) -> R {
        access(span.as_ptr().cast::<u8>().wrapping_add(WORD_SIZE))
    }
}

const WORD_SIZE: usize = size_of::<AtomicU64>();

impl Atomic<u32> for AtomicU32 {
    #[inline]
    fn load(&self, order: Ordering) -> u32 {
        self.load(order)
    }
    #[inline]
    fn store(&self, value: u32, order: Ordering) {
        self.store(value, order);
    }
}

impl Atomic<u64> for AtomicU64 {
    #[inline]
    fn load(&self, order: Ordering) -> u64 {
        self.load(order)
    }
    #[inline]
    fn store(&self, value: u64, order: Ordering) {
        self.store(value, order);
    }
}

#[repr(transparent)]
pub struct Inline(UnsafeCell<[u8; INLINE_SIZE]>);

// SAFETY: the ring's protocol says who accesses the bytes when; every access through the pointers is `unsafe` and argues so.
unsafe impl Sync for Inline {}
