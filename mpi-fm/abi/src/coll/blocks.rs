//! Buffers of collectives, from C's pointers.

use crate::args::array;
use crate::count::Count;
use crate::rank::Rank;
use crate::types::MPI_Datatype;
use mpi_fm::coll::blocks::Base;
use mpi_fm::coll::{Blocks, Data, Held, Ints};
use mpi_fm::{Result, bail};
use std::ffi::c_void;

/// One buffer.
///
/// # Safety
/// As for [`Buf::new`](mpi_fm::Buf::new).
#[inline]
pub unsafe fn data<N: Count>(rank: &Rank, addr: *const c_void, count: N, ty: MPI_Datatype) -> Result<Data<'_>> {
    // SAFETY: the caller's.
    unsafe { rank.buf(addr, count, ty).map(Data::new) }
}

/// `len` blocks of `count` items.
///
/// # Safety
/// As for [`data`].
#[inline]
pub unsafe fn even<N: Count>(rank: &Rank, addr: *const c_void, count: N, ty: MPI_Datatype, len: usize) -> Result<Blocks<'_>> {
    let Some(total) = count.get().checked_mul(len as i64) else { bail!(COUNT, "{len} blocks of {} items", count.get()) };
    // The count by itself, for the texts, too.
    let each = crate::args::count(count)?;
    // SAFETY: the caller's.
    Ok(Blocks::Even { whole: unsafe { data(rank, addr, total, ty)? }, len, each })
}

/// The same block for `len` members.
///
/// # Safety
/// As for [`data`].
pub unsafe fn same<N: Count>(rank: &Rank, addr: *const c_void, count: N, ty: MPI_Datatype, len: usize) -> Result<Blocks<'_>> {
    // SAFETY: the caller's.
    Ok(Blocks::Same { data: unsafe { data(rank, addr, count, ty)? }, len })
}

/// An array of `len` integers.
///
/// # Safety
/// As for [`Ints::narrow`].
unsafe fn ints<N: Count>(name: &str, addr: *const N, len: usize) -> Result<Ints> {
    if len > 0 {
        crate::args::check(name, addr)?;
    }
    // SAFETY: the caller's; the types of counts have 4 or 8 bytes.
    Ok(unsafe { if size_of::<N>() == size_of::<i64>() { Ints::wide(addr.cast(), len) } else { Ints::narrow(addr.cast(), len) } })
}

/// An array of `len` counts.
///
/// # Safety
/// As for [`Ints::narrow`].
pub unsafe fn counts<N: Count>(name: &str, addr: *const N, len: usize) -> Result<Ints> {
    // SAFETY: the caller's.
    let counts = unsafe { ints(name, addr, len)? };
    counts.check(name)?;
    Ok(counts)
}

/// Names of array arguments.
#[derive(Clone, Copy)]
pub struct Names {
    pub counts: &'static str,
    pub displs: &'static str,
    pub types: &'static str,
}

pub const SEND: Names = Names { counts: "sendcounts", displs: "sdispls", types: "sendtypes" };
pub const RECV: Names = Names { counts: "recvcounts", displs: "rdispls", types: "recvtypes" };

/// `len` blocks with counts and displacements in items.
///
/// # Safety
/// As for [`data`] and [`Ints::narrow`].
pub unsafe fn varying<N: Count, D: Count>(
    rank: &Rank,
    names: Names,
    addr: *const c_void,
    sizes: *const N,
    displs: *const D,
    ty: MPI_Datatype,
    len: usize,
) -> Result<Blocks<'_>> {
    // SAFETY: the caller's.
    unsafe {
        let sizes = counts(names.counts, sizes, len)?;
        let displs = ints(names.displs, displs, len)?;
        // Checks the address, if there is data at all.
        let some = sizes.iter().any(|count| count > 0);
        let buf = rank.buf(addr, i64::from(some), ty)?;
        Ok(Blocks::Varying { base: Base::new(addr.cast_mut().cast()), counts: sizes, displs, ty: Held::Lent(buf.ty()) })
    }
}

/// `len` blocks with counts, displacements in bytes and types.
///
/// # Safety
/// As for [`varying`], and `types` has `len` entries.
pub unsafe fn typed<'r, N: Count, D: Count>(
    rank: &'r Rank,
    names: Names,
    addr: *const c_void,
    sizes: *const N,
    displs: *const D,
    types: *const MPI_Datatype,
    len: usize,
) -> Result<Blocks<'r>> {
    // SAFETY: the caller's.
    unsafe {
        let sizes = counts(names.counts, sizes, len)?;
        let displs = ints(names.displs, displs, len)?;
        let types = array(names.types, types, len)?;
        let with_data = |(index, ty): (usize, &MPI_Datatype)| match sizes.get(index) {
            // A partner without data often has no type either.
            0 => Ok(rank.process.types.get(mpi_fm::datatype::Basic::MPI_BYTE).clone()),
            _ => rank.committed(*ty).cloned(),
        };
        let types = types.iter().enumerate().map(with_data).collect::<Result<_>>()?;
        Ok(Blocks::Typed { base: Base::new(addr.cast_mut().cast()), counts: sizes, displs, types })
    }
}
