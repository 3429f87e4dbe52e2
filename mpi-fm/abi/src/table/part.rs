//! Partitioned communication (MPI 5.0 section 4).

use super::prelude::*;
use crate::part;

table! {
    "Partitioned communication", "4";

    fn MPI_Psend_init | MPI_Psend_init_c(
        buf: *const c_void, partitions: c_int, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int,
        comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = part::send_init;
    fn MPI_Precv_init | MPI_Precv_init_c(
        buf: *mut c_void, partitions: c_int, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int,
        comm: MPI_Comm, info: MPI_Info, request: *mut MPI_Request
    ) = part::receive_init;
    fn MPI_Pready(partition: c_int, request: MPI_Request) = part::ready;
    fn MPI_Pready_range(partition_low: c_int, partition_high: c_int, request: MPI_Request) = part::ready_range;
    fn MPI_Pready_list(length: c_int, array_of_partitions: *const c_int, request: MPI_Request) = part::ready_list;
    fn MPI_Parrived(request: MPI_Request, partition: c_int, flag: *mut c_int) = part::arrived;
}
