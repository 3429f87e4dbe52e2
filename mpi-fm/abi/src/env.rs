//! The environment: versions, clocks, memory.

use crate::instance::Instance;
use crate::types::MPI_Aint;
use std::ffi::c_double;

pub unsafe fn wtime(_: &Instance) -> c_double {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `now` is writable; this clock always exists.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut now) };
    now.tv_sec as f64 + now.tv_nsec as f64 * 1e-9
}

pub unsafe fn wtick(_: &Instance) -> c_double {
    1e-9
}

/// Addresses are added as unsigned numbers of their size: no overflow (MPI 5.0 section 5.1.5).
pub unsafe fn aint_add(_: &Instance, base: MPI_Aint, disp: MPI_Aint) -> MPI_Aint {
    base.wrapping_add(disp)
}

pub unsafe fn aint_diff(_: &Instance, addr1: MPI_Aint, addr2: MPI_Aint) -> MPI_Aint {
    addr1.wrapping_sub(addr2)
}
