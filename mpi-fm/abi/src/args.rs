//! Arguments of C functions: pointers checked before they are followed.
//!
//! A null pointer is found out; that any other leads to what the standard asks for is the caller's promise.

use mpi_fm::{Class, Error, Result};
use std::ffi::{CStr, c_char, c_int};

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
pub fn length(name: &str, count: c_int) -> Result<usize> {
    usize::try_from(count).map_err(|_| Error::new(Class::ARG, format!("{name} is {count}; it cannot be negative")))
}

/// Writes an output argument.
///
/// # Safety
/// If not null, `pointer` is writable.
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

/// An output argument that is written later, after what cannot be undone.
pub fn check<T>(name: &str, pointer: *const T) -> Result<()> {
    if pointer.is_null() { Err(null(name)) } else { Ok(()) }
}

fn null(name: &str) -> Error {
    Error::new(Class::ARG, format!("{name} is a null pointer"))
}
