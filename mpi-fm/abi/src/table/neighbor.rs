//! Neighbourhood collectives (MPI 5.0 section 8.6 to 8.8).

use super::prelude::*;
use crate::coll;

table! {
    "Neighbourhood collectives", "8.6 to 8.8";

    fn MPI_Neighbor_allgather | MPI_Neighbor_allgather_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm
    ) = coll::neighbor_allgather;
    fn MPI_Neighbor_allgatherv | MPI_Neighbor_allgatherv_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void,
        recvcounts: *const N, displs: *const D, recvtype: MPI_Datatype, comm: MPI_Comm
    ) = coll::neighbor_allgatherv;
    fn MPI_Neighbor_alltoall | MPI_Neighbor_alltoall_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm
    ) = coll::neighbor_alltoall;
    fn MPI_Neighbor_alltoallv | MPI_Neighbor_alltoallv_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const D, sendtype: MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const D, recvtype: MPI_Datatype, comm: MPI_Comm
    ) = coll::neighbor_alltoallv;
    fn MPI_Neighbor_alltoallw | MPI_Neighbor_alltoallw_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const MPI_Aint, sendtypes: *const MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const MPI_Aint, recvtypes: *const MPI_Datatype,
        comm: MPI_Comm
    ) = coll::neighbor_alltoallw;
    fn MPI_Ineighbor_allgather | MPI_Ineighbor_allgather_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::ineighbor_allgather;
    fn MPI_Ineighbor_allgatherv | MPI_Ineighbor_allgatherv_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void,
        recvcounts: *const N, displs: *const D, recvtype: MPI_Datatype, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = coll::ineighbor_allgatherv;
    fn MPI_Ineighbor_alltoall | MPI_Ineighbor_alltoall_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::ineighbor_alltoall;
    fn MPI_Ineighbor_alltoallv | MPI_Ineighbor_alltoallv_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const D, sendtype: MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const D, recvtype: MPI_Datatype, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = coll::ineighbor_alltoallv;
    fn MPI_Ineighbor_alltoallw | MPI_Ineighbor_alltoallw_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const MPI_Aint, sendtypes: *const MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const MPI_Aint, recvtypes: *const MPI_Datatype,
        comm: MPI_Comm, request: *mut MPI_Request
    ) = coll::ineighbor_alltoallw;
    fn MPI_Neighbor_allgather_init | MPI_Neighbor_allgather_init_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::neighbor_allgather_init;
    fn MPI_Neighbor_allgatherv_init | MPI_Neighbor_allgatherv_init_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void,
        recvcounts: *const N, displs: *const D, recvtype: MPI_Datatype, comm: MPI_Comm, info: MPI_Info,
        request: *mut MPI_Request
    ) = coll::neighbor_allgatherv_init;
    fn MPI_Neighbor_alltoall_init | MPI_Neighbor_alltoall_init_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, recvbuf: *mut c_void, recvcount: N,
        recvtype: MPI_Datatype, comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::neighbor_alltoall_init;
    fn MPI_Neighbor_alltoallv_init | MPI_Neighbor_alltoallv_init_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const D, sendtype: MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const D, recvtype: MPI_Datatype, comm: MPI_Comm,
        info: MPI_Info, request: *mut MPI_Request
    ) = coll::neighbor_alltoallv_init;
    fn MPI_Neighbor_alltoallw_init | MPI_Neighbor_alltoallw_init_c(
        sendbuf: *const c_void, sendcounts: *const N, sdispls: *const MPI_Aint, sendtypes: *const MPI_Datatype,
        recvbuf: *mut c_void, recvcounts: *const N, rdispls: *const MPI_Aint, recvtypes: *const MPI_Datatype,
        comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = coll::neighbor_alltoallw_init;
}
