//! Application binary interface (MPI 5.0 section 20).

use super::prelude::*;
use crate::{abi, convert};

table! {
    "Application binary interface", "20";

    fn MPI_Abi_get_fortran_booleans(
        logical_size: c_int, logical_true: *mut c_void, logical_false: *mut c_void, is_set: *mut c_int
    ) = abi::get_fortran_booleans, any_time;
    fn MPI_Abi_get_fortran_info(info: *mut MPI_Info) = abi::get_fortran_info, any_time;
    fn MPI_Abi_get_info(info: *mut MPI_Info) = abi::get_info, any_time;
    fn MPI_Abi_get_version(abi_major: *mut c_int, abi_minor: *mut c_int) = abi::get_version, any_time;
    fn MPI_Abi_set_fortran_booleans(
        logical_size: c_int, logical_true: *mut c_void, logical_false: *mut c_void
    ) = abi::set_fortran_booleans, any_time;
    fn MPI_Abi_set_fortran_info(info: MPI_Info) = abi::set_fortran_info, any_time;
    fn MPI_Comm_fromint(comm: c_int) -> MPI_Comm = convert::from_int;
    fn MPI_Comm_toint(comm: MPI_Comm) -> c_int = convert::to_int;
    fn MPI_Errhandler_fromint(errhandler: c_int) -> MPI_Errhandler = convert::from_int;
    fn MPI_Errhandler_toint(errhandler: MPI_Errhandler) -> c_int = convert::to_int;
    fn MPI_File_fromint(file: c_int) -> MPI_File = convert::from_int;
    fn MPI_File_toint(file: MPI_File) -> c_int = convert::to_int;
    fn MPI_Group_fromint(group: c_int) -> MPI_Group = convert::from_int;
    fn MPI_Group_toint(group: MPI_Group) -> c_int = convert::to_int;
    fn MPI_Info_fromint(info: c_int) -> MPI_Info = convert::from_int;
    fn MPI_Info_toint(info: MPI_Info) -> c_int = convert::to_int;
    fn MPI_Message_fromint(message: c_int) -> MPI_Message = convert::from_int;
    fn MPI_Message_toint(message: MPI_Message) -> c_int = convert::to_int;
    fn MPI_Op_fromint(op: c_int) -> MPI_Op = convert::from_int;
    fn MPI_Op_toint(op: MPI_Op) -> c_int = convert::to_int;
    fn MPI_Request_fromint(request: c_int) -> MPI_Request = convert::from_int;
    fn MPI_Request_toint(request: MPI_Request) -> c_int = convert::to_int;
    fn MPI_Session_fromint(session: c_int) -> MPI_Session = convert::from_int;
    fn MPI_Session_toint(session: MPI_Session) -> c_int = convert::to_int;
    fn MPI_Type_fromint(datatype: c_int) -> MPI_Datatype = convert::from_int;
    fn MPI_Type_toint(datatype: MPI_Datatype) -> c_int = convert::to_int;
    fn MPI_Win_fromint(win: c_int) -> MPI_Win = convert::from_int;
    fn MPI_Win_toint(win: MPI_Win) -> c_int = convert::to_int;
}
