//! Memory that a collective needs for itself.

use crate::buf::Buf;
use crate::datatype::Datatype;
use parking_lot::Mutex;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// Allocated in cache lines, so that every type is aligned.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code)] MaybeUninit<[u8; 64]>);

const LINE: usize = size_of::<Line>();

type Lines = Box<[UnsafeCell<Line>]>;

/// Long scratch memory of calls that are over, for the next ones: memory fresh from the system costs a fault for each page, and several times
/// as much where another process is the first to touch it, reading or writing it by the kernel.
#[derive(Default)]
pub struct Spare(Mutex<Vec<Lines>>);

/// Of less the allocator takes care.
const SPARE_MIN: usize = (64 << 10) / LINE;
/// No more is kept in all.
const SPARE_MAX: usize = (16 << 20) / LINE;

// SAFETY: plain bytes that nobody uses.
unsafe impl Send for Spare {}
// SAFETY: as above, and under a lock.
unsafe impl Sync for Spare {}

impl Spare {
    /// The smallest block of so many lines or more that is not far too long.
    fn take(&self, lines: usize) -> Option<Lines> {
        let mut blocks = self.0.lock();
        let fits = |block: &Lines| (lines..=4 * lines).contains(&block.len());
        let best = (0..blocks.len()).filter(|&index| fits(&blocks[index])).min_by_key(|&index| blocks[index].len())?;
        Some(blocks.remove(best))
    }

    /// Keeps a block. The oldest ones make room for it.
    fn give_back(&self, block: Lines) {
        if !(SPARE_MIN..=SPARE_MAX).contains(&block.len()) {
            return;
        }
        let mut blocks = self.0.lock();
        blocks.push(block);
        while blocks.iter().map(|block| block.len()).sum::<usize>() > SPARE_MAX {
            blocks.remove(0);
        }
    }
}

/// Room for some items of a datatype, with whatever holes and bounds it has. Small ones take no allocation.
///
/// It must outlive the messages that use its [`buf`](Scratch::buf), and not move meanwhile: the algorithms keep it in a local
/// variable of the `async fn`, declared before the messages are started.
pub struct Scratch<'a> {
    small: UnsafeCell<Line>,
    large: Lines,
    spare: Option<Arc<Spare>>,
    /// From the memory's beginning to the address of the first item.
    offset: isize,
    count: usize,
    ty: &'a Arc<Datatype>,
}

// SAFETY: plain bytes, which are only touched through buffers that follow the rules of `Buf`.
unsafe impl Sync for Scratch<'_> {}

impl<'a> Scratch<'a> {
    pub fn new(spare: &Arc<Spare>, count: usize, ty: &'a Arc<Datatype>) -> Scratch<'a> {
        let steps = (count.max(1) - 1) as i64 * ty.extent();
        let lowest = ty.true_lb() + steps.min(0);
        let len = if count == 0 { 0 } else { (ty.true_extent() + steps.abs()) as usize };
        // Items keep their alignment: the shift is a multiple of every basic type's.
        let offset = -(lowest.div_euclid(LINE as i64) * LINE as i64);
        let len = len + lowest.rem_euclid(LINE as i64) as usize;
        let lines = if len <= LINE { 0 } else { len.div_ceil(LINE) };
        let spare = (lines >= SPARE_MIN).then(|| spare.clone());
        let large = spare.as_ref().and_then(|spare| spare.take(lines)).unwrap_or_else(|| blank_lines(lines));
        let small = UnsafeCell::new(Line(MaybeUninit::uninit()));
        Scratch { small, large, spare, offset: offset as isize, count, ty }
    }

    pub fn buf(&self) -> Buf<'_> {
        let start = match &*self.large {
            [] => self.small.get(),
            lines => UnsafeCell::raw_get(lines.as_ptr()),
        };
        let start = start.cast::<u8>();
        // SAFETY: the memory has room for `count` items there; who uses the buffer keeps the scratch (see the type).
        unsafe { Buf::new(start.wrapping_offset(self.offset), self.count, self.ty) }
    }
}

impl Drop for Scratch<'_> {
    fn drop(&mut self) {
        if let Some(spare) = &self.spare {
            spare.give_back(std::mem::take(&mut self.large));
        }
    }
}

fn blank_lines(count: usize) -> Lines {
    let mut lines = Vec::with_capacity(count);
    // SAFETY: the room is there, and a line is valid uninitialised.
    unsafe { lines.set_len(count) };
    lines.into_boxed_slice()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datatype::{Basic, Form, Predefined};

    #[test]
    fn items_lie_inside_and_are_aligned() {
        let types = Predefined::new();
        let int = types.get(Basic::MPI_INT);
        let vector = Datatype::vector(Form::Int, 3, 1, 5, int).unwrap();
        for extent in [-400, -4, 0, 4, 200] {
            for lb in [-100, 0, 36] {
                let ty = Datatype::resized(Form::Int, &vector, lb, extent).unwrap();
                for count in [0, 1, 2, 7] {
                    let scratch = Scratch::new(&Arc::default(), count, &ty);
                    let buf = scratch.buf();
                    let (low, high) = match scratch.large.as_ptr_range() {
                        range if range.is_empty() => (scratch.small.get() as usize, scratch.small.get() as usize + LINE),
                        range => (range.start as usize, range.end as usize),
                    };
                    buf.for_each_piece(0, buf.bytes() as usize, |addr, len| {
                        assert!(addr as usize >= low && addr as usize + len <= high);
                        assert!((addr as usize).is_multiple_of(4));
                    });
                }
            }
        }
    }

    #[test]
    fn long_blocks_are_used_again() {
        let types = Predefined::new();
        let byte = types.get(Basic::MPI_BYTE);
        let spare = Arc::new(Spare::default());
        let address = |len| Scratch::new(&spare, len, byte).buf().addr();
        let kept = || spare.0.lock().iter().map(|block| block.len() * LINE).collect::<Vec<_>>();
        let first = address(1 << 20);
        assert_eq!(address(1 << 19), first);
        assert_eq!(kept(), [1 << 20]);
        address(1 << 10);
        address(32 << 20);
        assert_eq!(kept(), [1 << 20], "neither short ones nor huge ones");
        address(15 << 20);
        address(2 << 20);
        assert_eq!(kept(), [2 << 20], "the oldest go");
    }
}
