//! Point-to-point communication (MPI 5.0 section 3).

use super::prelude::*;

table! {
    "Point-to-point communication", "3";

    fn MPI_Send | MPI_Send_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm
    ) = unsupported;
    fn MPI_Bsend | MPI_Bsend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm
    ) = unsupported;
    fn MPI_Ssend | MPI_Ssend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm
    ) = unsupported;
    fn MPI_Rsend | MPI_Rsend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm
    ) = unsupported;
    fn MPI_Recv | MPI_Recv_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, source: c_int, tag: c_int, comm: MPI_Comm,
        status: *mut MPI_Status
    ) = unsupported;
    fn MPI_Sendrecv | MPI_Sendrecv_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, dest: c_int, sendtag: c_int,
        recvbuf: *mut c_void, recvcount: N, recvtype: MPI_Datatype, source: c_int, recvtag: c_int,
        comm: MPI_Comm, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_Sendrecv_replace | MPI_Sendrecv_replace_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, dest: c_int, sendtag: c_int, source: c_int,
        recvtag: c_int, comm: MPI_Comm, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_Isend | MPI_Isend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Ibsend | MPI_Ibsend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Issend | MPI_Issend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Irsend | MPI_Irsend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Irecv | MPI_Irecv_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, source: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Isendrecv | MPI_Isendrecv_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, dest: c_int, sendtag: c_int,
        recvbuf: *mut c_void, recvcount: N, recvtype: MPI_Datatype, source: c_int, recvtag: c_int,
        comm: MPI_Comm, request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Isendrecv_replace | MPI_Isendrecv_replace_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, dest: c_int, sendtag: c_int, source: c_int,
        recvtag: c_int, comm: MPI_Comm, request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Probe(source: c_int, tag: c_int, comm: MPI_Comm, status: *mut MPI_Status) = unsupported;
    fn MPI_Iprobe(
        source: c_int, tag: c_int, comm: MPI_Comm, flag: *mut c_int, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_Mprobe(
        source: c_int, tag: c_int, comm: MPI_Comm, message: *mut MPI_Message, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_Improbe(
        source: c_int, tag: c_int, comm: MPI_Comm, flag: *mut c_int, message: *mut MPI_Message,
        status: *mut MPI_Status
    ) = unsupported;
    fn MPI_Mrecv | MPI_Mrecv_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, message: *mut MPI_Message, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_Imrecv | MPI_Imrecv_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, message: *mut MPI_Message, request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Send_init | MPI_Send_init_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Bsend_init | MPI_Bsend_init_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Ssend_init | MPI_Ssend_init_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Rsend_init | MPI_Rsend_init_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Recv_init | MPI_Recv_init_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, source: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = unsupported;
}
