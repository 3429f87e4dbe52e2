//! Arguments of C functions: pointers checked before they are followed.
//!
//! A null pointer is found out; that any other leads to what the standard asks for is the caller's promise.

use crate::count::Count;
use crate::rank::Rank;
use crate::types::MPI_Datatype;
use mpi_fm::{Buf, Class, Datatype, Error, Result};
use std::ffi::{CStr, c_char, c_int, c_void};

/// The array that `pointer` leads to. With no elements it may be null. `name` is the parameter's.
///
/// # Safety
/// If not null, `pointer` leads to `count` elements that live and stay unchanged for `'a`.
pub unsafe fn array<'a, T>(name: &str, pointer: *const T, count: usize) -> Result<&'a [T]> {
    match (count, pointer.is_null()) {
        (0, _) => Ok(&[]),
        (_, true) => Err(null(name)),
        // SAFETY: the caller's promise.
        _ => Ok(unsafe { std::slice::from_raw_parts(pointer, count) }),
    }
}

/// As [`array`], to be written.
///
/// # Safety
/// As for [`array`], and nobody else uses the elements.
pub unsafe fn array_mut<'a, T>(name: &str, pointer: *mut T, count: usize) -> Result<&'a mut [T]> {
    match (count, pointer.is_null()) {
        (0, _) => Ok(&mut []),
        (_, true) => Err(null(name)),
        // SAFETY: the caller's promise.
        _ => Ok(unsafe { std::slice::from_raw_parts_mut(pointer, count) }),
    }
}

/// The number of elements of an array argument.
#[inline]
pub fn length(name: &str, count: c_int) -> Result<usize> {
    usize::try_from(count).map_err(|_| negative_length(name, count))
}

#[cold]
fn negative_length(name: &str, count: c_int) -> Error {
    Error::new(Class::ARG, format!("{name} is {count}; it cannot be negative"))
}

/// Writes an output argument.
///
/// # Safety
/// If not null, `pointer` is writable.
#[inline]
pub unsafe fn put<T>(name: &str, pointer: *mut T, value: T) -> Result<()> {
    check(name, pointer)?;
    // SAFETY: not null, and the caller's promise.
    unsafe { pointer.write(value) };
    Ok(())
}

/// Reads an input-output argument.
///
/// # Safety
/// If not null, `pointer` leads to a `T`.
pub unsafe fn get<T: Copy>(name: &str, pointer: *const T) -> Result<T> {
    check(name, pointer)?;
    // SAFETY: not null, and the caller's promise.
    Ok(unsafe { pointer.read() })
}

/// A C string without its NUL.
///
/// # Safety
/// If not null, `pointer` leads to a string that ends with NUL and stays unchanged for `'a`.
pub unsafe fn text<'a>(name: &str, pointer: *const c_char) -> Result<&'a [u8]> {
    check(name, pointer)?;
    // SAFETY: not null, and the caller's promise.
    Ok(unsafe { CStr::from_ptr(pointer) }.to_bytes())
}

/// Writes the first `room - 1` bytes of `text` and a NUL.
///
/// # Safety
/// If not null, `pointer` has room for `room` bytes, at least 1.
pub unsafe fn put_text(name: &str, pointer: *mut c_char, text: &[u8], room: usize) -> Result<()> {
    check(name, pointer)?;
    let count = text.len().min(room - 1);
    // SAFETY: `count + 1 <= room` bytes, which the caller promises are there.
    unsafe {
        pointer.copy_from_nonoverlapping(text.as_ptr().cast(), count);
        pointer.add(count).write(0);
    }
    Ok(())
}

/// As [`put_text`], with the length of what was written in `length`: the standard's `resultlen`.
///
/// # Safety
/// As for [`put_text`] and [`put`].
pub unsafe fn put_string(pointer: *mut c_char, length: *mut c_int, room: usize, text: &[u8]) -> Result<()> {
    // SAFETY: the caller's.
    unsafe {
        put("resultlen", length, text.len().min(room - 1) as c_int)?;
        put_text("the string", pointer, text, room)
    }
}

/// An output argument that is written later, after what cannot be undone.
#[inline]
pub fn check<T>(name: &str, pointer: *const T) -> Result<()> {
    if pointer.is_null() { Err(null(name)) } else { Ok(()) }
}

#[cold]
fn null(name: &str) -> Error {
    Error::new(Class::ARG, format!("{name} is a null pointer"))
}

/// A count that may not be negative.
///
/// # Errors
/// `MPI_ERR_COUNT`
#[inline]
pub fn count<N: Count>(count: N) -> Result<usize> {
    usize::try_from(count.get()).map_err(|_| negative(count.get()))
}

#[cold]
fn negative(count: i64) -> Error {
    Error::new(Class::COUNT, format!("the count {count} is negative"))
}

impl Rank {
    /// A buffer to communicate from or into.
    ///
    /// # Errors
    /// `MPI_ERR_COUNT`, `MPI_ERR_TYPE`, and `MPI_ERR_BUFFER` for a null pointer that is not `MPI_BOTTOM` with absolute addresses.
    ///
    /// # Safety
    /// As for [`Buf::new`].
    #[inline(always)]
    pub unsafe fn buf<N: Count>(&self, addr: *const c_void, n: N, datatype: MPI_Datatype) -> Result<Buf<'_>> {
        let (count, ty) = (count(n)?, self.committed(datatype)?);
        // Nothing lies in the first page: data there is data at no address.
        let nowhere = (addr as usize).wrapping_add(ty.true_lb() as usize) < 4096;
        if nowhere && count > 0 && ty.size() > 0 {
            return Err(bad_buffer(addr, count, ty));
        }
        // SAFETY: the caller's.
        Ok(unsafe { Buf::new(addr.cast_mut().cast(), count, ty) })
    }
}

#[cold]
fn bad_buffer(addr: *const c_void, count: usize, ty: &Datatype) -> Error {
    let ty = ty.describe();
    let what = match addr as usize {
        0 => "a null pointer".to_owned(),
        1 => "MPI_IN_PLACE, which has no meaning here".to_owned(),
        2 => "MPI_BUFFER_AUTOMATIC, which has no meaning here".to_owned(),
        addr => format!("the address {addr:#x}"),
    };
    Error::new(Class::BUFFER, format!("the buffer of {count} items of {ty} is {what}"))
}
