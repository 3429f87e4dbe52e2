//! Handles as integers (MPI 5.0 sections 19.3.4 and 20.3): they are integers already.

use crate::instance::Instance;
use crate::types::CHandle;
use std::ffi::c_int;

/// `MPI_X_toint`, `MPI_X_c2f`. A bit pattern that no library call ever returned becomes -1.
pub unsafe fn to_int<H: CHandle>(_: &Instance, handle: H) -> c_int {
    handle.handle() as c_int
}

/// `MPI_X_fromint`, `MPI_X_f2c`. An integer that is no handle becomes a handle that every call refuses.
pub unsafe fn from_int<H: CHandle>(_: &Instance, number: c_int) -> H {
    H::from_handle(number as u32)
}
