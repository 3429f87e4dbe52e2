//! Memory that a collective needs for itself.

use crate::buf::Buf;
use crate::datatype::Datatype;
use std::cell::UnsafeCell;
use std::mem::MaybeUninit;
use std::sync::Arc;

/// Allocated in cache lines, so that every type is aligned.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Line(#[allow(dead_code)] MaybeUninit<[u8; 64]>);

const LINE: usize = size_of::<Line>();

/// Room for some items of a datatype, with whatever holes and bounds it has. Small ones take no allocation.
///
/// It must outlive the messages that use its [`buf`](Scratch::buf), and not move meanwhile: the algorithms keep it in a local
/// variable of the `async fn`, declared before the messages are started.
pub struct Scratch<'a> {
    small: UnsafeCell<Line>,
    large: Box<[UnsafeCell<Line>]>,
    /// From the memory's beginning to the address of the first item.
    offset: isize,
    count: usize,
    ty: &'a Arc<Datatype>,
}

// SAFETY: plain bytes, which are only touched through buffers that follow the rules of `Buf`.
unsafe impl Sync for Scratch<'_> {}

impl<'a> Scratch<'a> {
    pub fn new(count: usize, ty: &'a Arc<Datatype>) -> Scratch<'a> {
        let steps = (count.max(1) - 1) as i64 * ty.extent();
        let lowest = ty.true_lb() + steps.min(0);
        let len = if count == 0 { 0 } else { (ty.true_extent() + steps.abs()) as usize };
        // Items keep their alignment: the shift is a multiple of every basic type's.
        let offset = -(lowest.div_euclid(LINE as i64) * LINE as i64);
        let len = len + lowest.rem_euclid(LINE as i64) as usize;
        let lines = if len <= LINE { 0 } else { len.div_ceil(LINE) };
        let blank = || UnsafeCell::new(Line(MaybeUninit::uninit()));
        let mut large = Vec::with_capacity(lines);
        // SAFETY: the room is there, and a line is valid uninitialised.
        unsafe { large.set_len(lines) };
        Scratch { small: blank(), large: large.into_boxed_slice(), offset: offset as isize, count, ty }
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
                    let scratch = Scratch::new(count, &ty);
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
}
