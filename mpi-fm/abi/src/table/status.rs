//! Statuses (MPI 5.0 section 3.2.5, 3.8, 5.1.11, 13.3).

use super::prelude::*;
use crate::status;

table! {
    "Statuses", "3.2.5, 3.8, 5.1.11, 13.3";

    fn MPI_Get_count | MPI_Get_count_c(
        status: *const MPI_Status, datatype: MPI_Datatype, count: *mut N
    ) = status::get_count;
    fn MPI_Get_elements | MPI_Get_elements_c(
        status: *const MPI_Status, datatype: MPI_Datatype, count: *mut N
    ) = status::get_elements;
    fn MPI_Status_get_source(status: *const MPI_Status, source: *mut c_int) = status::get_source;
    fn MPI_Status_get_tag(status: *const MPI_Status, tag: *mut c_int) = status::get_tag;
    fn MPI_Status_get_error(status: *const MPI_Status, error: *mut c_int) = status::get_error;
    fn MPI_Status_set_source(status: *mut MPI_Status, source: c_int) = status::set_source;
    fn MPI_Status_set_tag(status: *mut MPI_Status, tag: c_int) = status::set_tag;
    fn MPI_Status_set_error(status: *mut MPI_Status, error: c_int) = status::set_error;
    fn MPI_Status_set_elements | MPI_Status_set_elements_c(
        status: *mut MPI_Status, datatype: MPI_Datatype, count: N
    ) = status::set_elements;
    fn MPI_Status_set_cancelled(status: *mut MPI_Status, flag: c_int) = status::set_cancelled;
    fn MPI_Test_cancelled(status: *const MPI_Status, flag: *mut c_int) = status::test_cancelled;
}
