//! The environment: versions, names, clocks, memory (MPI 5.0 chapter 9).

use crate::args::{put, put_string};
use crate::host;
use crate::instance::Instance;
use crate::rank::Rank;
use crate::types::{MPI_Aint, MPI_Info};
use mpi_fm::{Result, bail};
use std::ffi::{c_char, c_double, c_int, c_void};

/// `MPI_VERSION`, `MPI_SUBVERSION`.
const STANDARD: (c_int, c_int) = (5, 0);
const MAX_LIBRARY_VERSION_STRING: usize = 8192;
const MAX_PROCESSOR_NAME: usize = 256;

pub unsafe fn get_version(_: &Instance, version: *mut c_int, subversion: *mut c_int) -> Result<()> {
    // SAFETY: the caller's.
    unsafe {
        put("version", version, STANDARD.0)?;
        put("subversion", subversion, STANDARD.1)
    }
}

pub unsafe fn get_library_version(_: &Instance, version: *mut c_char, resultlen: *mut c_int) -> Result<()> {
    let text = format!(
        "HPVM {} (MPI {}.{}, standard ABI {}.{}, {})",
        env!("CARGO_PKG_VERSION"),
        STANDARD.0,
        STANDARD.1,
        crate::abi::VERSION.0,
        crate::abi::VERSION.1,
        std::env::consts::ARCH,
    );
    // SAFETY: the caller's.
    unsafe { put_string(version, resultlen, MAX_LIBRARY_VERSION_STRING, text.as_bytes()) }
}

pub unsafe fn get_processor_name(rank: &Rank, name: *mut c_char, resultlen: *mut c_int) -> Result<()> {
    let text = rank.process.host.processor_name();
    // SAFETY: the caller's.
    unsafe { put_string(name, resultlen, MAX_PROCESSOR_NAME, text.as_bytes()) }
}

/// Of the job's clock while there is a rank; else of the machine's.
pub unsafe fn wtime(instance: &Instance) -> c_double {
    instance.rank().map_or_else(host::seconds, |rank| rank.process.host.wtime())
}

pub unsafe fn wtick(_: &Instance) -> c_double {
    host::resolution()
}

/// The library records no profile: every level is accepted and nothing follows (MPI 5.0 section 15.2.4). Tools replace this.
pub unsafe fn pcontrol(_: &Rank, _level: c_int) -> Result<()> {
    Ok(())
}

/// Ordinary memory: every device takes it as well as any other. The alignment suits vector instructions and keeps buffers on
/// cache lines of their own.
const ALIGNMENT: usize = 64;

pub unsafe fn alloc_mem(_: &Rank, size: MPI_Aint, _info: MPI_Info, baseptr: *mut c_void) -> Result<()> {
    let Ok(size) = usize::try_from(size) else { bail!(ARG, "the size {size} is negative") };
    let mut memory = std::ptr::null_mut();
    // SAFETY: `memory` is writable; the alignment is a power of two and a multiple of a pointer's size.
    let failed = unsafe { libc::posix_memalign(&mut memory, ALIGNMENT, size.max(1)) };
    if failed != 0 {
        bail!(NO_MEM, "there is no memory for {size} bytes");
    }
    // SAFETY: the caller's: `baseptr` is the address of a pointer.
    let put = unsafe { put("baseptr", baseptr.cast::<*mut c_void>(), memory) };
    if put.is_err() {
        // SAFETY: allocated above, and nobody else has it.
        unsafe { libc::free(memory) };
    }
    put
}

pub unsafe fn free_mem(_: &Rank, base: *mut c_void) -> Result<()> {
    // SAFETY: the caller passes what `alloc_mem` returned, once; null is fine.
    unsafe { libc::free(base) };
    Ok(())
}

/// Addresses are added as unsigned numbers of their size: no overflow (MPI 5.0 section 5.1.5).
pub unsafe fn aint_add(_: &Instance, base: MPI_Aint, disp: MPI_Aint) -> MPI_Aint {
    base.wrapping_add(disp)
}

pub unsafe fn aint_diff(_: &Instance, addr1: MPI_Aint, addr2: MPI_Aint) -> MPI_Aint {
    addr1.wrapping_sub(addr2)
}
