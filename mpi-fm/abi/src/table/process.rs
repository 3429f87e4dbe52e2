//! Dynamic processes (MPI 5.0 section 11.7 to 11.10).

use super::prelude::*;
use crate::comm;

table! {
    "Dynamic processes", "11.7 to 11.10";

    fn MPI_Comm_spawn(
        command: *const c_char, argv: *mut *mut c_char, maxprocs: c_int, info: MPI_Info, root: c_int,
        comm: MPI_Comm, intercomm: *mut MPI_Comm, array_of_errcodes: *mut c_int
    ) = unsupported;
    fn MPI_Comm_spawn_multiple(
        count: c_int, array_of_commands: *mut *mut c_char, array_of_argv: *mut *mut *mut c_char,
        array_of_maxprocs: *const c_int, array_of_info: *const MPI_Info, root: c_int, comm: MPI_Comm,
        intercomm: *mut MPI_Comm, array_of_errcodes: *mut c_int
    ) = unsupported;
    fn MPI_Comm_get_parent(parent: *mut MPI_Comm) = comm::get_parent;
    fn MPI_Open_port(info: MPI_Info, port_name: *mut c_char) = unsupported;
    fn MPI_Close_port(port_name: *const c_char) = unsupported;
    fn MPI_Comm_accept(
        port_name: *const c_char, info: MPI_Info, root: c_int, comm: MPI_Comm, newcomm: *mut MPI_Comm
    ) = unsupported;
    fn MPI_Comm_connect(
        port_name: *const c_char, info: MPI_Info, root: c_int, comm: MPI_Comm, newcomm: *mut MPI_Comm
    ) = unsupported;
    fn MPI_Publish_name(service_name: *const c_char, info: MPI_Info, port_name: *const c_char) = unsupported;
    fn MPI_Unpublish_name(service_name: *const c_char, info: MPI_Info, port_name: *const c_char) = unsupported;
    fn MPI_Lookup_name(service_name: *const c_char, info: MPI_Info, port_name: *mut c_char) = unsupported;
    fn MPI_Comm_disconnect(comm: *mut MPI_Comm) = comm::disconnect;
    fn MPI_Comm_join(fd: c_int, intercomm: *mut MPI_Comm) = unsupported;
}
