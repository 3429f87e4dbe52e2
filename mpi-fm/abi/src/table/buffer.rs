//! Buffers of buffered sends (MPI 5.0 section 3.6).

use super::prelude::*;
use crate::buffer;

table! {
    "Buffers of buffered sends", "3.6";

    fn MPI_Buffer_attach | MPI_Buffer_attach_c(buffer: *mut c_void, size: N) = buffer::attach;
    fn MPI_Buffer_detach | MPI_Buffer_detach_c(buffer_addr: *mut c_void, size: *mut N) = buffer::detach;
    fn MPI_Buffer_flush() = buffer::flush;
    fn MPI_Buffer_iflush(request: *mut MPI_Request) = buffer::start_flush;
    fn MPI_Comm_attach_buffer | MPI_Comm_attach_buffer_c(
        comm: MPI_Comm, buffer: *mut c_void, size: N
    ) = buffer::comm_attach;
    fn MPI_Comm_detach_buffer | MPI_Comm_detach_buffer_c(
        comm: MPI_Comm, buffer_addr: *mut c_void, size: *mut N
    ) = buffer::comm_detach;
    fn MPI_Comm_flush_buffer(comm: MPI_Comm) = buffer::comm_flush;
    fn MPI_Comm_iflush_buffer(comm: MPI_Comm, request: *mut MPI_Request) = buffer::comm_start_flush;
    fn MPI_Session_attach_buffer | MPI_Session_attach_buffer_c(
        session: MPI_Session, buffer: *mut c_void, size: N
    ) = buffer::session_attach;
    fn MPI_Session_detach_buffer | MPI_Session_detach_buffer_c(
        session: MPI_Session, buffer_addr: *mut c_void, size: *mut N
    ) = buffer::session_detach;
    fn MPI_Session_flush_buffer(session: MPI_Session) = buffer::session_flush;
    fn MPI_Session_iflush_buffer(session: MPI_Session, request: *mut MPI_Request) = buffer::session_start_flush;
}
