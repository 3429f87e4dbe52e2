//! Reduction operations (MPI 5.0 section 6.9).

use super::prelude::*;

table! {
    "Reduction operations", "6.9";

    fn MPI_Op_create(user_fn: Option<MPI_User_function>, commute: c_int, op: *mut MPI_Op) = unsupported;
    fn MPI_Op_create_c(user_fn: Option<MPI_User_function_c>, commute: c_int, op: *mut MPI_Op) = unsupported;
    fn MPI_Op_free(op: *mut MPI_Op) = unsupported;
    fn MPI_Op_commutative(op: MPI_Op, commute: *mut c_int) = unsupported;
    fn MPI_Reduce_local | MPI_Reduce_local_c(
        inbuf: *const c_void, inoutbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op
    ) = unsupported;
}
