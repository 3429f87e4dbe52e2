//! The calls that reduce.

use super::blocks::{counts, data};
use super::{In, Out, Type, in_place};
use crate::count::Count;
use crate::rank::Rank;
use crate::types::MPI_Op;
use mpi_fm::coll::reduce_scatter::Counts;
use mpi_fm::coll::{Allreduce, Data, Held, Reduce, ReduceScatter, Root, Scan};
use mpi_fm::comm::Comm;
use mpi_fm::{Op, Result};
use std::ffi::c_int;

fn held(rank: &Rank, op: MPI_Op) -> Result<Held<'_, Op>> {
    rank.op(op).map(Held::Lent)
}

/// A send buffer, unless the call is in place.
unsafe fn unless_in_place<'r, N: Count>(rank: &'r Rank, comm: &Comm, addr: In, count: N, ty: Type) -> Result<Option<Data<'r>>> {
    // SAFETY: the caller's.
    (!in_place(comm, addr)).then(|| unsafe { data(rank, addr, count, ty) }).transpose()
}

#[inline]
pub unsafe fn reduce<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    recvbuf: Out,
    count: N,
    datatype: Type,
    op: MPI_Op,
    root: c_int,
) -> Result<Reduce<'r>> {
    let (root, op) = (Root::of(comm, root)?, held(rank, op)?);
    let here = root.is_here(comm);
    let contributes = if comm.is_inter() { matches!(root, Root::Rank(_)) } else { !here || !in_place(comm, sendbuf) };
    // SAFETY: the caller's.
    let send = contributes.then(|| unsafe { data(rank, sendbuf, count, datatype) }).transpose()?;
    // SAFETY: the caller's.
    let recv = here.then(|| unsafe { data(rank, recvbuf, count, datatype) }).transpose()?;
    Ok(Reduce { send, recv, op, root })
}

#[inline]
pub unsafe fn allreduce<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    recvbuf: Out,
    count: N,
    datatype: Type,
    op: MPI_Op,
) -> Result<Allreduce<'r>> {
    // SAFETY: the caller's.
    let send = unsafe { unless_in_place(rank, comm, sendbuf, count, datatype)? };
    // SAFETY: the caller's.
    Ok(Allreduce { send, recv: unsafe { data(rank, recvbuf, count, datatype)? }, op: held(rank, op)? })
}

#[inline]
pub unsafe fn reduce_scatter_block<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    recvbuf: Out,
    recvcount: N,
    datatype: Type,
    op: MPI_Op,
) -> Result<ReduceScatter<'r>> {
    let count = crate::args::count(recvcount)?;
    let counts = Counts::Even { count, len: comm.size() };
    // SAFETY: the caller's.
    unsafe { reduce_scatter_of(rank, comm, sendbuf, recvbuf, counts, datatype, op) }
}

pub unsafe fn reduce_scatter<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    recvbuf: Out,
    recvcounts: *const N,
    datatype: Type,
    op: MPI_Op,
) -> Result<ReduceScatter<'r>> {
    // SAFETY: the caller's.
    let counts = Counts::Varying(unsafe { counts("recvcounts", recvcounts, comm.size())? });
    // SAFETY: the caller's.
    unsafe { reduce_scatter_of(rank, comm, sendbuf, recvbuf, counts, datatype, op) }
}

unsafe fn reduce_scatter_of<'r>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    recvbuf: Out,
    counts: Counts,
    datatype: Type,
    op: MPI_Op,
) -> Result<ReduceScatter<'r>> {
    let total = counts.total() as i64;
    // SAFETY: the caller's.
    let send = unsafe { unless_in_place(rank, comm, sendbuf, total, datatype)? };
    let room = if send.is_some() { counts.get(comm.rank) as i64 } else { total };
    // SAFETY: the caller's.
    let recv = unsafe { data(rank, recvbuf, room, datatype)? };
    Ok(ReduceScatter { send, recv, counts, op: held(rank, op)? })
}

pub unsafe fn scan<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    recvbuf: Out,
    count: N,
    datatype: Type,
    op: MPI_Op,
) -> Result<Scan<'r>> {
    // SAFETY: the caller's.
    let send = unsafe { unless_in_place(rank, comm, sendbuf, count, datatype)? };
    // SAFETY: the caller's.
    Ok(Scan { send, recv: unsafe { data(rank, recvbuf, count, datatype)? }, op: held(rank, op)?, exclusive: false })
}

pub unsafe fn exscan<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    recvbuf: Out,
    count: N,
    datatype: Type,
    op: MPI_Op,
) -> Result<Scan<'r>> {
    // SAFETY: the caller's.
    Ok(Scan { exclusive: true, ..unsafe { scan(rank, comm, sendbuf, recvbuf, count, datatype, op)? } })
}
