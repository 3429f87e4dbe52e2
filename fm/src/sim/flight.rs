//! Frames on their way.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// Frames on their way to numbered places, by time of arrival.
#[derive(Default)]
pub(super) struct Flight {
    /// Time, order of sending, and index of the frame.
    arrivals: BinaryHeap<Reverse<(u64, u64, usize)>>,
    frames: Vec<(usize, Vec<u8>)>,
    free: Vec<usize>,
    count: u64,
}

impl Flight {
    /// `frame` is to arrive at `at_ns`. Lends what will.
    pub(super) fn send(&mut self, at_ns: u64, to: usize, frame: &[u8]) -> &mut [u8] {
        let index = self.free.pop().unwrap_or_else(|| {
            self.frames.push((0, Vec::new()));
            self.frames.len() - 1
        });
        self.arrivals.push(Reverse((at_ns, self.count, index)));
        self.count += 1;
        let (place, bytes) = &mut self.frames[index];
        *place = to;
        bytes.clear();
        bytes.extend_from_slice(frame);
        bytes
    }

    /// When the next one arrives.
    pub(super) fn next_ns(&self) -> Option<u64> {
        self.arrivals.peek().map(|Reverse((at_ns, ..))| *at_ns)
    }

    /// Takes the one that has arrived by `now_ns` first: where, and what. To be [given back](Self::give_back).
    pub(super) fn arrived(&mut self, now_ns: u64) -> Option<(usize, Vec<u8>)> {
        let first = self.arrivals.peek_mut().filter(|first| first.0.0 <= now_ns)?;
        let Reverse((.., index)) = PeekMut::pop(first);
        self.free.push(index);
        let (to, bytes) = &mut self.frames[index];
        Some((*to, std::mem::take(bytes)))
    }

    /// Takes a frame's buffer back, for those to come.
    pub(super) fn give_back(&mut self, bytes: Vec<u8>) {
        if let Some(&index) = self.free.last() {
            self.frames[index].1 = bytes;
        }
    }
}
