//! The shim that lets the protocols run on real atomics and under the model checker.
//!
//! [`ring`](crate::ring) and [`doorbell`](crate::doorbell) are generic over [`Atomics`]; production uses [`Native`], the tests
//! under `tests/loom` bring loom's types.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

/// A family of atomic types.
pub trait Atomics {
    type U32: Atomic<u32>;
    type U64: Atomic<u64>;
    /// The payload of a cell: plain bytes that the protocol hands from one side to the other.
    type Payload: Payload;
}

pub trait Atomic<T> {
    fn load(&self, order: Ordering) -> T;
    fn store(&self, value: T, order: Ordering);
}

/// Plain memory, accessed only by who may at the time: the model checker reports any overlap.
pub trait Payload {
    fn write<R>(&self, access: impl FnOnce(*mut u8) -> R) -> R;
    fn read<R>(&self, access: impl FnOnce(*const u8) -> R) -> R;
}

/// The machine's own atomics. Zeroed memory is a valid value of each.
pub struct Native;

impl Atomics for Native {
    type U32 = AtomicU32;
    type U64 = AtomicU64;
    type Payload = Inline;
}

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

/// What a cell holds beside its word.
pub const INLINE_SIZE: usize = 56;

#[repr(transparent)]
pub struct Inline(UnsafeCell<[u8; INLINE_SIZE]>);

// SAFETY: the ring's protocol says who accesses the bytes when; every access through the pointers is `unsafe` and argues so.
unsafe impl Sync for Inline {}

impl Payload for Inline {
    #[inline]
    fn write<R>(&self, access: impl FnOnce(*mut u8) -> R) -> R {
        access(self.0.get().cast())
    }
    #[inline]
    fn read<R>(&self, access: impl FnOnce(*const u8) -> R) -> R {
        access(self.0.get().cast_const().cast())
    }
}
