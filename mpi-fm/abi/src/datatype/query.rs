//! What a datatype is, and how it was made: MPI 5.0 sections 5.1.5 to 5.1.8, 5.1.13, 7.8.

use crate::args::{array_mut, put, put_string, text};
use crate::count::Count;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Aint, MPI_Count, MPI_Datatype};
use mpi_fm::constants::{MAX_OBJECT_NAME, UNDEFINED};
use mpi_fm::datatype::{Combiner, Contents};
use mpi_fm::{Datatype, Result, bail};
use std::ffi::{c_char, c_int, c_void};

/// A value, or MPI_UNDEFINED where the argument is too narrow (MPI 5.0 sections 5.1.5, 5.1.7).
fn or_undefined<N: Count>(value: i64) -> Result<N> {
    N::fit(value).map_or_else(|| N::put(UNDEFINED as i64), Ok)
}

pub unsafe fn size<N: Count>(rank: &Rank, datatype: MPI_Datatype, size: *mut N) -> Result<()> {
    let bytes = rank.datatype(datatype)?.size() as i64;
    // SAFETY: the caller's.
    unsafe { put("size", size, or_undefined(bytes)?) }
}

pub unsafe fn extent<A: Count>(rank: &Rank, datatype: MPI_Datatype, lb: *mut A, extent: *mut A) -> Result<()> {
    let ty = rank.datatype(datatype)?;
    // SAFETY: the caller's.
    unsafe {
        put("lb", lb, or_undefined(ty.lb())?)?;
        put("extent", extent, or_undefined(ty.extent())?)
    }
}

pub unsafe fn true_extent<A: Count>(
    rank: &Rank,
    datatype: MPI_Datatype,
    true_lb: *mut A,
    true_extent: *mut A,
) -> Result<()> {
    let ty = rank.datatype(datatype)?;
    // SAFETY: the caller's.
    unsafe {
        put("true_lb", true_lb, or_undefined(ty.true_lb())?)?;
        put("true_extent", true_extent, or_undefined(ty.true_extent())?)
    }
}

/// MPI_Type_extent of MPI-1.
pub unsafe fn only_extent(rank: &Rank, datatype: MPI_Datatype, extent: *mut MPI_Aint) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("extent", extent, rank.datatype(datatype)?.extent() as MPI_Aint) }
}

/// MPI_Type_lb of MPI-1.
pub unsafe fn lb(rank: &Rank, datatype: MPI_Datatype, displacement: *mut MPI_Aint) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("displacement", displacement, rank.datatype(datatype)?.lb() as MPI_Aint) }
}

/// MPI_Type_ub of MPI-1.
pub unsafe fn ub(rank: &Rank, datatype: MPI_Datatype, displacement: *mut MPI_Aint) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("displacement", displacement, rank.datatype(datatype)?.ub() as MPI_Aint) }
}

pub unsafe fn address(_: &Rank, location: *const c_void, address: *mut MPI_Aint) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("address", address, location as MPI_Aint) }
}

/// MPI_Address of MPI-1.
pub unsafe fn address_of_mut(rank: &Rank, location: *mut c_void, result: *mut MPI_Aint) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { address(rank, location, result) }
}

/// The null handle has a name, too (section 7.8).
pub unsafe fn get_name(rank: &Rank, datatype: MPI_Datatype, name: *mut c_char, resultlen: *mut c_int) -> Result<()> {
    let found = match datatype {
        MPI_Datatype::NULL => b"MPI_DATATYPE_NULL".as_slice().into(),
        _ => rank.datatype(datatype)?.name_bytes(),
    };
    // SAFETY: the caller's.
    unsafe { put_string(name, resultlen, MAX_OBJECT_NAME, &found) }
}

pub unsafe fn set_name(rank: &Rank, datatype: MPI_Datatype, name: *const c_char) -> Result<()> {
    let ty = rank.datatype(datatype)?;
    // SAFETY: the caller's.
    ty.set_name(unsafe { text("type_name", name) }?);
    Ok(())
}

/// The arguments that made a type, for the twin without large counts.
fn int_contents(ty: &Datatype) -> Result<&Contents> {
    let contents = ty.contents();
    if !contents.large_counts.is_empty() {
        bail!(TYPE, "{} was made by a _c function; only the _c function tells how", ty.describe());
    }
    Ok(contents)
}

pub unsafe fn envelope(
    rank: &Rank,
    datatype: MPI_Datatype,
    num_integers: *mut c_int,
    num_addresses: *mut c_int,
    num_datatypes: *mut c_int,
    combiner: *mut c_int,
) -> Result<()> {
    let contents = int_contents(rank.datatype(datatype)?)?;
    // SAFETY: the caller's.
    unsafe {
        put("num_integers", num_integers, c_int::put(contents.integers.len() as i64)?)?;
        put("num_addresses", num_addresses, c_int::put(contents.addresses.len() as i64)?)?;
        put("num_datatypes", num_datatypes, c_int::put(contents.types.len() as i64)?)?;
        put("combiner", combiner, contents.combiner as c_int)
    }
}

pub unsafe fn envelope_c(
    rank: &Rank,
    datatype: MPI_Datatype,
    num_integers: *mut MPI_Count,
    num_addresses: *mut MPI_Count,
    num_large_counts: *mut MPI_Count,
    num_datatypes: *mut MPI_Count,
    combiner: *mut c_int,
) -> Result<()> {
    let contents = rank.datatype(datatype)?.contents();
    // SAFETY: the caller's.
    unsafe {
        put("num_integers", num_integers, contents.integers.len() as MPI_Count)?;
        put("num_addresses", num_addresses, contents.addresses.len() as MPI_Count)?;
        put("num_large_counts", num_large_counts, contents.large_counts.len() as MPI_Count)?;
        put("num_datatypes", num_datatypes, contents.types.len() as MPI_Count)?;
        put("combiner", combiner, contents.combiner as c_int)
    }
}

#[allow(clippy::too_many_arguments)] // The standard's list.
pub unsafe fn contents(
    rank: &Rank,
    datatype: MPI_Datatype,
    max_integers: c_int,
    max_addresses: c_int,
    max_datatypes: c_int,
    array_of_integers: *mut c_int,
    array_of_addresses: *mut MPI_Aint,
    array_of_datatypes: *mut MPI_Datatype,
) -> Result<()> {
    let contents = int_contents(rank.datatype(datatype)?)?;
    // SAFETY: the caller's.
    unsafe {
        give("integers", &contents.integers, max_integers as i64, array_of_integers, |&i| i)?;
        give("addresses", &contents.addresses, max_addresses as i64, array_of_addresses, |&a| a as MPI_Aint)?;
        give_types(rank, contents, max_datatypes as i64, array_of_datatypes)
    }
}

#[allow(clippy::too_many_arguments)] // The standard's list.
pub unsafe fn contents_c(
    rank: &Rank,
    datatype: MPI_Datatype,
    max_integers: MPI_Count,
    max_addresses: MPI_Count,
    max_large_counts: MPI_Count,
    max_datatypes: MPI_Count,
    array_of_integers: *mut c_int,
    array_of_addresses: *mut MPI_Aint,
    array_of_large_counts: *mut MPI_Count,
    array_of_datatypes: *mut MPI_Datatype,
) -> Result<()> {
    let contents = rank.datatype(datatype)?.contents();
    // SAFETY: the caller's.
    unsafe {
        give("integers", &contents.integers, max_integers, array_of_integers, |&i| i)?;
        give("addresses", &contents.addresses, max_addresses, array_of_addresses, |&a| a as MPI_Aint)?;
        give("large_counts", &contents.large_counts, max_large_counts, array_of_large_counts, |&c| c)?;
        give_types(rank, contents, max_datatypes, array_of_datatypes)
    }
}

/// Fills one of the arrays of MPI_Type_get_contents.
///
/// # Safety
/// If not null, `out` has room for `room` elements.
unsafe fn give<S, T>(name: &str, values: &[S], room: i64, out: *mut T, convert: impl Fn(&S) -> T) -> Result<()> {
    if room < values.len() as i64 {
        bail!(ARG, "max_{name} is {room}, and there are {}", values.len());
    }
    // SAFETY: the caller's.
    let out = unsafe { array_mut(&format!("array_of_{name}"), out, values.len()) }?;
    for (value, place) in values.iter().zip(out) {
        *place = convert(value);
    }
    Ok(())
}

/// Predefined types come back under their own handles, derived ones as new objects that the caller frees.
///
/// # Safety
/// As for [`give`].
unsafe fn give_types(rank: &Rank, contents: &Contents, room: i64, out: *mut MPI_Datatype) -> Result<()> {
    if contents.combiner == Combiner::Named {
        bail!(TYPE, "a named datatype has no contents");
    }
    let mut handles = Vec::with_capacity(contents.types.len());
    for ty in &contents.types {
        let handle = match ty.is_predefined() {
            true => rank.types.register(ty)?,
            false => rank.types.register(&ty.equivalent())?,
        };
        handles.push(MPI_Datatype::from_handle(handle));
    }
    // SAFETY: the caller's.
    unsafe { give("datatypes", &handles, room, out, |&handle| handle) }
}
