//! Collectives (MPI 5.0 chapter 6, sections 8.6 to 8.8): blocking, nonblocking and persistent calls from one description.
//!
//! [`arguments`], [`reductions`] and [`neighbors`] turn what C passes into a call of the engine, a [`Collective`](mpi_fm::coll::Collective); how
//! the call is made then is the same for all.

// The signatures and what they ask of the caller are the standard's.
#![allow(clippy::missing_safety_doc, clippy::too_many_arguments)]

mod arguments;
mod blocks;
mod neighbors;
mod reductions;

use crate::args::{check, put};
use crate::count::Count;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Aint, MPI_Comm, MPI_Datatype, MPI_Info, MPI_Op, MPI_Request};
use mpi_fm::Result;
use mpi_fm::comm::Comm;
use mpi_fm::handle::Handle;
use std::ffi::{c_int, c_void};

/// `MPI_IN_PLACE`
const IN_PLACE: usize = 1;

/// Whether a buffer argument is `MPI_IN_PLACE` where that has a meaning: not on intercommunicators (MPI 5.0 section 6.2.3).
fn in_place(comm: &Comm, addr: *const c_void) -> bool {
    addr as usize == IN_PLACE && !comm.is_inter()
}

/// Starts something that has a request.
///
/// # Safety
/// `request` is null or writable.
unsafe fn start(request: *mut MPI_Request, make: impl FnOnce() -> Result<Handle>) -> Result<()> {
    check("request", request)?;
    let handle = make()?;
    // SAFETY: not null, so writable.
    unsafe { put("request", request, MPI_Request::from_handle(handle)) }
}

/// The three bodies of each collective: blocking, nonblocking, persistent. `module::blocking` describes the call.
macro_rules! calls {
    ($($module:ident: $blocking:ident $nonblocking:ident $persistent:ident<$($n:ident),*>($($param:ident: $type:ty),*);)*) => {$(
        #[inline]
        pub unsafe fn $blocking<$($n: Count),*>(rank: &Rank, $($param: $type,)* comm: MPI_Comm) -> Result<()> {
            let comm = rank.comm(comm)?;
            // SAFETY: the caller's.
            let call = unsafe { $module::$blocking(rank, comm, $($param),*)? };
            rank.process.collective(comm, call)
        }

        pub unsafe fn $nonblocking<$($n: Count),*>(
            rank: &Rank, $($param: $type,)* comm: MPI_Comm, request: *mut MPI_Request
        ) -> Result<()> {
            let comm = rank.comm(comm)?;
            // SAFETY: the caller's.
            unsafe { start(request, || rank.process.icollective(comm, $module::$blocking(rank, comm, $($param),*)?)) }
        }

        // The standard defines no hints for these calls, so there is none to look for in the info object.
        pub unsafe fn $persistent<$($n: Count),*>(
            rank: &Rank, $($param: $type,)* comm: MPI_Comm, _info: MPI_Info, request: *mut MPI_Request
        ) -> Result<()> {
            let comm = rank.comm(comm)?;
            // SAFETY: the caller's.
            unsafe { start(request, || rank.process.persistent_collective(comm, $module::$blocking(rank, comm, $($param),*)?)) }
        }
    )*};
}

type In = *const c_void;
type Out = *mut c_void;
type Type = MPI_Datatype;

calls! {
    arguments: barrier ibarrier barrier_init<>();
    arguments: bcast ibcast bcast_init<N>(buffer: Out, count: N, datatype: Type, root: c_int);
    arguments: gather igather gather_init<N>(
        sendbuf: In, sendcount: N, sendtype: Type, recvbuf: Out, recvcount: N, recvtype: Type, root: c_int);
    arguments: gatherv igatherv gatherv_init<N, D>(
        sendbuf: In, sendcount: N, sendtype: Type, recvbuf: Out, recvcounts: *const N, displs: *const D, recvtype: Type,
        root: c_int);
    arguments: scatter iscatter scatter_init<N>(
        sendbuf: In, sendcount: N, sendtype: Type, recvbuf: Out, recvcount: N, recvtype: Type, root: c_int);
    arguments: scatterv iscatterv scatterv_init<N, D>(
        sendbuf: In, sendcounts: *const N, displs: *const D, sendtype: Type, recvbuf: Out, recvcount: N, recvtype: Type,
        root: c_int);
    arguments: allgather iallgather allgather_init<N>(
        sendbuf: In, sendcount: N, sendtype: Type, recvbuf: Out, recvcount: N, recvtype: Type);
    arguments: allgatherv iallgatherv allgatherv_init<N, D>(
        sendbuf: In, sendcount: N, sendtype: Type, recvbuf: Out, recvcounts: *const N, displs: *const D, recvtype: Type);
    arguments: alltoall ialltoall alltoall_init<N>(
        sendbuf: In, sendcount: N, sendtype: Type, recvbuf: Out, recvcount: N, recvtype: Type);
    arguments: alltoallv ialltoallv alltoallv_init<N, D>(
        sendbuf: In, sendcounts: *const N, sdispls: *const D, sendtype: Type, recvbuf: Out, recvcounts: *const N,
        rdispls: *const D, recvtype: Type);
    arguments: alltoallw ialltoallw alltoallw_init<N, D>(
        sendbuf: In, sendcounts: *const N, sdispls: *const D, sendtypes: *const Type, recvbuf: Out, recvcounts: *const N,
        rdispls: *const D, recvtypes: *const Type);
    reductions: reduce ireduce reduce_init<N>(
        sendbuf: In, recvbuf: Out, count: N, datatype: Type, op: MPI_Op, root: c_int);
    reductions: allreduce iallreduce allreduce_init<N>(sendbuf: In, recvbuf: Out, count: N, datatype: Type, op: MPI_Op);
    reductions: reduce_scatter_block ireduce_scatter_block reduce_scatter_block_init<N>(
        sendbuf: In, recvbuf: Out, recvcount: N, datatype: Type, op: MPI_Op);
    reductions: reduce_scatter ireduce_scatter reduce_scatter_init<N>(
        sendbuf: In, recvbuf: Out, recvcounts: *const N, datatype: Type, op: MPI_Op);
    reductions: scan iscan scan_init<N>(sendbuf: In, recvbuf: Out, count: N, datatype: Type, op: MPI_Op);
    reductions: exscan iexscan exscan_init<N>(sendbuf: In, recvbuf: Out, count: N, datatype: Type, op: MPI_Op);
    neighbors: neighbor_allgather ineighbor_allgather neighbor_allgather_init<N>(
        sendbuf: In, sendcount: N, sendtype: Type, recvbuf: Out, recvcount: N, recvtype: Type);
    neighbors: neighbor_allgatherv ineighbor_allgatherv neighbor_allgatherv_init<N, D>(
        sendbuf: In, sendcount: N, sendtype: Type, recvbuf: Out, recvcounts: *const N, displs: *const D, recvtype: Type);
    neighbors: neighbor_alltoall ineighbor_alltoall neighbor_alltoall_init<N>(
        sendbuf: In, sendcount: N, sendtype: Type, recvbuf: Out, recvcount: N, recvtype: Type);
    neighbors: neighbor_alltoallv ineighbor_alltoallv neighbor_alltoallv_init<N, D>(
        sendbuf: In, sendcounts: *const N, sdispls: *const D, sendtype: Type, recvbuf: Out, recvcounts: *const N,
        rdispls: *const D, recvtype: Type);
    neighbors: neighbor_alltoallw ineighbor_alltoallw neighbor_alltoallw_init<N>(
        sendbuf: In, sendcounts: *const N, sdispls: *const MPI_Aint, sendtypes: *const Type, recvbuf: Out,
        recvcounts: *const N, rdispls: *const MPI_Aint, recvtypes: *const Type);
}
