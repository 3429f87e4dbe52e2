//! Point-to-point communication (MPI 5.0 section 3).

use super::prelude::*;
use crate::p2p;

table! {
    "Point-to-point communication", "3";

    fn MPI_Send | MPI_Send_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm
    ) = p2p::send;
    fn MPI_Bsend | MPI_Bsend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm
    ) = p2p::bsend;
    fn MPI_Ssend | MPI_Ssend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm
    ) = p2p::ssend;
    fn MPI_Rsend | MPI_Rsend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm
    ) = p2p::send;
    fn MPI_Recv | MPI_Recv_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, source: c_int, tag: c_int, comm: MPI_Comm,
        status: *mut MPI_Status
    ) = p2p::recv;
    fn MPI_Sendrecv | MPI_Sendrecv_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, dest: c_int, sendtag: c_int,
        recvbuf: *mut c_void, recvcount: N, recvtype: MPI_Datatype, source: c_int, recvtag: c_int,
        comm: MPI_Comm, status: *mut MPI_Status
    ) = p2p::sendrecv;
    fn MPI_Sendrecv_replace | MPI_Sendrecv_replace_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, dest: c_int, sendtag: c_int, source: c_int,
        recvtag: c_int, comm: MPI_Comm, status: *mut MPI_Status
    ) = p2p::sendrecv_replace;
    fn MPI_Isend | MPI_Isend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = p2p::isend;
    fn MPI_Ibsend | MPI_Ibsend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = p2p::ibsend;
    fn MPI_Issend | MPI_Issend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = p2p::issend;
    fn MPI_Irsend | MPI_Irsend_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = p2p::isend;
    fn MPI_Irecv | MPI_Irecv_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, source: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = p2p::irecv;
    fn MPI_Isendrecv | MPI_Isendrecv_c(
        sendbuf: *const c_void, sendcount: N, sendtype: MPI_Datatype, dest: c_int, sendtag: c_int,
        recvbuf: *mut c_void, recvcount: N, recvtype: MPI_Datatype, source: c_int, recvtag: c_int,
        comm: MPI_Comm, request: *mut MPI_Request
    ) = p2p::isendrecv;
    fn MPI_Isendrecv_replace | MPI_Isendrecv_replace_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, dest: c_int, sendtag: c_int, source: c_int,
        recvtag: c_int, comm: MPI_Comm, request: *mut MPI_Request
    ) = p2p::isendrecv_replace;
    fn MPI_Probe(source: c_int, tag: c_int, comm: MPI_Comm, status: *mut MPI_Status) = p2p::probe;
    fn MPI_Iprobe(
        source: c_int, tag: c_int, comm: MPI_Comm, flag: *mut c_int, status: *mut MPI_Status
    ) = p2p::iprobe;
    fn MPI_Mprobe(
        source: c_int, tag: c_int, comm: MPI_Comm, message: *mut MPI_Message, status: *mut MPI_Status
    ) = p2p::mprobe;
    fn MPI_Improbe(
        source: c_int, tag: c_int, comm: MPI_Comm, flag: *mut c_int, message: *mut MPI_Message,
        status: *mut MPI_Status
    ) = p2p::improbe;
    fn MPI_Mrecv | MPI_Mrecv_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, message: *mut MPI_Message, status: *mut MPI_Status
    ) = p2p::mrecv;
    fn MPI_Imrecv | MPI_Imrecv_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, message: *mut MPI_Message, request: *mut MPI_Request
    ) = p2p::imrecv;
    fn MPI_Send_init | MPI_Send_init_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = p2p::send_init;
    fn MPI_Bsend_init | MPI_Bsend_init_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = p2p::bsend_init;
    fn MPI_Ssend_init | MPI_Ssend_init_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = p2p::ssend_init;
    fn MPI_Rsend_init | MPI_Rsend_init_c(
        buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = p2p::send_init;
    fn MPI_Recv_init | MPI_Recv_init_c(
        buf: *mut c_void, count: N, datatype: MPI_Datatype, source: c_int, tag: c_int, comm: MPI_Comm,
        request: *mut MPI_Request
    ) = p2p::recv_init;
}
