//! Collectives, nonblocking (MPI 5.0 section 6.12).

use super::prelude::*;
use crate::coll;

table! {
    "Collectives, nonblocking", "6.12";

    fn MPI_Ibarrier(comm: MPI_Comm, request: *mut MPI_Request) = coll::ibarrier;
    fn MPI_Ibcast | MPI_Ibcast_c(
        buffer: *mut c_void, count: N, datatype: MPI_Datatype, root: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = coll::ibcast;
    fn MPI_Igather | MPI_Igather_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::igather;
    fn MPI_Igatherv | MPI_Igatherv_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void,
        recvcounts: *const N, displs: *const D, recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = coll::igatherv;
    fn MPI_Iscatter | MPI_Iscatter_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::iscatter;
    fn MPI_Iscatterv | MPI_Iscatterv_c(
        sendbuf: *const c_void, sendcounts: *const N, displs: *const D, sendtype: MPI_Datatype,
        recvbuf: *mut c_void, recvcount: N, recvtype: MPI_Datatype, root: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = coll::iscatterv;
    fn MPI_Iallgather | MPI_Iallgather_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::iallgather;
    fn MPI_Iallgatherv | MPI_Iallgatherv_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void,
        recvcounts: *const N, displs: *const D, recvtype: MPI_Datatype, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = coll::iallgatherv;
    fn MPI_Ialltoall | MPI_Ialltoall_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::ialltoall;
    fn MPI_Ialltoallv | MPI_Ialltoallv_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const D, sendtype: MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const D, recvtype: MPI_Datatype, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = coll::ialltoallv;
    fn MPI_Ialltoallw | MPI_Ialltoallw_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const D, sendtypes: *const MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const D, recvtypes: *const MPI_Datatype,
        comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::ialltoallw;
    fn MPI_Ireduce | MPI_Ireduce_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op, root: c_int,
        comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::ireduce;
    fn MPI_Iallreduce | MPI_Iallreduce_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::iallreduce;
    fn MPI_Ireduce_scatter_block | MPI_Ireduce_scatter_block_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, recvcount: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::ireduce_scatter_block;
    fn MPI_Ireduce_scatter | MPI_Ireduce_scatter_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, recvcounts: *const N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::ireduce_scatter;
    fn MPI_Iscan | MPI_Iscan_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::iscan;
    fn MPI_Iexscan | MPI_Iexscan_c(
        sendbuf: *const c_void, recvbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op,
        comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::iexscan;
}
