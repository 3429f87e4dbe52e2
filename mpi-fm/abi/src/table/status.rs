//! Statuses (MPI 5.0 section 3.2.5, 3.8, 5.1.11, 13.3).

use super::prelude::*;

table! {
    "Statuses", "3.2.5, 3.8, 5.1.11, 13.3";

    fn MPI_Get_count | MPI_Get_count_c(
        status: *const MPI_Status, datatype: MPI_Datatype, count: *mut N
    ) = unsupported;
    fn MPI_Get_elements | MPI_Get_elements_c(
        status: *const MPI_Status, datatype: MPI_Datatype, count: *mut N
    ) = unsupported;
    fn MPI_Status_get_source(status: *const MPI_Status, source: *mut c_int) = unsupported;
    fn MPI_Status_get_tag(status: *const MPI_Status, tag: *mut c_int) = unsupported;
    fn MPI_Status_get_error(status: *const MPI_Status, error: *mut c_int) = unsupported;
    fn MPI_Status_set_source(status: *mut MPI_Status, source: c_int) = unsupported;
    fn MPI_Status_set_tag(status: *mut MPI_Status, tag: c_int) = unsupported;
    fn MPI_Status_set_error(status: *mut MPI_Status, error: c_int) = unsupported;
    fn MPI_Status_set_elements | MPI_Status_set_elements_c(
        status: *mut MPI_Status, datatype: MPI_Datatype, count: N
    ) = unsupported;
    fn MPI_Status_set_cancelled(status: *mut MPI_Status, flag: c_int) = unsupported;
    fn MPI_Test_cancelled(status: *const MPI_Status, flag: *mut c_int) = unsupported;
}
