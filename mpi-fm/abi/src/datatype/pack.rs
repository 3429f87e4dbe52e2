//! Packing and unpacking in memory: MPI 5.0 sections 5.2 and 5.3.
//!
//! The packed form of this implementation is the data itself, without header or padding.

use crate::args::{array, array_mut, get, put, text};
use crate::count::Count;
use crate::rank::Rank;
use crate::types::{MPI_Comm, MPI_Datatype};
use mpi_fm::{Datatype, Result, bail};
use std::ffi::{c_char, c_void};

/// The part of a packed buffer that begins at `position`: where, and how many bytes.
fn rest(size: i64, position: i64) -> Result<(usize, usize)> {
    if size < 0 {
        bail!(ARG, "the packed buffer's size is {size}, it must not be negative");
    }
    if position < 0 || position > size {
        bail!(ARG, "position {position} is not inside of the packed buffer of {size} bytes");
    }
    Ok((position as usize, (size - position) as usize))
}

fn bytes_of(ty: &Datatype, count: usize) -> Result<u64> {
    match ty.bytes(count) {
        Some(bytes) => Ok(bytes),
        None => bail!(COUNT, "{count} items of {} do not fit 64 bits", ty.describe()),
    }
}

fn check_room(bytes: u64, room: usize) -> Result<()> {
    if bytes > room as u64 {
        bail!(TRUNCATE, "{bytes} bytes do not fit the {room} that the packed buffer has behind the position");
    }
    Ok(())
}

#[allow(clippy::too_many_arguments)] // The standard's list.
pub unsafe fn pack<N: Count>(
    rank: &Rank,
    inbuf: *const c_void,
    incount: N,
    datatype: MPI_Datatype,
    outbuf: *mut c_void,
    outsize: N,
    position: *mut N,
    comm: MPI_Comm,
) -> Result<()> {
    rank.comm(comm)?;
    // SAFETY: the caller's.
    unsafe {
        let buf = rank.buf(inbuf, incount, datatype)?;
        let (start, room) = rest(outsize.get(), get("position", position)?.get())?;
        let bytes = bytes_of(buf.ty(), buf.count())?;
        check_room(bytes, room)?;
        let out = array_mut("outbuf", outbuf.cast::<u8>().wrapping_add(start), bytes as usize)?;
        buf.read_at(0, out);
        put("position", position, N::put((start as u64 + bytes) as i64)?)
    }
}

#[allow(clippy::too_many_arguments)] // The standard's list.
pub unsafe fn unpack<N: Count>(
    rank: &Rank,
    inbuf: *const c_void,
    insize: N,
    position: *mut N,
    outbuf: *mut c_void,
    outcount: N,
    datatype: MPI_Datatype,
    comm: MPI_Comm,
) -> Result<()> {
    rank.comm(comm)?;
    // SAFETY: the caller's.
    unsafe {
        let buf = rank.buf(outbuf, outcount, datatype)?;
        let (start, room) = rest(insize.get(), get("position", position)?.get())?;
        let bytes = bytes_of(buf.ty(), buf.count())?;
        check_room(bytes, room)?;
        buf.write_at(0, array("inbuf", inbuf.cast::<u8>().wrapping_add(start), bytes as usize)?);
        put("position", position, N::put((start as u64 + bytes) as i64)?)
    }
}

pub unsafe fn pack_size<N: Count>(
    rank: &Rank,
    incount: N,
    datatype: MPI_Datatype,
    comm: MPI_Comm,
    size: *mut N,
) -> Result<()> {
    rank.comm(comm)?;
    let bytes = bytes_of(rank.datatype(datatype)?, crate::args::count(incount)?)?;
    // SAFETY: the caller's.
    unsafe { put("size", size, N::put(bytes as i64)?) }
}

/// The only canonical representation that the standard defines (section 14.5.2).
///
/// # Safety
/// As for [`text`].
unsafe fn check_representation(datarep: *const c_char) -> Result<()> {
    // SAFETY: the caller's.
    match unsafe { text("datarep", datarep) }? {
        b"external32" => Ok(()),
        other => bail!(ARG, "data representation \"{}\" is not \"external32\"", String::from_utf8_lossy(other)),
    }
}

#[allow(clippy::too_many_arguments)] // The standard's list.
pub unsafe fn pack_external<N: Count, A: Count>(
    rank: &Rank,
    datarep: *const c_char,
    inbuf: *const c_void,
    incount: N,
    datatype: MPI_Datatype,
    outbuf: *mut c_void,
    outsize: A,
    position: *mut A,
) -> Result<()> {
    // SAFETY: the caller's.
    unsafe {
        check_representation(datarep)?;
        let buf = rank.buf(inbuf, incount, datatype)?;
        let (start, room) = rest(outsize.get(), get("position", position)?.get())?;
        let bytes = buf.ty().external_bytes(buf.count())?;
        check_room(bytes, room)?;
        let out = array_mut("outbuf", outbuf.cast::<u8>().wrapping_add(start), bytes as usize)?;
        buf.ty().pack_external(buf.addr(), buf.count(), out)?;
        put("position", position, A::put((start as u64 + bytes) as i64)?)
    }
}

#[allow(clippy::too_many_arguments)] // The standard's list.
pub unsafe fn unpack_external<N: Count, A: Count>(
    rank: &Rank,
    datarep: *const c_char,
    inbuf: *const c_void,
    insize: A,
    position: *mut A,
    outbuf: *mut c_void,
    outcount: N,
    datatype: MPI_Datatype,
) -> Result<()> {
    // SAFETY: the caller's.
    unsafe {
        check_representation(datarep)?;
        let buf = rank.buf(outbuf, outcount, datatype)?;
        let (start, room) = rest(insize.get(), get("position", position)?.get())?;
        let bytes = buf.ty().external_bytes(buf.count())?;
        check_room(bytes, room)?;
        let data = array("inbuf", inbuf.cast::<u8>().wrapping_add(start), bytes as usize)?;
        buf.ty().unpack_external(buf.addr(), buf.count(), data)?;
        put("position", position, A::put((start as u64 + bytes) as i64)?)
    }
}

pub unsafe fn pack_external_size<N: Count, A: Count>(
    rank: &Rank,
    datarep: *const c_char,
    incount: N,
    datatype: MPI_Datatype,
    size: *mut A,
) -> Result<()> {
    // SAFETY: the caller's.
    unsafe {
        check_representation(datarep)?;
        let bytes = rank.datatype(datatype)?.external_bytes(crate::args::count(incount)?)?;
        put("size", size, A::put(bytes as i64)?)
    }
}
