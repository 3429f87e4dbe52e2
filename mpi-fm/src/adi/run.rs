//! Posted receives of one source and tag, in a row.
//!
//! Most programs post receives that are alike one after the other, or have one at a time. Those stand here, where adding and taking is a
//! push and a pop; what does not fit goes into the [`Lists`](super::lists::Lists), which have room for any.

use super::lists::Key;
use std::collections::VecDeque;

/// A posted receive.
pub struct Posted<R> {
    /// Receives are numbered in the order of posting: of several that accept a message the first takes it.
    pub order: u64,
    pub receive: R,
}

/// Receives under one key, the oldest first. While it holds any, all receives under its key are here.
pub struct Run<R> {
    key: Key,
    queue: VecDeque<Posted<R>>,
}

impl<R> Default for Run<R> {
    fn default() -> Self {
        Run { key: (0, 0), queue: VecDeque::new() }
    }
}

impl<R> Run<R> {
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }

    pub fn key(&self) -> Key {
        self.key
    }

    /// Whether a receive under `key` is to be added here; `elsewhere` says whether there are some outside.
    #[inline]
    pub fn admits(&mut self, key: Key, elsewhere: impl FnOnce() -> bool) -> bool {
        if !self.queue.is_empty() {
            return key == self.key;
        }
        if elsewhere() {
            return false;
        }
        if self.queue.capacity() > LARGE {
            self.queue = VecDeque::new();
        }
        self.key = key;
        true
    }

    #[inline]
    pub fn push(&mut self, posted: Posted<R>) {
        self.queue.push_back(posted);
    }

    /// The oldest under `key`.
    #[inline]
    pub fn first(&self, key: Key) -> Option<&Posted<R>> {
        if key == self.key { self.queue.front() } else { None }
    }

    /// Takes the oldest under `key`.
    #[inline]
    pub fn pop(&mut self, key: Key) -> Option<R> {
        if key != self.key {
            return None;
        }
        self.queue.pop_front().map(|posted| posted.receive)
    }

    /// The receive whose order ends in the lower 31 bits of `order`.
    pub fn get(&self, order: u32) -> Option<&Posted<R>> {
        self.queue.get(self.place(order)?)
    }

    /// Takes the receive whose order ends in the lower 31 bits of `order` out of the row: at a cost that grows with how far it is from both ends.
    pub fn remove(&mut self, order: u32) -> Option<R> {
        Some(self.queue.remove(self.place(order)?)?.receive)
    }

    fn place(&self, order: u32) -> Option<usize> {
        // They are sorted. Between the oldest and the newest others may have been posted elsewhere, more of them than 31 bits can count.
        let (oldest, newest) = (self.queue.front()?.order, self.queue.back()?.order);
        let first = oldest + u64::from(order.wrapping_sub(oldest as u32) & u32::MAX >> 1);
        let mut candidates = (first..=newest).step_by(1 << 31);
        candidates.find_map(|wanted| self.queue.binary_search_by_key(&wanted, |posted| posted.order).ok())
    }

    pub fn iter(&self) -> impl Iterator<Item = &Posted<R>> {
        self.queue.iter()
    }
}

/// Receives for which an empty row keeps room; more is given back to the system before the next one.
const LARGE: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_of_one_key_until_it_is_empty() {
        let mut run = Run::default();
        assert!(!run.admits((1, 7), || true));
        assert!(run.admits((1, 7), || false));
        run.push(Posted { order: 5, receive: "a" });
        assert!(run.admits((1, 7), || true) && !run.admits((1, 8), || false));
        assert_eq!((run.pop((1, 8)), run.pop((1, 7)), run.pop((1, 7))), (None, Some("a"), None));
        assert!(run.admits((1, 8), || false));
    }

    #[test]
    fn receives_are_found_by_their_order_also_when_its_lower_half_wraps() {
        let mut run = Run::default();
        let first = u64::from(u32::MAX) - 1;
        for order in [first, first + 1, first + 3, first + 6] {
            run.push(Posted { order, receive: order });
        }
        assert!(run.get((first + 2) as u32).is_none() && run.get((first + 7) as u32).is_none());
        assert_eq!(run.remove((first + 3) as u32), Some(first + 3));
        assert_eq!(run.get((first + 6) as u32).map(|posted| posted.receive), Some(first + 6));
        assert_eq!((run.pop((0, 0)), run.len()), (Some(first), 2));
    }
}
