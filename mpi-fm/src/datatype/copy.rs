//! Moving bytes between memory and packed form: the loops where the time goes.

use super::walk::{Fields, Sink, at, one_by_one};

/// Gathers into a packed buffer.
pub struct Gather {
    pub to: *mut u8,
}

/// Scatters from a packed buffer.
pub struct Scatter {
    pub from: *const u8,
}

/// Calls a function.
pub struct Each<F>(pub F);

/// Fixed-size copies for the sizes that element types and small structs have; the compiler turns each into a few moves.
macro_rules! by_size {
    ($len:expr, $N:ident => $fixed:expr, else $general:expr) => {{
        macro_rules! arm {
            ($n:literal) => {{
                const $N: usize = $n;
                $fixed
            }};
        }
        match $len {
            1 => arm!(1),
            2 => arm!(2),
            4 => arm!(4),
            8 => arm!(8),
            12 => arm!(12),
            16 => arm!(16),
            24 => arm!(24),
            32 => arm!(32),
            _ => $general,
        }
    }};
}

impl Sink for Gather {
    #[inline]
    unsafe fn run(&mut self, mem: *mut u8, len: usize) {
        // SAFETY: the packed buffer has room for the whole range of the walk, and overlaps no user memory.
        unsafe {
            by_size!(len, N => move_block::<N>(mem, self.to),
                else std::ptr::copy_nonoverlapping(mem, self.to, len));
            self.to = self.to.add(len);
        }
    }

    unsafe fn runs(&mut self, mem: *mut u8, len: usize, stride: isize, count: usize) {
        // SAFETY: as in `run`.
        unsafe {
            gather(len, mem, stride, count, self.to, len);
            self.to = self.to.add(len * count);
        }
    }

    unsafe fn blocks(&mut self, mem: *mut u8, len: usize, disps: &[i64]) {
        // SAFETY: as in `run`.
        unsafe {
            by_size!(len, N => for (i, &disp) in disps.iter().enumerate() {
                move_block::<N>(mem.wrapping_offset(disp as isize), self.to.add(i * N));
            }, else for (i, &disp) in disps.iter().enumerate() {
                std::ptr::copy_nonoverlapping(mem.wrapping_offset(disp as isize), self.to.add(i * len), len);
            });
            self.to = self.to.add(len * disps.len());
        }
    }

    unsafe fn items(&mut self, mem: *mut u8, fields: Fields<'_>, stride: isize, count: usize) {
        // SAFETY: as in `run`; each field of each item goes to its own place in the packed item.
        unsafe {
            field_by_field(mem, fields, stride, count, |len, place, n, start| {
                gather(len, place, stride, n, self.to.add(start), fields.size);
            });
            self.to = self.to.add(fields.size * count);
        }
    }
}

impl Sink for Scatter {
    #[inline]
    unsafe fn run(&mut self, mem: *mut u8, len: usize) {
        // SAFETY: the packed buffer holds the whole range of the walk, and overlaps no user memory.
        unsafe {
            by_size!(len, N => move_block::<N>(self.from, mem),
                else std::ptr::copy_nonoverlapping(self.from, mem, len));
            self.from = self.from.add(len);
        }
    }

    unsafe fn runs(&mut self, mem: *mut u8, len: usize, stride: isize, count: usize) {
        // SAFETY: as in `run`.
        unsafe {
            scatter(len, mem, stride, count, self.from, len);
            self.from = self.from.add(len * count);
        }
    }

    unsafe fn blocks(&mut self, mem: *mut u8, len: usize, disps: &[i64]) {
        // SAFETY: as in `run`.
        unsafe {
            by_size!(len, N => for (i, &disp) in disps.iter().enumerate() {
                move_block::<N>(self.from.add(i * N), mem.wrapping_offset(disp as isize));
            }, else for (i, &disp) in disps.iter().enumerate() {
                std::ptr::copy_nonoverlapping(self.from.add(i * len), mem.wrapping_offset(disp as isize), len);
            });
            self.from = self.from.add(len * disps.len());
        }
    }

    unsafe fn items(&mut self, mem: *mut u8, fields: Fields<'_>, stride: isize, count: usize) {
        // Receiving into overlapping data is erroneous (MPI 5.0 section 5.1.11), but the last byte should win there, too.
        if !fields.are_apart(stride) {
            // SAFETY: the caller's.
            return unsafe { one_by_one(self, mem, fields, stride, count) };
        }
        // SAFETY: as in `run`.
        unsafe {
            field_by_field(mem, fields, stride, count, |len, place, n, start| {
                scatter(len, place, stride, n, self.from.add(start), fields.size);
            });
            self.from = self.from.add(fields.size * count);
        }
    }
}

impl<F: FnMut(*mut u8, usize)> Sink for Each<F> {
    unsafe fn run(&mut self, mem: *mut u8, len: usize) {
        (self.0)(mem, len)
    }
}

/// Items whose fields are moved together: few enough to stay in the first-level cache until the last field is done.
const ITEMS: usize = 64;

/// An array of structures, one field after the other: the inner loop then moves one size only. Calls
/// `each(length, first place, items, packed start)`.
#[inline(always)]
fn field_by_field(
    mem: *mut u8,
    fields: Fields<'_>,
    stride: isize,
    count: usize,
    mut each: impl FnMut(usize, *mut u8, usize, usize),
) {
    for first in (0..count).step_by(ITEMS) {
        let (item, n) = (at(mem, first as u64, stride as i64), ITEMS.min(count - first));
        for j in 0..fields.disps.len() {
            let place = item.wrapping_offset(fields.disps[j] as isize);
            each(fields.len(j), place, n, first * fields.size + fields.start(j));
        }
    }
}

/// # Safety
/// `N` bytes are readable at `from` and writable at `to`.
#[inline(always)]
unsafe fn move_block<const N: usize>(from: *const u8, to: *mut u8) {
    // SAFETY: the caller's.
    unsafe { to.cast::<[u8; N]>().write_unaligned(from.cast::<[u8; N]>().read_unaligned()) }
}

/// Moves `count` blocks of `len` bytes, `stride` apart in memory, to places `step` apart.
///
/// # Safety
/// All blocks are readable, all places writable, and they do not overlap.
unsafe fn gather(len: usize, mem: *const u8, stride: isize, count: usize, to: *mut u8, step: usize) {
    // SAFETY: (all below) block i of those the caller vouches for.
    unsafe {
        by_size!(len, N => {
            let (mut mem, mut to) = (mem, to);
            for _ in 0..count {
                move_block::<N>(mem, to);
                (mem, to) = (mem.wrapping_offset(stride), to.wrapping_add(step));
            }
        }, else for i in 0..count {
            std::ptr::copy_nonoverlapping(at(mem.cast_mut(), i as u64, stride as i64), to.add(i * step), len);
        });
    }
}

/// As [`gather`], the other way round.
///
/// # Safety
/// As for [`gather`].
unsafe fn scatter(len: usize, mem: *mut u8, stride: isize, count: usize, from: *const u8, step: usize) {
    // SAFETY: (all below) block i of those the caller vouches for.
    unsafe {
        by_size!(len, N => {
            let (mut mem, mut from) = (mem, from);
            for _ in 0..count {
                move_block::<N>(from, mem);
                (mem, from) = (mem.wrapping_offset(stride), from.wrapping_add(step));
            }
        }, else for i in 0..count {
            std::ptr::copy_nonoverlapping(from.add(i * step), at(mem, i as u64, stride as i64), len);
        });
    }
}
