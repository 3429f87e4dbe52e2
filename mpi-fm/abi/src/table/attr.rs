//! Attributes (MPI 5.0 section 7.7).

use super::prelude::*;
use crate::attr;

table! {
    "Attributes", "7.7";

    fn MPI_Comm_create_keyval(
        comm_copy_attr_fn: Option<MPI_Comm_copy_attr_function>,
        comm_delete_attr_fn: Option<MPI_Comm_delete_attr_function>, comm_keyval: *mut c_int,
        extra_state: *mut c_void
    ) = attr::comm_create_keyval;
    fn MPI_Comm_free_keyval(comm_keyval: *mut c_int) = attr::comm_free_keyval;
    fn MPI_Comm_set_attr(comm: MPI_Comm, comm_keyval: c_int, attribute_val: *mut c_void) = attr::comm_set_attr;
    fn MPI_Comm_get_attr(
        comm: MPI_Comm, comm_keyval: c_int, attribute_val: *mut c_void, flag: *mut c_int
    ) = attr::comm_get_attr;
    fn MPI_Comm_delete_attr(comm: MPI_Comm, comm_keyval: c_int) = attr::comm_delete_attr;
    fn MPI_Type_create_keyval(
        type_copy_attr_fn: Option<MPI_Type_copy_attr_function>,
        type_delete_attr_fn: Option<MPI_Type_delete_attr_function>, type_keyval: *mut c_int,
        extra_state: *mut c_void
    ) = attr::type_create_keyval;
    fn MPI_Type_free_keyval(type_keyval: *mut c_int) = attr::type_free_keyval;
    fn MPI_Type_set_attr(datatype: MPI_Datatype, type_keyval: c_int, attribute_val: *mut c_void) = attr::type_set_attr;
    fn MPI_Type_get_attr(
        datatype: MPI_Datatype, type_keyval: c_int, attribute_val: *mut c_void, flag: *mut c_int
    ) = attr::type_get_attr;
    fn MPI_Type_delete_attr(datatype: MPI_Datatype, type_keyval: c_int) = attr::type_delete_attr;
    fn MPI_Win_create_keyval(
        win_copy_attr_fn: Option<MPI_Win_copy_attr_function>,
        win_delete_attr_fn: Option<MPI_Win_delete_attr_function>, win_keyval: *mut c_int,
        extra_state: *mut c_void
    ) = attr::win_create_keyval;
    fn MPI_Win_free_keyval(win_keyval: *mut c_int) = attr::win_free_keyval;
    fn MPI_Win_set_attr(win: MPI_Win, win_keyval: c_int, attribute_val: *mut c_void) = unsupported;
    fn MPI_Win_get_attr(
        win: MPI_Win, win_keyval: c_int, attribute_val: *mut c_void, flag: *mut c_int
    ) = unsupported;
    fn MPI_Win_delete_attr(win: MPI_Win, win_keyval: c_int) = unsupported;
}
