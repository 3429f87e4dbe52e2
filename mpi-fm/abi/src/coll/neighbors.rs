//! Neighbourhood collectives.

use super::blocks::{RECV, SEND, even, same, typed, varying};
use super::{In, Out, Type};
use crate::count::Count;
use crate::rank::Rank;
use crate::types::MPI_Aint;
use mpi_fm::Result;
use mpi_fm::coll::Neighbor;
use mpi_fm::coll::neighbor::neighbours;
use mpi_fm::comm::Comm;

pub unsafe fn neighbor_allgather<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcount: N,
    sendtype: Type,
    recvbuf: Out,
    recvcount: N,
    recvtype: Type,
) -> Result<Neighbor<'r>> {
    let neighbours = neighbours(comm)?;
    // SAFETY: the caller's.
    let send = unsafe { same(rank, sendbuf, sendcount, sendtype, neighbours.destinations.len())? };
    // SAFETY: the caller's.
    let recv = unsafe { even(rank, recvbuf, recvcount, recvtype, neighbours.sources.len())? };
    Ok(Neighbor { send, recv, neighbours })
}

pub unsafe fn neighbor_allgatherv<'r, N: Count, D: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcount: N,
    sendtype: Type,
    recvbuf: Out,
    recvcounts: *const N,
    displs: *const D,
    recvtype: Type,
) -> Result<Neighbor<'r>> {
    let neighbours = neighbours(comm)?;
    // SAFETY: the caller's.
    let send = unsafe { same(rank, sendbuf, sendcount, sendtype, neighbours.destinations.len())? };
    // SAFETY: the caller's.
    let recv = unsafe { varying(rank, RECV, recvbuf, recvcounts, displs, recvtype, neighbours.sources.len())? };
    Ok(Neighbor { send, recv, neighbours })
}

pub unsafe fn neighbor_alltoall<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcount: N,
    sendtype: Type,
    recvbuf: Out,
    recvcount: N,
    recvtype: Type,
) -> Result<Neighbor<'r>> {
    let neighbours = neighbours(comm)?;
    // SAFETY: the caller's.
    let send = unsafe { even(rank, sendbuf, sendcount, sendtype, neighbours.destinations.len())? };
    // SAFETY: the caller's.
    let recv = unsafe { even(rank, recvbuf, recvcount, recvtype, neighbours.sources.len())? };
    Ok(Neighbor { send, recv, neighbours })
}

pub unsafe fn neighbor_alltoallv<'r, N: Count, D: Count>(
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
) -> Result<Neighbor<'r>> {
    let neighbours = neighbours(comm)?;
    // SAFETY: the caller's.
    let send = unsafe { varying(rank, SEND, sendbuf, sendcounts, sdispls, sendtype, neighbours.destinations.len())? };
    // SAFETY: the caller's.
    let recv = unsafe { varying(rank, RECV, recvbuf, recvcounts, rdispls, recvtype, neighbours.sources.len())? };
    Ok(Neighbor { send, recv, neighbours })
}

pub unsafe fn neighbor_alltoallw<'r, N: Count>(
    rank: &'r Rank,
    comm: &Comm,
    sendbuf: In,
    sendcounts: *const N,
    sdispls: *const MPI_Aint,
    sendtypes: *const Type,
    recvbuf: Out,
    recvcounts: *const N,
    rdispls: *const MPI_Aint,
    recvtypes: *const Type,
) -> Result<Neighbor<'r>> {
    let neighbours = neighbours(comm)?;
    // SAFETY: the caller's.
    let send = unsafe { typed(rank, SEND, sendbuf, sendcounts, sdispls, sendtypes, neighbours.destinations.len())? };
    // SAFETY: the caller's.
    let recv = unsafe { typed(rank, RECV, recvbuf, recvcounts, rdispls, recvtypes, neighbours.sources.len())? };
    Ok(Neighbor { send, recv, neighbours })
}
