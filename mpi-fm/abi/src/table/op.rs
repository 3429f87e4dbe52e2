//! Reduction operations (MPI 5.0 section 6.9).

use super::prelude::*;
use crate::op;

table! {
    "Reduction operations", "6.9";

    fn MPI_Op_create(user_fn: Option<MPI_User_function>, commute: c_int, op: *mut MPI_Op) = op::create;
    fn MPI_Op_create_c(user_fn: Option<MPI_User_function_c>, commute: c_int, op: *mut MPI_Op) = op::create_c;
    fn MPI_Op_free(op: *mut MPI_Op) = op::free;
    fn MPI_Op_commutative(op: MPI_Op, commute: *mut c_int) = op::commutative;
    fn MPI_Reduce_local | MPI_Reduce_local_c(
        inbuf: *const c_void, inoutbuf: *mut c_void, count: N, datatype: MPI_Datatype, op: MPI_Op
    ) = op::reduce_local;
}
