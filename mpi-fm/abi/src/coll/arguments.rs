//! The calls that move data. An argument that has no meaning for the caller (the receive buffer elsewhere than at the root, say) is not
//! looked at: the program may pass anything.

use super::blocks::{RECV, SEND, data, even, typed, varying};
use super::{In, Out, Type, in_place};
use crate::count::Count;
use crate::rank::Rank;
use mpi_fm::Result;
use mpi_fm::coll::{Allgather, Alltoall, Barrier, Bcast, Blocks, Data, Gather, Root, Scatter};
use mpi_fm::comm::Comm;
use std::ffi::c_int;

#[inline]
pub unsafe fn barrier(_: &Rank, _: &Comm) -> Result<Barrier> {
    Ok(Barrier)
}

#[inline]
pub unsafe fn bcast<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    buffer: Out,
    count: N,
    datatype: Type,
    root: c_int,
) -> Result<Bcast<'r>> {
    let root = Root::of(comm, root)?;
    // SAFETY: the caller's.
    let data = (root != Root::Beside).then(|| unsafe { data(rank, buffer, count, datatype) }).transpose()?;
    Ok(Bcast { data, root })
}

/// This member's side of a call in which everyone but the root has a part in the same role; the root's may be in place.
unsafe fn part<'r, N: Count>(rank: &'r Rank, comm: &Comm, root: Root, addr: In, count: N, ty: Type) -> Result<Option<Data<'r>>> {
    let here = root.is_here(comm);
    let takes_part = if comm.is_inter() { matches!(root, Root::Rank(_)) } else { !here || !in_place(comm, addr) };
    // SAFETY: the caller's.
    takes_part.then(|| unsafe { data(rank, addr, count, ty) }).transpose()
}

/// What only the root has.
fn at_root<'r>(comm: &Comm, root: Root, make: impl FnOnce(usize) -> Result<Blocks<'r>>) -> Result<Option<Blocks<'r>>> {
    root.is_here(comm).then(|| make(comm.targets().size())).transpose()
}

#[inline]
pub unsafe fn gather<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcount: N,
    sendtype: Type,
    recvbuf: Out,
    recvcount: N,
    recvtype: Type,
    root: c_int,
) -> Result<Gather<'r>> {
    let root = Root::of(comm, root)?;
    // SAFETY: the caller's.
    let send = unsafe { part(rank, comm, root, sendbuf, sendcount, sendtype)? };
    // SAFETY: the caller's.
    let recv = at_root(comm, root, |len| unsafe { even(rank, recvbuf, recvcount, recvtype, len) })?;
    Ok(Gather { send, recv, root, varying: false })
}

pub unsafe fn gatherv<'r, N: Count, D: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcount: N,
    sendtype: Type,
    recvbuf: Out,
    recvcounts: *const N,
    displs: *const D,
    recvtype: Type,
    root: c_int,
) -> Result<Gather<'r>> {
    let root = Root::of(comm, root)?;
    // SAFETY: the caller's.
    let send = unsafe { part(rank, comm, root, sendbuf, sendcount, sendtype)? };
    // SAFETY: the caller's.
    let recv = at_root(comm, root, |len| unsafe { varying(rank, RECV, recvbuf, recvcounts, displs, recvtype, len) })?;
    Ok(Gather { send, recv, root, varying: true })
}

#[inline]
pub unsafe fn scatter<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcount: N,
    sendtype: Type,
    recvbuf: Out,
    recvcount: N,
    recvtype: Type,
    root: c_int,
) -> Result<Scatter<'r>> {
    let root = Root::of(comm, root)?;
    // SAFETY: the caller's.
    let recv = unsafe { part(rank, comm, root, recvbuf, recvcount, recvtype)? };
    // SAFETY: the caller's.
    let send = at_root(comm, root, |len| unsafe { even(rank, sendbuf, sendcount, sendtype, len) })?;
    Ok(Scatter { send, recv, root, varying: false })
}

pub unsafe fn scatterv<'r, N: Count, D: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcounts: *const N,
    displs: *const D,
    sendtype: Type,
    recvbuf: Out,
    recvcount: N,
    recvtype: Type,
    root: c_int,
) -> Result<Scatter<'r>> {
    let root = Root::of(comm, root)?;
    // SAFETY: the caller's.
    let recv = unsafe { part(rank, comm, root, recvbuf, recvcount, recvtype)? };
    // SAFETY: the caller's.
    let send = at_root(comm, root, |len| unsafe { varying(rank, SEND, sendbuf, sendcounts, displs, sendtype, len) })?;
    Ok(Scatter { send, recv, root, varying: true })
}

#[inline]
pub unsafe fn allgather<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcount: N,
    sendtype: Type,
    recvbuf: Out,
    recvcount: N,
    recvtype: Type,
) -> Result<Allgather<'r>> {
    // SAFETY: the caller's.
    let send = (!in_place(comm, sendbuf)).then(|| unsafe { data(rank, sendbuf, sendcount, sendtype) }).transpose()?;
    // SAFETY: the caller's.
    let recv = unsafe { even(rank, recvbuf, recvcount, recvtype, comm.targets().size())? };
    Ok(Allgather { send, recv })
}

pub unsafe fn allgatherv<'r, N: Count, D: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcount: N,
    sendtype: Type,
    recvbuf: Out,
    recvcounts: *const N,
    displs: *const D,
    recvtype: Type,
) -> Result<Allgather<'r>> {
    // SAFETY: the caller's.
    let send = (!in_place(comm, sendbuf)).then(|| unsafe { data(rank, sendbuf, sendcount, sendtype) }).transpose()?;
    // SAFETY: the caller's.
    let recv = unsafe { varying(rank, RECV, recvbuf, recvcounts, displs, recvtype, comm.targets().size())? };
    Ok(Allgather { send, recv })
}

#[inline]
pub unsafe fn alltoall<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcount: N,
    sendtype: Type,
    recvbuf: Out,
    recvcount: N,
    recvtype: Type,
) -> Result<Alltoall<'r>> {
    let len = comm.targets().size();
    // SAFETY: the caller's.
    let send = (!in_place(comm, sendbuf)).then(|| unsafe { even(rank, sendbuf, sendcount, sendtype, len) }).transpose()?;
    // SAFETY: the caller's.
    Ok(Alltoall { send, recv: unsafe { even(rank, recvbuf, recvcount, recvtype, len)? } })
}

pub unsafe fn alltoallv<'r, N: Count, D: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcounts: *const N,
    sdispls: *const D,
    sendtype: Type,
    recvbuf: Out,
    recvcounts: *const N,
    rdispls: *const D,
    recvtype: Type,
) -> Result<Alltoall<'r>> {
    let len = comm.targets().size();
    // SAFETY: the caller's.
    let send = || unsafe { varying(rank, SEND, sendbuf, sendcounts, sdispls, sendtype, len) };
    let send = (!in_place(comm, sendbuf)).then(send).transpose()?;
    // SAFETY: the caller's.
    Ok(Alltoall { send, recv: unsafe { varying(rank, RECV, recvbuf, recvcounts, rdispls, recvtype, len)? } })
}

pub unsafe fn alltoallw<'r, N: Count, D: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcounts: *const N,
    sdispls: *const D,
    sendtypes: *const Type,
    recvbuf: Out,
    recvcounts: *const N,
    rdispls: *const D,
    recvtypes: *const Type,
) -> Result<Alltoall<'r>> {
    let len = comm.targets().size();
    // SAFETY: the caller's.
    let send = || unsafe { typed(rank, SEND, sendbuf, sendcounts, sdispls, sendtypes, len) };
    let send = (!in_place(comm, sendbuf)).then(send).transpose()?;
    // SAFETY: the caller's.
    Ok(Alltoall { send, recv: unsafe { typed(rank, RECV, recvbuf, recvcounts, rdispls, recvtypes, len)? } })
}
