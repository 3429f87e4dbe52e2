//! Sessions (MPI 5.0 section 11.3).

use super::prelude::*;
use crate::session;

table! {
    "Sessions", "11.3";

    fn MPI_Session_init(
        info: MPI_Info, errhandler: MPI_Errhandler, session: *mut MPI_Session
    ) = session::init, any_time;
    fn MPI_Session_finalize(session: *mut MPI_Session) = session::finalize, any_time;
    fn MPI_Session_get_num_psets(
        session: MPI_Session, info: MPI_Info, npset_names: *mut c_int
    ) = session::get_num_psets, any_time;
    fn MPI_Session_get_nth_pset(
        session: MPI_Session, info: MPI_Info, n: c_int, pset_len: *mut c_int, pset_name: *mut c_char
    ) = session::get_nth_pset, any_time;
    fn MPI_Session_get_info(session: MPI_Session, info_used: *mut MPI_Info) = session::get_info, any_time;
    fn MPI_Session_get_pset_info(
        session: MPI_Session, pset_name: *const c_char, info: *mut MPI_Info
    ) = session::get_pset_info, any_time;
    fn MPI_Group_from_session_pset(
        session: MPI_Session, pset_name: *const c_char, newgroup: *mut MPI_Group
    ) = session::group_from_pset;
    fn MPI_Comm_create_from_group(
        group: MPI_Group, stringtag: *const c_char, info: MPI_Info, errhandler: MPI_Errhandler,
        newcomm: *mut MPI_Comm
    ) = session::comm_create_from_group;
    fn MPI_Intercomm_create_from_groups(
        local_group: MPI_Group, local_leader: c_int, remote_group: MPI_Group, remote_leader: c_int,
        stringtag: *const c_char, info: MPI_Info, errhandler: MPI_Errhandler, newintercomm: *mut MPI_Comm
    ) = session::intercomm_create_from_groups;
}
