//! Constructors, and the life of a datatype: MPI 5.0 sections 5.1.2 to 5.1.10, 19.1.9.
//!
//! A body serves both twins; the arguments' width tells the engine which, for MPI_Type_get_contents.

use super::hand_out;
use crate::args::{array, check, get, length, put};
use crate::count::Count;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Datatype};
use mpi_fm::attr::Object;
use mpi_fm::datatype::array::Order;
use mpi_fm::{Datatype, Result, bail};
use std::ffi::c_int;
use std::sync::Arc;

/// An array of counts or displacements in the engine's width.
///
/// # Safety
/// As for [`array`].
unsafe fn wide<N: Count>(name: &str, pointer: *const N, n: usize) -> Result<Vec<i64>> {
    // SAFETY: the caller's.
    Ok(unsafe { array(name, pointer, n) }?.iter().map(|value| value.get()).collect())
}

pub unsafe fn contiguous<N: Count>(
    rank: &Rank,
    count: N,
    oldtype: MPI_Datatype,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let ty = Datatype::contiguous(N::FORM, count.get(), rank.datatype(oldtype)?);
    // SAFETY: the caller's.
    unsafe { hand_out(rank, newtype, ty) }
}

pub unsafe fn vector<N: Count>(
    rank: &Rank,
    count: N,
    blocklength: N,
    stride: N,
    oldtype: MPI_Datatype,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let ty = Datatype::vector(N::FORM, count.get(), blocklength.get(), stride.get(), rank.datatype(oldtype)?);
    // SAFETY: the caller's.
    unsafe { hand_out(rank, newtype, ty) }
}

pub unsafe fn hvector<N: Count, A: Count>(
    rank: &Rank,
    count: N,
    blocklength: N,
    stride: A,
    oldtype: MPI_Datatype,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let ty = Datatype::hvector(N::FORM, count.get(), blocklength.get(), stride.get(), rank.datatype(oldtype)?);
    // SAFETY: the caller's.
    unsafe { hand_out(rank, newtype, ty) }
}

pub unsafe fn indexed<N: Count>(
    rank: &Rank,
    count: N,
    array_of_blocklengths: *const N,
    array_of_displacements: *const N,
    oldtype: MPI_Datatype,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let (n, old) = (crate::args::count(count)?, rank.datatype(oldtype)?);
    // SAFETY: the caller's.
    unsafe {
        let lengths = wide("array_of_blocklengths", array_of_blocklengths, n)?;
        let disps = wide("array_of_displacements", array_of_displacements, n)?;
        hand_out(rank, newtype, Datatype::indexed(N::FORM, &lengths, &disps, old))
    }
}

pub unsafe fn hindexed<N: Count, A: Count>(
    rank: &Rank,
    count: N,
    array_of_blocklengths: *const N,
    array_of_displacements: *const A,
    oldtype: MPI_Datatype,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let (n, old) = (crate::args::count(count)?, rank.datatype(oldtype)?);
    // SAFETY: the caller's.
    unsafe {
        let lengths = wide("array_of_blocklengths", array_of_blocklengths, n)?;
        let disps = wide("array_of_displacements", array_of_displacements, n)?;
        hand_out(rank, newtype, Datatype::hindexed(N::FORM, &lengths, &disps, old))
    }
}

pub unsafe fn indexed_block<N: Count>(
    rank: &Rank,
    count: N,
    blocklength: N,
    array_of_displacements: *const N,
    oldtype: MPI_Datatype,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let (n, old) = (crate::args::count(count)?, rank.datatype(oldtype)?);
    // SAFETY: the caller's.
    unsafe {
        let disps = wide("array_of_displacements", array_of_displacements, n)?;
        hand_out(rank, newtype, Datatype::indexed_block(N::FORM, blocklength.get(), &disps, old))
    }
}

pub unsafe fn hindexed_block<N: Count, A: Count>(
    rank: &Rank,
    count: N,
    blocklength: N,
    array_of_displacements: *const A,
    oldtype: MPI_Datatype,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let (n, old) = (crate::args::count(count)?, rank.datatype(oldtype)?);
    // SAFETY: the caller's.
    unsafe {
        let disps = wide("array_of_displacements", array_of_displacements, n)?;
        hand_out(rank, newtype, Datatype::hindexed_block(N::FORM, blocklength.get(), &disps, old))
    }
}

pub unsafe fn structure<N: Count, A: Count>(
    rank: &Rank,
    count: N,
    array_of_blocklengths: *const N,
    array_of_displacements: *const A,
    array_of_types: *const MPI_Datatype,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let n = crate::args::count(count)?;
    // SAFETY: the caller's.
    unsafe {
        let lengths = wide("array_of_blocklengths", array_of_blocklengths, n)?;
        let disps = wide("array_of_displacements", array_of_displacements, n)?;
        let types = array("array_of_types", array_of_types, n)?;
        let types = types.iter().map(|ty| rank.datatype(*ty).cloned()).collect::<Result<Vec<_>>>()?;
        hand_out(rank, newtype, Datatype::structure(N::FORM, &lengths, &disps, &types))
    }
}

#[allow(clippy::too_many_arguments)] // The standard's list.
pub unsafe fn subarray<N: Count>(
    rank: &Rank,
    ndims: c_int,
    array_of_sizes: *const N,
    array_of_subsizes: *const N,
    array_of_starts: *const N,
    order: c_int,
    oldtype: MPI_Datatype,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let (n, old) = (length("ndims", ndims)?, rank.datatype(oldtype)?);
    // SAFETY: the caller's.
    unsafe {
        let sizes = wide("array_of_sizes", array_of_sizes, n)?;
        let subsizes = wide("array_of_subsizes", array_of_subsizes, n)?;
        let starts = wide("array_of_starts", array_of_starts, n)?;
        let ty = Datatype::subarray(N::FORM, &sizes, &subsizes, &starts, Order::of(order)?, old);
        hand_out(rank, newtype, ty)
    }
}

#[allow(clippy::too_many_arguments)] // The standard's list.
pub unsafe fn darray<N: Count>(
    rank: &Rank,
    size: c_int,
    process: c_int,
    ndims: c_int,
    array_of_gsizes: *const N,
    array_of_distribs: *const c_int,
    array_of_dargs: *const c_int,
    array_of_psizes: *const c_int,
    order: c_int,
    oldtype: MPI_Datatype,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let (n, old) = (length("ndims", ndims)?, rank.datatype(oldtype)?);
    // SAFETY: the caller's.
    unsafe {
        let gsizes = wide("array_of_gsizes", array_of_gsizes, n)?;
        let distribs = array("array_of_distribs", array_of_distribs, n)?;
        let dargs = array("array_of_dargs", array_of_dargs, n)?;
        let psizes = array("array_of_psizes", array_of_psizes, n)?;
        let order = Order::of(order)?;
        let ty = Datatype::darray(N::FORM, size, process, &gsizes, distribs, dargs, psizes, order, old);
        hand_out(rank, newtype, ty)
    }
}

pub unsafe fn resized<A: Count>(
    rank: &Rank,
    oldtype: MPI_Datatype,
    lb: A,
    extent: A,
    newtype: *mut MPI_Datatype,
) -> Result<()> {
    let ty = Datatype::resized(A::FORM, rank.datatype(oldtype)?, lb.get(), extent.get());
    // SAFETY: the caller's.
    unsafe { hand_out(rank, newtype, ty) }
}

pub unsafe fn dup(rank: &Rank, oldtype: MPI_Datatype, newtype: *mut MPI_Datatype) -> Result<()> {
    check("newtype", newtype)?;
    let old = rank.datatype(oldtype)?;
    let new = Datatype::dup(old)?;
    let handle = rank.types.register(&new)?;
    if let Err(error) = old.attributes().copy_to(object(oldtype), new.attributes(), Object(handle as usize)) {
        rank.types.free(handle)?;
        return Err(error);
    }
    // SAFETY: the caller's.
    unsafe { put("newtype", newtype, MPI_Datatype::from_handle(handle)) }
}

/// How attribute callbacks see a datatype.
fn object(datatype: MPI_Datatype) -> Object {
    Object(datatype.0)
}

pub unsafe fn commit(rank: &Rank, datatype: *mut MPI_Datatype) -> Result<()> {
    // SAFETY: the caller's.
    rank.datatype(unsafe { get("datatype", datatype) }?)?.commit();
    Ok(())
}

pub unsafe fn free(rank: &Rank, datatype: *mut MPI_Datatype) -> Result<()> {
    // SAFETY: the caller's.
    let handle = unsafe { get("datatype", datatype) }?;
    let ty: &Arc<Datatype> = rank.datatype(handle)?;
    if ty.is_predefined() {
        bail!(TYPE, "{} is predefined and cannot be freed", ty.describe());
    }
    // A delete callback that fails keeps the datatype alive (MPI 5.0 section 7.7.4).
    ty.attributes().clear(object(handle))?;
    rank.types.free(handle.handle())?;
    // SAFETY: the caller's.
    unsafe { put("datatype", datatype, MPI_Datatype::NULL) }
}

pub unsafe fn f90_real(rank: &Rank, p: c_int, r: c_int, newtype: *mut MPI_Datatype) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { hand_out(rank, newtype, rank.types.predefined.f90_real(p, r)) }
}

pub unsafe fn f90_complex(rank: &Rank, p: c_int, r: c_int, newtype: *mut MPI_Datatype) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { hand_out(rank, newtype, rank.types.predefined.f90_complex(p, r)) }
}

pub unsafe fn f90_integer(rank: &Rank, r: c_int, newtype: *mut MPI_Datatype) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { hand_out(rank, newtype, rank.types.predefined.f90_integer(r)) }
}

pub unsafe fn match_size(rank: &Rank, typeclass: c_int, size: c_int, datatype: *mut MPI_Datatype) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { hand_out(rank, datatype, rank.types.predefined.match_size(typeclass, size)) }
}

pub unsafe fn value_index(
    rank: &Rank,
    value_type: MPI_Datatype,
    index_type: MPI_Datatype,
    pair_type: *mut MPI_Datatype,
) -> Result<()> {
    let (value, index) = (rank.datatype(value_type)?, rank.datatype(index_type)?);
    // SAFETY: the caller's.
    unsafe {
        match rank.types.predefined.value_index(value, index)? {
            Some(pair) => hand_out(rank, pair_type, Ok(pair)),
            None => put("pair_type", pair_type, MPI_Datatype::NULL),
        }
    }
}
