//! What a program may ask about the ABI, and what a Fortran layer tells about its compiler (MPI 5.0 chapter 20).

use crate::args::{array, put};
use crate::instance::Instance;
use crate::types::{MPI_Aint, MPI_Count, MPI_Info, MPI_Offset};
use mpi_fm::info::Info;
use mpi_fm::{Result, bail};
use std::ffi::{c_int, c_void};
use std::sync::Arc;

/// `MPI_ABI_VERSION`, `MPI_ABI_SUBVERSION`.
pub const VERSION: (c_int, c_int) = (1, 0);

/// What the Fortran layer has told. Each may be told once: datatypes and logicals must not change under a running program.
#[derive(Default)]
pub struct Fortran {
    info: Option<Arc<Info>>,
    booleans: Option<Booleans>,
}

impl Fortran {
    pub const fn new() -> Fortran {
        Fortran { info: None, booleans: None }
    }
}

/// The bytes of `.TRUE.` and `.FALSE.` in a `LOGICAL` of `size` bytes.
#[derive(Clone, Copy)]
struct Booleans {
    size: usize,
    yes: [u8; LOGICAL_MAX],
    no: [u8; LOGICAL_MAX],
}

/// `LOGICAL*16`
const LOGICAL_MAX: usize = 16;

pub unsafe fn get_version(_: &Instance, major: *mut c_int, minor: *mut c_int) -> Result<()> {
    // SAFETY: the caller's.
    unsafe {
        put("abi_major", major, VERSION.0)?;
        put("abi_minor", minor, VERSION.1)
    }
}

pub unsafe fn get_info(instance: &Instance, info: *mut MPI_Info) -> Result<()> {
    let sizes = Info::new();
    for (key, bytes) in [
        ("mpi_aint_size", size_of::<MPI_Aint>()),
        ("mpi_count_size", size_of::<MPI_Count>()),
        ("mpi_offset_size", size_of::<MPI_Offset>()),
    ] {
        sizes.set(key.as_bytes(), bytes.to_string().as_bytes())?;
    }
    // SAFETY: the caller's.
    unsafe { put("info", info, instance.infos.add(sizes)?) }
}

/// `MPI_INFO_NULL` as long as no Fortran layer has told anything.
pub unsafe fn get_fortran_info(instance: &Instance, info: *mut MPI_Info) -> Result<()> {
    let told = instance.fortran.lock().info.clone();
    let handle = match told {
        None => MPI_Info::NULL,
        Some(told) => instance.infos.add(told.duplicate())?,
    };
    // SAFETY: the caller's.
    unsafe { put("info", info, handle) }
}

pub unsafe fn set_fortran_info(instance: &Instance, info: MPI_Info) -> Result<()> {
    let told = instance.infos.get(info)?.duplicate();
    let mut fortran = instance.fortran.lock();
    if fortran.info.is_some() {
        bail!(ABI, "the Fortran layer has told about its types already");
    }
    fortran.info = Some(Arc::new(told));
    Ok(())
}

pub unsafe fn get_fortran_booleans(
    instance: &Instance,
    logical_size: c_int,
    logical_true: *mut c_void,
    logical_false: *mut c_void,
    is_set: *mut c_int,
) -> Result<()> {
    let size = check_size(logical_size)?;
    let told = instance.fortran.lock().booleans.filter(|told| told.size == size);
    if let Some(told) = told {
        for (to, bytes) in [(logical_true, told.yes), (logical_false, told.no)] {
            if to.is_null() {
                bail!(ARG, "a logical value is a null pointer");
            }
            // SAFETY: the caller's: a LOGICAL of this size lies there.
            unsafe { to.cast::<u8>().copy_from(bytes.as_ptr(), size) };
        }
    }
    // SAFETY: the caller's.
    unsafe { put("is_set", is_set, told.is_some().into()) }
}

pub unsafe fn set_fortran_booleans(
    instance: &Instance,
    logical_size: c_int,
    logical_true: *mut c_void,
    logical_false: *mut c_void,
) -> Result<()> {
    let size = check_size(logical_size)?;
    // SAFETY: the caller's: a LOGICAL of this size lies at both.
    let (yes, no) = unsafe {
        (array("logical_true", logical_true.cast::<u8>(), size)?, array("logical_false", logical_false.cast::<u8>(), size)?)
    };
    let mut fortran = instance.fortran.lock();
    if fortran.booleans.is_some() {
        bail!(ABI, "the Fortran layer has told about its logical values already");
    }
    let mut told = Booleans { size, yes: [0; LOGICAL_MAX], no: [0; LOGICAL_MAX] };
    told.yes[..size].copy_from_slice(yes);
    told.no[..size].copy_from_slice(no);
    fortran.booleans = Some(told);
    Ok(())
}

fn check_size(logical_size: c_int) -> Result<usize> {
    match logical_size {
        1 | 2 | 4 | 8 | 16 => Ok(logical_size as usize),
        _ => bail!(ARG, "{logical_size} is not the size of a Fortran LOGICAL"),
    }
}
