//! Names, hints and comparison of communicators (MPI 5.0 sections 7.4.1, 7.4.4 and 7.8).

use crate::args;
use crate::instance::current;
use crate::rank::Rank;
use crate::types::{MPI_Comm, MPI_Info};
use mpi_fm::Result;
use mpi_fm::constants::MAX_OBJECT_NAME;
use std::ffi::{c_char, c_int};

pub unsafe fn comm_compare(rank: &Rank, comm1: MPI_Comm, comm2: MPI_Comm, result: *mut c_int) -> Result<()> {
    let comparison = rank.comm(comm1)?.compare(rank.comm(comm2)?);
    // SAFETY: as the standard asks of the caller; so in all of this file.
    unsafe { args::put("result", result, comparison as c_int) }
}

pub unsafe fn comm_set_name(rank: &Rank, comm: MPI_Comm, name: *const c_char) -> Result<()> {
    // SAFETY: see `comm_compare`.
    rank.comm(comm)?.attached.set_name(unsafe { args::text("comm_name", name)? });
    Ok(())
}

/// The null handle has a name, too.
pub unsafe fn comm_get_name(rank: &Rank, comm: MPI_Comm, name: *mut c_char, resultlen: *mut c_int) -> Result<()> {
    let found = match comm {
        MPI_Comm::NULL => b"MPI_COMM_NULL".as_slice().into(),
        _ => rank.comm(comm)?.attached.name_bytes(),
    };
    // SAFETY: see `comm_compare`; the caller's buffer has `MPI_MAX_OBJECT_NAME` bytes.
    unsafe {
        args::check("resultlen", resultlen)?;
        args::put_text("comm_name", name, &found, MAX_OBJECT_NAME)?;
        args::put("resultlen", resultlen, found.len() as c_int)
    }
}

/// Hints that nothing here heeds are kept, so that a library above finds them again.
pub unsafe fn comm_set_info(rank: &Rank, comm: MPI_Comm, info: MPI_Info) -> Result<()> {
    rank.comm(comm)?.attached.info().update(current().infos.get(info)?)
}

pub unsafe fn comm_get_info(rank: &Rank, comm: MPI_Comm, info_used: *mut MPI_Info) -> Result<()> {
    args::check("info_used", info_used)?;
    let hints = rank.comm(comm)?.attached.info().duplicate();
    // SAFETY: see `comm_compare`.
    unsafe { args::put("info_used", info_used, current().infos.add(hints)?) }
}
