//! Communicators (MPI 5.0 section 7.4 to 7.8).

use super::prelude::*;
use crate::naming;
use crate::comm;

table! {
    "Communicators", "7.4 to 7.8";

    fn MPI_Comm_size(comm: MPI_Comm, size: *mut c_int) = comm::size;
    fn MPI_Comm_rank(comm: MPI_Comm, rank: *mut c_int) = comm::rank;
    fn MPI_Comm_compare(comm1: MPI_Comm, comm2: MPI_Comm, result: *mut c_int) = naming::comm_compare;
    fn MPI_Comm_group(comm: MPI_Comm, group: *mut MPI_Group) = comm::group;
    fn MPI_Comm_dup(comm: MPI_Comm, newcomm: *mut MPI_Comm) = comm::dup;
    fn MPI_Comm_dup_with_info(comm: MPI_Comm, info: MPI_Info, newcomm: *mut MPI_Comm) = comm::dup_with_info;
    fn MPI_Comm_idup(comm: MPI_Comm, newcomm: *mut MPI_Comm, request: *mut MPI_Request) = comm::idup;
    fn MPI_Comm_idup_with_info(
        comm: MPI_Comm, info: MPI_Info, newcomm: *mut MPI_Comm, request: *mut MPI_Request
    ) = comm::idup_with_info;
    fn MPI_Comm_create(comm: MPI_Comm, group: MPI_Group, newcomm: *mut MPI_Comm) = comm::create;
    fn MPI_Comm_create_group(comm: MPI_Comm, group: MPI_Group, tag: c_int, newcomm: *mut MPI_Comm) = comm::create_group;
    fn MPI_Comm_split(comm: MPI_Comm, color: c_int, key: c_int, newcomm: *mut MPI_Comm) = comm::split;
    fn MPI_Comm_split_type(
        comm: MPI_Comm, split_type: c_int, key: c_int, info: MPI_Info, newcomm: *mut MPI_Comm
    ) = comm::split_type;
    fn MPI_Comm_free(comm: *mut MPI_Comm) = comm::free;
    fn MPI_Comm_set_info(comm: MPI_Comm, info: MPI_Info) = naming::comm_set_info;
    fn MPI_Comm_get_info(comm: MPI_Comm, info_used: *mut MPI_Info) = naming::comm_get_info;
    fn MPI_Comm_set_name(comm: MPI_Comm, comm_name: *const c_char) = naming::comm_set_name;
    fn MPI_Comm_get_name(comm: MPI_Comm, comm_name: *mut c_char, resultlen: *mut c_int) = naming::comm_get_name;
    fn MPI_Comm_test_inter(comm: MPI_Comm, flag: *mut c_int) = comm::test_inter;
    fn MPI_Comm_remote_size(comm: MPI_Comm, size: *mut c_int) = comm::remote_size;
    fn MPI_Comm_remote_group(comm: MPI_Comm, group: *mut MPI_Group) = comm::remote_group;
    fn MPI_Intercomm_create(
        local_comm: MPI_Comm, local_leader: c_int, peer_comm: MPI_Comm, remote_leader: c_int, tag: c_int,
        newintercomm: *mut MPI_Comm
    ) = comm::intercomm_create;
    fn MPI_Intercomm_merge(intercomm: MPI_Comm, high: c_int, newintracomm: *mut MPI_Comm) = comm::intercomm_merge;
}
