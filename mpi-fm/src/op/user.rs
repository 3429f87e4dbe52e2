//! The user's own reduction functions (MPI 5.0 section 6.9.5).

use std::ffi::{c_int, c_void};
use std::sync::Arc;

use crate::datatype::Datatype;

/// MPI_User_function: left operands, right operands and results, their number, the datatype's handle.
pub type UserFunction = unsafe extern "C" fn(*mut c_void, *mut c_void, *mut c_int, *mut *mut c_void);

/// MPI_User_function_c.
pub type UserFunctionLarge = unsafe extern "C" fn(*mut c_void, *mut c_void, *mut i64, *mut *mut c_void);

/// The most items that one call of an `int` function gets.
const ITEMS_PER_CALL: usize = 1 << 30;

/// A handle as C sees it: a pointer that is only a number.
fn c_handle(ty: &Datatype) -> *mut c_void {
    std::ptr::without_provenance_mut(ty.handle() as usize)
}

/// # Safety
/// As for [`super::Op::apply`]; the function keeps its contract.
pub unsafe fn apply(function: UserFunction, input: *const u8, inout: *mut u8, count: usize, ty: &Arc<Datatype>) {
    // SAFETY: the caller's promise.
    unsafe { apply_in_calls_of(ITEMS_PER_CALL, function, input, inout, count, ty) }
}

/// # Safety
/// As for [`apply`].
unsafe fn apply_in_calls_of(
    items: usize,
    function: UserFunction,
    input: *const u8,
    inout: *mut u8,
    count: usize,
    ty: &Arc<Datatype>,
) {
    let mut done = 0;
    while done < count {
        let mut n = (count - done).min(items) as c_int;
        let step = (done as isize).wrapping_mul(ty.extent() as isize);
        done += n as usize;
        let mut handle = c_handle(ty);
        let left = input.cast_mut().wrapping_offset(step).cast();
        // SAFETY: items `done ..` of the caller's buffers; the function may write its scalar arguments, which are ours.
        unsafe { function(left, inout.wrapping_offset(step).cast(), &mut n, &mut handle) }
    }
}

/// # Safety
/// As for [`super::Op::apply`]; the function keeps its contract.
pub unsafe fn apply_large(
    function: UserFunctionLarge,
    input: *const u8,
    inout: *mut u8,
    count: usize,
    ty: &Arc<Datatype>,
) {
    let mut count = count as i64;
    let mut handle = c_handle(ty);
    // SAFETY: the caller's buffers; the function may write its scalar arguments, which are ours.
    unsafe { function(input.cast_mut().cast(), inout.cast(), &mut count, &mut handle) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datatype::{Basic, Predefined};

    /// `inout = 10 * input + inout`, which is not commutative; counts its calls in the last element.
    unsafe extern "C" fn digits(input: *mut c_void, inout: *mut c_void, len: *mut c_int, ty: *mut *mut c_void) {
        // SAFETY: the test passes `len` ints, and the function's contract holds.
        unsafe {
            assert_eq!((*ty).addr(), 0x209);
            for i in 0..*len as usize {
                *inout.cast::<i32>().add(i) += 10 * *input.cast::<i32>().add(i);
            }
            // The standard does not forbid it, and it must not disturb the loop.
            *len = -1;
        }
    }

    #[test]
    fn large_counts_are_split_and_operands_keep_their_sides() {
        let types = Predefined::new();
        let input = [1, 2, 3, 4, 5, 6, 7];
        let mut inout = [7, 6, 5, 4, 3, 2, 1];
        let (from, to) = (input.as_ptr().cast(), inout.as_mut_ptr().cast());
        // SAFETY: seven ints each.
        unsafe { apply_in_calls_of(3, digits, from, to, 7, types.get(Basic::MPI_INT)) };
        assert_eq!(inout, [17, 26, 35, 44, 53, 62, 71]);
    }
}
