//! Fortran (MPI 5.0 section 19).

use super::prelude::*;
use crate::datatype::make;
use crate::{convert, status};

table! {
    "Fortran", "19";

    fn MPI_Type_create_f90_real(p: c_int, r: c_int, newtype: *mut MPI_Datatype) = make::f90_real;
    fn MPI_Type_create_f90_complex(p: c_int, r: c_int, newtype: *mut MPI_Datatype) = make::f90_complex;
    fn MPI_Type_create_f90_integer(r: c_int, newtype: *mut MPI_Datatype) = make::f90_integer;
    fn MPI_Type_match_size(typeclass: c_int, size: c_int, datatype: *mut MPI_Datatype) = make::match_size;
    fn MPI_Comm_c2f(comm: MPI_Comm) -> MPI_Fint = convert::to_int;
    fn MPI_Comm_f2c(comm: MPI_Fint) -> MPI_Comm = convert::from_int;
    fn MPI_Errhandler_c2f(errhandler: MPI_Errhandler) -> MPI_Fint = convert::to_int;
    fn MPI_Errhandler_f2c(errhandler: MPI_Fint) -> MPI_Errhandler = convert::from_int;
    fn MPI_File_c2f(file: MPI_File) -> MPI_Fint = convert::to_int;
    fn MPI_File_f2c(file: MPI_Fint) -> MPI_File = convert::from_int;
    fn MPI_Group_c2f(group: MPI_Group) -> MPI_Fint = convert::to_int;
    fn MPI_Group_f2c(group: MPI_Fint) -> MPI_Group = convert::from_int;
    fn MPI_Info_c2f(info: MPI_Info) -> MPI_Fint = convert::to_int;
    fn MPI_Info_f2c(info: MPI_Fint) -> MPI_Info = convert::from_int;
    fn MPI_Message_c2f(message: MPI_Message) -> MPI_Fint = convert::to_int;
    fn MPI_Message_f2c(message: MPI_Fint) -> MPI_Message = convert::from_int;
    fn MPI_Op_c2f(op: MPI_Op) -> MPI_Fint = convert::to_int;
    fn MPI_Op_f2c(op: MPI_Fint) -> MPI_Op = convert::from_int;
    fn MPI_Request_c2f(request: MPI_Request) -> MPI_Fint = convert::to_int;
    fn MPI_Request_f2c(request: MPI_Fint) -> MPI_Request = convert::from_int;
    fn MPI_Session_c2f(session: MPI_Session) -> MPI_Fint = convert::to_int;
    fn MPI_Session_f2c(session: MPI_Fint) -> MPI_Session = convert::from_int;
    fn MPI_Type_c2f(datatype: MPI_Datatype) -> MPI_Fint = convert::to_int;
    fn MPI_Type_f2c(datatype: MPI_Fint) -> MPI_Datatype = convert::from_int;
    fn MPI_Win_c2f(win: MPI_Win) -> MPI_Fint = convert::to_int;
    fn MPI_Win_f2c(win: MPI_Fint) -> MPI_Win = convert::from_int;
    fn MPI_Status_c2f(c_status: *const MPI_Status, f_status: *mut MPI_Fint) = status::c2f, any_time;
    fn MPI_Status_f2c(f_status: *const MPI_Fint, c_status: *mut MPI_Status) = status::f2c, any_time;
    fn MPI_Status_c2f08(c_status: *const MPI_Status, f08_status: *mut MPI_F08_status) = status::c2f08, any_time;
    fn MPI_Status_f082c(f08_status: *const MPI_F08_status, c_status: *mut MPI_Status) = status::f082c, any_time;
    fn MPI_Status_f2f08(f_status: *const MPI_Fint, f08_status: *mut MPI_F08_status) = status::f2f08, any_time;
    fn MPI_Status_f082f(f08_status: *const MPI_F08_status, f_status: *mut MPI_Fint) = status::f082f, any_time;
}
