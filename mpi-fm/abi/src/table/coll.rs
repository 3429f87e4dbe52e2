//! Collectives, blocking (MPI 5.0 section 6.1 to 6.11).

use super::prelude::*;
use crate::coll;

table! {
    "Collectives, blocking", "6.1 to 6.11";

    fn MPI_Barrier(comm: MPI_Comm) = coll::barrier;
    fn MPI_Bcast | MPI_Bcast_c(
        buffer: *mut c_void, count: N, datatype: MPI_Datatype, root: c_int, comm: MPI_Comm
    ) = coll::bcast;
    fn MPI_Gather | MPI_Gather_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm
    ) = coll::gather;
    fn MPI_Gatherv | MPI_Gatherv_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void,
        recvcounts: *const N, displs: *const D, recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm
    ) = coll::gatherv;
    fn MPI_Scatter | MPI_Scatter_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm
    ) = coll::scatter;
    fn MPI_Scatterv | MPI_Scatterv_c(
        sendbuf: *const c_void, sendcounts: *const N, displs: *const D, sendtype: MPI_Datatype,
        recvbuf: *mut c_void, recvcount: N, recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm
    ) = coll::scatterv;
    fn MPI_Allgather | MPI_Allgather_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm
    ) = coll::allgather;
    fn MPI_Allgatherv | MPI_Allgatherv_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void,
        recvcounts: *const N, displs: *const D, recvtype: MPI_Datatype, comm: MPI_Comm
    ) = coll::allgatherv;
    fn MPI_Alltoall | MPI_Alltoall_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm
    ) = coll::alltoall;
    fn MPI_Alltoallv | MPI_Alltoallv_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const D, sendtype: MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const D, recvtype: MPI_Datatype, comm: MPI_Comm
    ) = coll::alltoallv;
    fn MPI_Alltoallw | MPI_Alltoallw_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const D, sendtypes: *const MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const D, recvtypes: *const MPI_Datatype,
        comm: MPI_Comm
    ) = coll::alltoallw;
    fn MPI_Reduce | MPI_Reduce_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op, root: c_int,
        comm: MPI_Comm
    ) = coll::reduce;
    fn MPI_Allreduce | MPI_Allreduce_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm
    ) = coll::allreduce;
    fn MPI_Reduce_scatter_block | MPI_Reduce_scatter_block_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, recvcount: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm
    ) = coll::reduce_scatter_block;
    fn MPI_Reduce_scatter | MPI_Reduce_scatter_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, recvcounts: *const N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm
    ) = coll::reduce_scatter;
    fn MPI_Scan | MPI_Scan_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm
    ) = coll::scan;
    fn MPI_Exscan | MPI_Exscan_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm
    ) = coll::exscan;
}
