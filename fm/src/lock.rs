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
    state: Cell<State>,
    raw: RawMutex,
    value: UnsafeCell<T>,
}

/// How a lock is taken, and for a single thread whether it is: one byte to look at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Free,
    Held,
    /// Several threads: the mutex decides, and this never changes.
    Mutex,
}

// SAFETY: with `Multiple`, `raw` is held during every access to `value`, and `state` is only read. With `Single` the process promised
// (by the thread level it asked for) that its calls do not overlap, so that all accesses are ordered by the caller.
unsafe impl<T: Send> Sync for ThreadLock<T> {}

impl<T> ThreadLock<T> {
    pub const fn new(threading: Threading, value: T) -> Self {
        let state = match threading {
            Threading::Single => State::Free,
            Threading::Multiple => State::Mutex,
        };
        ThreadLock { state: Cell::new(state), raw: RawMutex::INIT, value: UnsafeCell::new(value) }
    }

    /// Takes the lock, waiting for another thread that holds it.
    ///
    /// # Panics
    /// With [`Threading::Single`], when the lock is held already.
    #[inline]
    pub fn lock(&self) -> Guard<'_, T> {
        match self.state.get() {
            State::Free => self.state.set(State::Held),
            State::Held => taken_twice(),
            State::Mutex => self.lock_mutex(),
        }
        Guard { lock: self }
    }

    // Apart, so that what takes many locks in a row stays small for a single thread.
    #[inline(never)]
    fn lock_mutex(&self) {
        self.raw.lock();
    }

    /// # Safety
    /// The caller holds the lock, by the mutex.
    #[inline(never)]
    unsafe fn unlock_mutex(&self) {
        // SAFETY: the caller's.
        unsafe { self.raw.unlock() };
    }

    /// Takes the lock if it is free.
    #[inline]
    pub fn try_lock(&self) -> Option<Guard<'_, T>> {
        let taken = match self.state.get() {
            State::Free => {
                self.state.set(State::Held);
                true
            }
            State::Held => false,
            State::Mutex => self.raw.try_lock(),
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
        match self.lock.state.get() {
            // SAFETY: this guard took the mutex, and is dropped once.
            State::Mutex => unsafe { self.lock.unlock_mutex() },
            State::Free | State::Held => self.lock.state.set(State::Free),
        }
    }
}

#[cold]
fn taken_twice() -> ! {
    panic!("a lock was taken twice by one thread");
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
