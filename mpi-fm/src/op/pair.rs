//! MPI_MINLOC and MPI_MAXLOC (MPI 5.0 section 6.9.4): the extreme value, and the lowest index at which it occurs.

use std::cmp::Ordering;

use super::Builtin;
use super::long::Long;
use super::native::{Float, Integer};
use super::soft::{Half, Quad};
use crate::datatype::{Basic, Number};

/// The values or indices of a pair, compared where they lie.
type Compare = unsafe fn(*const u8, *const u8) -> Ordering;

/// # Safety
/// `count` pairs are readable at `input` and writable at `inout`, `extent` bytes apart.
pub unsafe fn apply(
    builtin: Builtin,
    value: Basic,
    index: Basic,
    input: *const u8,
    inout: *mut u8,
    count: usize,
    extent: i64,
) {
    let index_at = crate::datatype::predefined::index_offset(value, index) as usize;
    let (values, indices) = (compare(value.number(), builtin), compare(index.number(), Builtin::Minloc));
    let (value_size, index_size) = (value.size() as usize, index.size() as usize);
    for i in 0..count {
        let step = (i as isize).wrapping_mul(extent as isize);
        let (left, right) = (input.wrapping_offset(step), inout.wrapping_offset(step));
        // SAFETY: pair i of those the caller vouches for; its index stands `index_at` bytes after its value.
        unsafe {
            let better = values(left, right).then_with(|| indices(left.add(index_at), right.add(index_at)));
            if better == Ordering::Less {
                std::ptr::copy_nonoverlapping(left, right, value_size);
                std::ptr::copy_nonoverlapping(left.add(index_at), right.add(index_at), index_size);
            }
        }
    }
}

/// How two numbers compare: `Less` where the left one wins.
fn compare(number: Number, builtin: Builtin) -> Compare {
    match number {
        Number::I8 => of_integers::<i8>(builtin),
        Number::U8 => of_integers::<u8>(builtin),
        Number::I16 => of_integers::<i16>(builtin),
        Number::U16 => of_integers::<u16>(builtin),
        Number::I32 => of_integers::<i32>(builtin),
        Number::U32 => of_integers::<u32>(builtin),
        Number::I64 => of_integers::<i64>(builtin),
        Number::U64 => of_integers::<u64>(builtin),
        Number::I128 => of_integers::<i128>(builtin),
        Number::F16 => of_floats::<Half>(builtin),
        Number::F32 => of_floats::<f32>(builtin),
        Number::F64 => of_floats::<f64>(builtin),
        Number::Long => of_floats::<Long>(builtin),
        Number::F128 => of_floats::<Quad>(builtin),
    }
}

/// # Safety
/// Both lead to a `T`.
unsafe fn both<T: Copy>(a: *const u8, b: *const u8) -> (T, T) {
    // SAFETY: the caller's.
    unsafe { (a.cast::<T>().read_unaligned(), b.cast::<T>().read_unaligned()) }
}

fn of_integers<T: Integer>(builtin: Builtin) -> Compare {
    /// # Safety
    /// As for [`both`].
    unsafe fn least<T: Integer>(a: *const u8, b: *const u8) -> Ordering {
        // SAFETY: the caller's.
        let (a, b) = unsafe { both::<T>(a, b) };
        a.cmp(&b)
    }
    /// # Safety
    /// As for [`both`].
    unsafe fn greatest<T: Integer>(a: *const u8, b: *const u8) -> Ordering {
        // SAFETY: the caller's.
        unsafe { least::<T>(b, a) }
    }
    if builtin == Builtin::Maxloc { greatest::<T> } else { least::<T> }
}

fn of_floats<T: Float>(builtin: Builtin) -> Compare {
    /// # Safety
    /// As for [`both`].
    unsafe fn least<T: Float>(a: *const u8, b: *const u8) -> Ordering {
        // SAFETY: the caller's.
        let (a, b) = unsafe { both::<T>(a, b) };
        a.order(b).unwrap_or_else(|| nan_first(a, b))
    }
    /// # Safety
    /// As for [`both`].
    unsafe fn greatest<T: Float>(a: *const u8, b: *const u8) -> Ordering {
        // SAFETY: the caller's.
        let (a, b) = unsafe { both::<T>(a, b) };
        b.order(a).unwrap_or_else(|| nan_first(a, b))
    }
    if builtin == Builtin::Maxloc { greatest::<T> } else { least::<T> }
}

/// A NaN wins over every number, so that the result does not depend on the order of reduction.
fn nan_first<T: Float>(a: T, b: T) -> Ordering {
    b.is_nan().cmp(&a.is_nan())
}
