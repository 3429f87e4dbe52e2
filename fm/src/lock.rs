//! A lock that costs nothing while the process has one thread.

#![allow(unsafe_code)] // The cell behind the lock; each use is explained.

use parking_lot::RawMutex;
use parking_lot::lock_api::RawMutex as _;
use std::cell::{Cell, UnsafeCell};
use std::ops::{Deref, DerefMut};

/// How many threads of a process may be inside at once: decided when the process starts, the same for all its locks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Threading {
    /// One thread at a time: locks only check that they are not taken twice.
    Single,
    /// Any number of threads: locks are mutexes.
    Multiple,
}

/// Guards a `T` shared by the threads of a process, if there are several.
///
/// With [`Threading::Single`] taking it is a load, a store and an assertion that it was free: a handler that reached for
/// what its caller holds is a bug that must not corrupt anything.
pub struct ThreadLock<T> {
    threading: Threading,
    raw: RawMutex,
    held: Cell<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: with `Multiple`, `raw` is held during every access to `held` and `value`. With `Single` the process promised
// (by the thread level it asked for) that its calls do not overlap, so that all accesses are ordered by the caller.
unsafe impl<T: Send> Sync for ThreadLock<T> {}

impl<T> ThreadLock<T> {
    pub const fn new(threading: Threading, value: T) -> Self {
        ThreadLock { threading, raw: RawMutex::INIT, held: Cell::new(false), value: UnsafeCell::new(value) }
    }

    /// Takes the lock, waiting for another thread that holds it.
    ///
    /// # Panics
    /// With [`Threading::Single`], when the lock is held already.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        match self.threading {
            Threading::Single => assert!(!self.held.replace(true), "a lock was taken twice by one thread"),
            Threading::Multiple => self.raw.lock(),
        }
        Guard { lock: self }
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        let taken = match self.threading {
            Threading::Single => !self.held.replace(true),
            Threading::Multiple => self.raw.try_lock(),
        };
        // Not `then_some`: a guard that is made and dropped would release another thread's lock.
        taken.then(|| Guard { lock: self })
    }
}

/// Holds a [`ThreadLock`] until dropped.
pub struct Guard<'l, T> {
    lock: &'l ThreadLock<T>,
}

impl<T> Deref for Guard<'_, T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the guard exists only while the lock is held, so nobody has a `&mut` to the value.
        unsafe { &*self.lock.value.get() }
    }
}

impl<T> DerefMut for Guard<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and `&mut self` makes this the only reference through the guard.
        unsafe { &mut *self.lock.value.get() }
    }
}

impl<T> Drop for Guard<'_, T> {
    #[inline]
    fn drop(&mut self) {
        match self.lock.threading {
            Threading::Single => self.lock.held.set(false),
            // SAFETY: this guard took the mutex, and is dropped once.
            Threading::Multiple => unsafe { self.lock.raw.unlock() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_taker_is_refused() {
        for threading in [Threading::Single, Threading::Multiple] {
            let lock = ThreadLock::new(threading, 1);
            let guard = lock.lock();
            assert!(lock.try_lock().is_none());
            assert!(lock.try_lock().is_none(), "a refusal leaves the lock as it was");
            drop(guard);
            assert_eq!(*lock.lock(), 1);
        }
    }

    #[test]
    fn threads_exclude_each_other() {
        let lock = ThreadLock::new(Threading::Multiple, 0u64);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| *lock.lock() += 1));
            }
        });
        assert_eq!(*lock.lock(), 40_000);
    }
}
