//! Storage with stable addresses, looked up by number without a lock.

use fm::{ThreadLock, Threading};
use std::mem::MaybeUninit;
use std::sync::atomic::{AtomicPtr, AtomicU32, Ordering};

/// Slots in the first chunk, which is enough for most; each further chunk is twice as large as the one before.
const FIRST: u32 = 1024;
const CHUNKS: usize = 13;

/// Slots of `T`, numbered from 0, made on demand by one function and never moved.
///
/// Handing numbers out and back takes a lock; [`get`](Arena::get) takes none.
pub struct Arena<T> {
    chunks: [AtomicPtr<T>; CHUNKS],
    /// Slots that exist: those below were handed out at least once.
    len: AtomicU32,
    free: ThreadLock<Vec<u32>>,
    make: Box<dyn Fn() -> T + Send + Sync>,
}

// SAFETY: an arena owns its slots and hands out only shared references to them.
unsafe impl<T: Send + Sync> Send for Arena<T> {}
// SAFETY: as above; growing is serialised by `free`.
unsafe impl<T: Send + Sync> Sync for Arena<T> {}

/// Chunk and place in it of slot `index`.
#[inline]
const fn place(index: u32) -> (usize, usize) {
    if index < FIRST {
        return (0, index as usize);
    }
    let biased = index + FIRST;
    // It is not 0, which the compiler does not know.
    let log = (biased | 1).ilog2();
    ((log - FIRST.ilog2()) as usize, (biased ^ 1 << log) as usize)
}

impl<T> Arena<T> {
    /// Most slots that an arena can have.
    pub const CAPACITY: u32 = FIRST * ((1 << CHUNKS) - 1);

    /// An arena whose new slots `make` fills. With [`Threading::Single`], numbers are handed out by one thread at a time.
    pub fn new(threading: Threading, make: impl Fn() -> T + Send + Sync + 'static) -> Self {
        Arena {
            chunks: [const { AtomicPtr::new(std::ptr::null_mut()) }; CHUNKS],
            len: AtomicU32::new(0),
            free: ThreadLock::new(threading, Vec::new()),
            make: Box::new(make),
        }
    }

    /// Hands out a slot that nobody uses, the one freed last if there is one; `None` when all are in use.
    #[inline(always)]
    pub fn take(&self) -> Option<(u32, &T)> {
        let index = {
            let mut free = self.free.lock();
            free.pop().or_else(|| self.add())?
        };
        // SAFETY: a slot that was made.
        Some((index, unsafe { self.slot(index) }))
    }

    /// A slot that was never handed out. The caller holds the lock of `free`.
    #[cold]
    fn add(&self) -> Option<u32> {
        let index = self.len.load(Ordering::Relaxed);
        if index == Self::CAPACITY {
            return None;
        }
        let (chunk, offset) = place(index);
        if offset == 0 {
            // Slots are made when they are handed out, so that those never used take no memory.
            let slots = Box::<[T]>::new_uninit_slice((FIRST as usize) << chunk);
            self.chunks[chunk].store(Box::into_raw(slots).cast(), Ordering::Release);
        }
        let slots = self.chunks[chunk].load(Ordering::Relaxed);
        // SAFETY: the chunk has this place, and nobody looks there before `len` says so.
        unsafe { slots.add(offset).write((self.make)()) };
        self.len.store(index + 1, Ordering::Release);
        Some(index)
    }

    /// Takes a slot back. It keeps its contents.
    #[inline]
    pub fn give_back(&self, index: u32) {
        debug_assert!(index < self.len.load(Ordering::Relaxed));
        self.free.lock().push(index);
    }

    /// The slot, in use or not; `None` if no such slot was ever handed out.
    #[inline]
    pub fn get(&self, index: u32) -> Option<&T> {
        if index >= self.len.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: `len` grows past `index` only after that slot was made.
        Some(unsafe { self.slot(index) })
    }

    /// # Safety
    /// The slot was made.
    #[inline(always)]
    unsafe fn slot(&self, index: u32) -> &T {
        let (chunk, offset) = place(index);
        let slots = self.chunks[chunk].load(Ordering::Acquire);
        // SAFETY: it is there, and chunks live as long as `self`.
        unsafe { &*slots.add(offset) }
    }

    /// All slots that were ever handed out.
    pub fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..self.len.load(Ordering::Acquire)).filter_map(|index| Some((index, self.get(index)?)))
    }
}

impl<T> Drop for Arena<T> {
    fn drop(&mut self) {
        let mut left = *self.len.get_mut() as usize;
        for (chunk, slots) in self.chunks.iter_mut().enumerate() {
            let (slots, size) = (*slots.get_mut(), (FIRST as usize) << chunk);
            if slots.is_null() {
                break;
            }
            let made = left.min(size);
            // SAFETY: the first `made` slots of the chunk were made, and nobody uses them any more.
            unsafe { std::ptr::slice_from_raw_parts_mut(slots, made).drop_in_place() };
            let memory = std::ptr::slice_from_raw_parts_mut(slots.cast::<MaybeUninit<T>>(), size);
            // SAFETY: the pointer came from `Box::into_raw` of a slice of just this length.
            drop(unsafe { Box::from_raw(memory) });
            left -= made;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn places_are_dense() {
        let mut expected = (0, 0);
        for index in 0..100_000 {
            assert_eq!(place(index), expected);
            expected.1 += 1;
            if expected.1 == (FIRST as usize) << expected.0 {
                expected = (expected.0 + 1, 0);
            }
        }
    }

    #[test]
    fn slots_that_were_made_are_dropped_and_no_others() {
        let slot = Arc::new(());
        let arena = Arena::new(Threading::Single, {
            let slot = Arc::clone(&slot);
            move || Arc::clone(&slot)
        });
        (0..FIRST + 3).for_each(|_| assert!(arena.take().is_some()));
        assert_eq!(Arc::strong_count(&slot), FIRST as usize + 3 + 2);
        drop(arena);
        assert_eq!(Arc::strong_count(&slot), 1);
    }

    #[test]
    fn slots_stay_and_are_reused() {
        let arena = Arena::new(Threading::Single, || AtomicU32::new(0));
        let taken: Vec<u32> = (0..5000).map(|_| arena.take().unwrap().0).collect();
        for &index in &taken {
            arena.get(index).unwrap().store(index + 7, Ordering::Relaxed);
        }
        assert!(taken.iter().all(|&i| arena.get(i).unwrap().load(Ordering::Relaxed) == i + 7));
        assert!(arena.get(5000).is_none());
        arena.give_back(5);
        assert_eq!(arena.take().map(|(index, _)| index), Some(5));
    }
}
