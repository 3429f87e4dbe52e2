//! Collectives, persistent (MPI 5.0 section 6.13).

use super::prelude::*;
use crate::coll;

table! {
    "Collectives, persistent", "6.13";

    fn MPI_Barrier_init(comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request) = coll::barrier_init;
    fn MPI_Bcast_init | MPI_Bcast_init_c(
        buffer: *mut c_void, count: N, datatype: MPI_Datatype, root: c_int, comm: MPI_Comm, info: MPI_Info,
        request: *mut MPI_Request
    ) = coll::bcast_init;
    fn MPI_Gather_init | MPI_Gather_init_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::gather_init;
    fn MPI_Gatherv_init | MPI_Gatherv_init_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void,
        recvcounts: *const N, displs: *const D, recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm,
        info: MPI_Info, request: *mut MPI_Request
    ) = coll::gatherv_init;
    fn MPI_Scatter_init | MPI_Scatter_init_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::scatter_init;
    fn MPI_Scatterv_init | MPI_Scatterv_init_c(
        sendbuf: *const c_void, sendcounts: *const N, displs: *const D, sendtype: MPI_Datatype,
        recvbuf: *mut c_void, recvcount: N, recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm, info: MPI_Info,
        request: *mut MPI_Request
    ) = coll::scatterv_init;
    fn MPI_Allgather_init | MPI_Allgather_init_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::allgather_init;
    fn MPI_Allgatherv_init | MPI_Allgatherv_init_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void,
        recvcounts: *const N, displs: *const D, recvtype: MPI_Datatype, comm: MPI_Comm, info: MPI_Info,
        request: *mut MPI_Request
    ) = coll::allgatherv_init;
    fn MPI_Alltoall_init | MPI_Alltoall_init_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::alltoall_init;
    fn MPI_Alltoallv_init | MPI_Alltoallv_init_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const D, sendtype: MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const D, recvtype: MPI_Datatype, comm: MPI_Comm,
        info: MPI_Info, request: *mut MPI_Request
    ) = coll::alltoallv_init;
    fn MPI_Alltoallw_init | MPI_Alltoallw_init_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const D, sendtypes: *const MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const D, recvtypes: *const MPI_Datatype,
        comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::alltoallw_init;
    fn MPI_Reduce_init | MPI_Reduce_init_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op, root: c_int,
        comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::reduce_init;
    fn MPI_Allreduce_init | MPI_Allreduce_init_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::allreduce_init;
    fn MPI_Reduce_scatter_block_init | MPI_Reduce_scatter_block_init_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, recvcount: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::reduce_scatter_block_init;
    fn MPI_Reduce_scatter_init | MPI_Reduce_scatter_init_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, recvcounts: *const N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::reduce_scatter_init;
    fn MPI_Scan_init | MPI_Scan_init_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::scan_init;
    fn MPI_Exscan_init | MPI_Exscan_init_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::exscan_init;
}
