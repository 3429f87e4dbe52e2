//! Deprecated (MPI 5.0 section 16).

use super::prelude::*;
use crate::info;
use crate::attr;
use crate::datatype::query;
use crate::status;

table! {
    "Deprecated", "16";

    fn MPI_Keyval_create(
        copy_fn: Option<MPI_Copy_function>, delete_fn: Option<MPI_Delete_function>, keyval: *mut c_int,
        extra_state: *mut c_void
    ) = attr::comm_create_keyval;
    fn MPI_Keyval_free(keyval: *mut c_int) = attr::comm_free_keyval;
    fn MPI_Attr_put(comm: MPI_Comm, keyval: c_int, attribute_val: *mut c_void) = attr::comm_set_attr;
    fn MPI_Attr_get(comm: MPI_Comm, keyval: c_int, attribute_val: *mut c_void, flag: *mut c_int) = attr::comm_get_attr;
    fn MPI_Attr_delete(comm: MPI_Comm, keyval: c_int) = attr::comm_delete_attr;
    fn MPI_Info_get(
        info: MPI_Info, key: *const c_char, valuelen: c_int, value: *mut c_char, flag: *mut c_int
    ) = info::get, any_time;
    fn MPI_Info_get_valuelen(
        info: MPI_Info, key: *const c_char, valuelen: *mut c_int, flag: *mut c_int
    ) = info::get_valuelen, any_time;
    fn MPI_Get_elements_x(status: *const MPI_Status, datatype: MPI_Datatype, count: *mut MPI_Count) = status::get_elements;
    fn MPI_Status_set_elements_x(status: *mut MPI_Status, datatype: MPI_Datatype, count: MPI_Count) = status::set_elements;
    fn MPI_Type_size_x(datatype: MPI_Datatype, size: *mut MPI_Count) = query::size;
    fn MPI_Type_get_extent_x(datatype: MPI_Datatype, lb: *mut MPI_Count, extent: *mut MPI_Count) = query::extent;
    fn MPI_Type_get_true_extent_x(
        datatype: MPI_Datatype, true_lb: *mut MPI_Count, true_extent: *mut MPI_Count
    ) = query::true_extent;
}
