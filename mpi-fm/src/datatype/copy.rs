//! Moving bytes between memory and packed form: the loops where the time goes.

use super::walk::{Sink, at};

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
            by_size!(len, N => self.to.cast::<[u8; N]>().write_unaligned(mem.cast::<[u8; N]>().read_unaligned()),
                else std::ptr::copy_nonoverlapping(mem, self.to, len));
            self.to = self.to.add(len);
        }
    }

    unsafe fn runs(&mut self, mem: *mut u8, len: usize, stride: isize, count: usize) {
        // SAFETY: as in `run`.
        unsafe {
            by_size!(len, N => gather::<N>(mem, stride, count, self.to), else for i in 0..count {
                std::ptr::copy_nonoverlapping(at(mem, i as u64, stride as i64), self.to.add(i * len), len);
            });
            self.to = self.to.add(len * count);
        }
    }
}

impl Sink for Scatter {
    #[inline]
    unsafe fn run(&mut self, mem: *mut u8, len: usize) {
        // SAFETY: the packed buffer holds the whole range of the walk, and overlaps no user memory.
        unsafe {
            by_size!(len, N => mem.cast::<[u8; N]>().write_unaligned(self.from.cast::<[u8; N]>().read_unaligned()),
                else std::ptr::copy_nonoverlapping(self.from, mem, len));
            self.from = self.from.add(len);
        }
    }

    unsafe fn runs(&mut self, mem: *mut u8, len: usize, stride: isize, count: usize) {
        // SAFETY: as in `run`.
        unsafe {
            by_size!(len, N => scatter::<N>(mem, stride, count, self.from), else for i in 0..count {
                std::ptr::copy_nonoverlapping(self.from.add(i * len), at(mem, i as u64, stride as i64), len);
            });
            self.from = self.from.add(len * count);
        }
    }
}

impl<F: FnMut(*mut u8, usize)> Sink for Each<F> {
    unsafe fn run(&mut self, mem: *mut u8, len: usize) {
        (self.0)(mem, len)
    }
}

/// # Safety
/// `to` has room for `count * N` bytes; `count` blocks of `N` bytes can be read from `mem` on, `stride` apart.
#[inline(always)]
unsafe fn gather<const N: usize>(mem: *const u8, stride: isize, count: usize, to: *mut u8) {
    let mut mem = mem;
    for i in 0..count {
        // SAFETY: block i of those the caller vouches for.
        unsafe { to.add(i * N).cast::<[u8; N]>().write_unaligned(mem.cast::<[u8; N]>().read_unaligned()) };
        mem = mem.wrapping_offset(stride);
    }
}

/// # Safety
/// As for [`gather`], the other way round.
#[inline(always)]
unsafe fn scatter<const N: usize>(mem: *mut u8, stride: isize, count: usize, from: *const u8) {
    let mut mem = mem;
    for i in 0..count {
        // SAFETY: block i of those the caller vouches for.
        unsafe { mem.cast::<[u8; N]>().write_unaligned(from.add(i * N).cast::<[u8; N]>().read_unaligned()) };
        mem = mem.wrapping_offset(stride);
    }
}
