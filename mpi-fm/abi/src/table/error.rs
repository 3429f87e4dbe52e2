//! Errors (MPI 5.0 section 9.3 to 9.5).

use super::prelude::*;
use crate::error;

table! {
    "Errors", "9.3 to 9.5";

    fn MPI_Comm_create_errhandler(
        comm_errhandler_fn: Option<MPI_Comm_errhandler_function>, errhandler: *mut MPI_Errhandler
    ) = error::comm_create, any_time;
    fn MPI_Comm_set_errhandler(comm: MPI_Comm, errhandler: MPI_Errhandler) = error::comm_set;
    fn MPI_Comm_get_errhandler(comm: MPI_Comm, errhandler: *mut MPI_Errhandler) = error::comm_get;
    fn MPI_Comm_call_errhandler(comm: MPI_Comm, errorcode: c_int) = error::comm_call;
    fn MPI_Win_create_errhandler(
        win_errhandler_fn: Option<MPI_Win_errhandler_function>, errhandler: *mut MPI_Errhandler
    ) = error::win_create, any_time;
    fn MPI_Win_set_errhandler(win: MPI_Win, errhandler: MPI_Errhandler) = unsupported;
    fn MPI_Win_get_errhandler(win: MPI_Win, errhandler: *mut MPI_Errhandler) = unsupported;
    fn MPI_Win_call_errhandler(win: MPI_Win, errorcode: c_int) = unsupported;
    fn MPI_File_create_errhandler(
        file_errhandler_fn: Option<MPI_File_errhandler_function>, errhandler: *mut MPI_Errhandler
    ) = error::file_create, any_time;
    fn MPI_File_set_errhandler(file: MPI_File, errhandler: MPI_Errhandler) = error::file_set, any_time;
    fn MPI_File_get_errhandler(file: MPI_File, errhandler: *mut MPI_Errhandler) = error::file_get, any_time;
    fn MPI_File_call_errhandler(fh: MPI_File, errorcode: c_int) = error::file_call, any_time;
    fn MPI_Session_create_errhandler(
        session_errhandler_fn: Option<MPI_Session_errhandler_function>, errhandler: *mut MPI_Errhandler
    ) = error::session_create, any_time;
    fn MPI_Session_set_errhandler(session: MPI_Session, errhandler: MPI_Errhandler) = error::session_set, any_time;
    fn MPI_Session_get_errhandler(session: MPI_Session, errhandler: *mut MPI_Errhandler) = error::session_get, any_time;
    fn MPI_Session_call_errhandler(session: MPI_Session, errorcode: c_int) = error::session_call, any_time;
    fn MPI_Errhandler_free(errhandler: *mut MPI_Errhandler) = error::errhandler_free, any_time;
    fn MPI_Error_class(errorcode: c_int, errorclass: *mut c_int) = error::class, any_time;
    fn MPI_Error_string(errorcode: c_int, string: *mut c_char, resultlen: *mut c_int) = error::string, any_time;
    fn MPI_Add_error_class(errorclass: *mut c_int) = error::add_class, any_time;
    fn MPI_Add_error_code(errorclass: c_int, errorcode: *mut c_int) = error::add_code, any_time;
    fn MPI_Add_error_string(errorcode: c_int, string: *const c_char) = error::add_string, any_time;
    fn MPI_Remove_error_class(errorclass: c_int) = error::remove_class, any_time;
    fn MPI_Remove_error_code(errorcode: c_int) = error::remove_code, any_time;
    fn MPI_Remove_error_string(errorcode: c_int) = error::remove_string, any_time;
}
