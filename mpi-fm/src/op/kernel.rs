//! Which loop applies a predefined operation to a number.

use super::Builtin;
use super::long::Long;
use super::native::{Complex, Float, Integer, each};
use super::soft::{Half, Quad};
use crate::datatype::Number;

/// Left operands, right operands and results, how many.
pub type Kernel = unsafe fn(*const u8, *mut u8, usize);

/// The loop for an operation on a number, and how many of its steps make one item: the sum of complex numbers is that of
/// twice as many real ones. `None` where there is no such operation.
pub fn of(builtin: Builtin, number: Number, complex: bool) -> Option<(Kernel, usize)> {
    let kernel = match number {
        Number::F16 => float::<Half>(builtin, complex)?,
        Number::F32 => float::<f32>(builtin, complex)?,
        Number::F64 => float::<f64>(builtin, complex)?,
        Number::Long => float::<Long>(builtin, complex)?,
        Number::F128 => float::<Quad>(builtin, complex)?,
        Number::I8 => integer::<i8>(builtin)?,
        Number::U8 => integer::<u8>(builtin)?,
        Number::I16 => integer::<i16>(builtin)?,
        Number::U16 => integer::<u16>(builtin)?,
        Number::I32 => integer::<i32>(builtin)?,
        Number::U32 => integer::<u32>(builtin)?,
        Number::I64 => integer::<i64>(builtin)?,
        Number::U64 => integer::<u64>(builtin)?,
        Number::I128 => integer::<i128>(builtin)?,
    };
    Some((kernel, if complex && builtin == Builtin::Sum { 2 } else { 1 }))
}

/// A function item that runs `each` with an expression of the two operands.
macro_rules! kernel {
    ($t:ty, $bound:ident, |$a:ident, $b:ident| $result:expr) => {{
        /// # Safety
        /// As for [`each`].
        unsafe fn run<T: $bound>(input: *const u8, inout: *mut u8, count: usize) {
            // SAFETY: the caller's promise.
            unsafe { each(input, inout, count, kernel!(@closure $t, |$a, $b| $result)) }
        }
        run::<T> as Kernel
    }};
    (@closure $t:ty, |$a:ident, $b:ident| $result:expr) => { |$a: $t, $b: $t| $result };
}

fn integer<T: Integer>(builtin: Builtin) -> Option<Kernel> {
    Some(match builtin {
        Builtin::Sum => kernel!(T, Integer, |a, b| a.plus(b)),
        Builtin::Prod => kernel!(T, Integer, |a, b| a.times(b)),
        Builtin::Min => kernel!(T, Integer, |a, b| a.min(b)),
        Builtin::Max => kernel!(T, Integer, |a, b| a.max(b)),
        Builtin::Band => kernel!(T, Integer, |a, b| a & b),
        Builtin::Bor => kernel!(T, Integer, |a, b| a | b),
        Builtin::Bxor => kernel!(T, Integer, |a, b| a ^ b),
        Builtin::Land => kernel!(T, Integer, |a, b| T::of_truth(a.truth() & b.truth())),
        Builtin::Lor => kernel!(T, Integer, |a, b| T::of_truth(a.truth() | b.truth())),
        Builtin::Lxor => kernel!(T, Integer, |a, b| T::of_truth(a.truth() ^ b.truth())),
        _ => return None,
    })
}

fn float<T: Float>(builtin: Builtin, complex: bool) -> Option<Kernel> {
    Some(match (builtin, complex) {
        (Builtin::Sum, _) => kernel!(T, Float, |a, b| a.plus(b)),
        (Builtin::Prod, false) => kernel!(T, Float, |a, b| a.times(b)),
        (Builtin::Prod, true) => kernel!(Complex<T>, Float, |a, b| a.times(b)),
        (Builtin::Min, false) => kernel!(T, Float, |a, b| a.least(b)),
        (Builtin::Max, false) => kernel!(T, Float, |a, b| a.greatest(b)),
        _ => return None,
    })
}
