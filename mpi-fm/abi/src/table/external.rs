//! Generalized requests (MPI 5.0 section 13.2).

use super::prelude::*;
use crate::grequest;

table! {
    "Generalized requests", "13.2";

    fn MPI_Grequest_start(
        query_fn: Option<MPI_Grequest_query_function>, free_fn: Option<MPI_Grequest_free_function>,
        cancel_fn: Option<MPI_Grequest_cancel_function>, extra_state: *mut c_void, request: *mut MPI_Request
    ) = grequest::start;
    fn MPI_Grequest_complete(request: MPI_Request) = grequest::complete;
}
