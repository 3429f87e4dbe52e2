//! Loops over the numbers that Rust has types for, written so that LLVM turns them into SIMD code.

use std::ops::{BitAnd, BitOr, BitXor};

/// `inout[i] = f(input[i], inout[i])`; unaligned addresses are fine.
///
/// # Safety
/// `count` values of `T` are readable at `input` and writable at `inout`.
#[inline(always)]
pub unsafe fn each<T: Copy>(input: *const u8, inout: *mut u8, count: usize, f: impl Fn(T, T) -> T + Copy) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the caller's promise, and the processor has AVX2.
        return unsafe { each_avx2(input, inout, count, f) };
    }
    // SAFETY: the caller's promise.
    unsafe { each_plain(input, inout, count, f) }
}

/// # Safety
/// As for [`each`].
#[inline(always)]
unsafe fn each_plain<T: Copy>(input: *const u8, inout: *mut u8, count: usize, f: impl Fn(T, T) -> T + Copy) {
    let (input, inout) = (input.cast::<T>(), inout.cast::<T>());
    for i in 0..count {
        // SAFETY: element i of those the caller vouches for.
        unsafe { inout.add(i).write_unaligned(f(input.add(i).read_unaligned(), inout.add(i).read_unaligned())) }
    }
}

/// The same loop, compiled for 32-byte vectors.
///
/// # Safety
/// As for [`each`], on a processor with AVX2.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
unsafe fn each_avx2<T: Copy>(input: *const u8, inout: *mut u8, count: usize, f: impl Fn(T, T) -> T + Copy) {
    // SAFETY: the caller's promise.
    unsafe { each_plain(input, inout, count, f) }
}

/// Integers: arithmetic wraps, as it does in C for unsigned numbers.
pub trait Integer: Copy + Ord + BitAnd<Output = Self> + BitOr<Output = Self> + BitXor<Output = Self> {
    fn plus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn truth(self) -> bool;
    fn of_truth(truth: bool) -> Self;
}

macro_rules! integers {
    ($($t:ty)*) => {$(
        impl Integer for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self.wrapping_add(other)
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
            #[inline(always)]
            fn truth(self) -> bool {
                self != 0
            }
            #[inline(always)]
            fn of_truth(truth: bool) -> Self {
                truth as $t
            }
        }
    )*};
}
integers! { i8 u8 i16 u16 i32 u32 i64 u64 i128 }

/// Floating-point numbers, native or not.
///
/// `least` and `greatest` are IEEE 754-2019's `minimum` and `maximum`: a NaN on either side gives NaN, and -0 is less than
/// +0. Whatever tree a collective reduces along, the result is the same.
pub trait Float: Copy {
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> Self;
    fn times(self, other: Self) -> Self;
    fn least(self, other: Self) -> Self;
    fn greatest(self, other: Self) -> Self;
    /// For MINLOC and MAXLOC: `None` if a NaN takes part.
    fn order(self, other: Self) -> Option<std::cmp::Ordering>;
    fn is_nan(self) -> bool;
}

macro_rules! floats {
    ($($t:ty)*) => {$(
        impl Float for $t {
            #[inline(always)]
            fn plus(self, other: Self) -> Self {
                self + other
            }
            #[inline(always)]
            fn minus(self, other: Self) -> Self {
                self - other
            }
            #[inline(always)]
            fn times(self, other: Self) -> Self {
                self * other
            }
            #[inline(always)]
            fn least(self, other: Self) -> Self {
                // Equal numbers differ at most in the sign of zero.
                let tie = <$t>::from_bits(self.to_bits() | other.to_bits());
                let number = if self < other { self } else if other < self { other } else { tie };
                if self != self || other != other { self + other } else { number }
            }
            #[inline(always)]
            fn greatest(self, other: Self) -> Self {
                let tie = <$t>::from_bits(self.to_bits() & other.to_bits());
                let number = if self > other { self } else if other > self { other } else { tie };
                if self != self || other != other { self + other } else { number }
            }
            fn order(self, other: Self) -> Option<std::cmp::Ordering> {
                self.partial_cmp(&other)
            }
            fn is_nan(self) -> bool {
                self.is_nan()
            }
        }
    )*};
}
floats! { f32 f64 }

/// A complex number as C and Fortran store it.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Complex<T> {
    re: T,
    im: T,
}

impl<T: Float> Complex<T> {
    /// The textbook product; C's rules for infinities (Annex G) are not part of the MPI standard.
    #[inline(always)]
    pub fn times(self, other: Self) -> Self {
        Complex {
            re: self.re.times(other.re).minus(self.im.times(other.im)),
            im: self.re.times(other.im).plus(self.im.times(other.re)),
        }
    }
}
