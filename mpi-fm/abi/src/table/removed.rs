//! Removed from the standard, kept for old programs (MPI 5.0 section 17).

use super::prelude::*;
use crate::datatype::{make, query};
use crate::error;

table! {
    "Removed from the standard, kept for old programs", "17";

    fn MPI_Address(location: *mut c_void, address: *mut MPI_Aint) = query::address_of_mut;
    fn MPI_Type_extent(datatype: MPI_Datatype, extent: *mut MPI_Aint) = query::only_extent;
    fn MPI_Type_lb(datatype: MPI_Datatype, displacement: *mut MPI_Aint) = query::lb;
    fn MPI_Type_ub(datatype: MPI_Datatype, displacement: *mut MPI_Aint) = query::ub;
    fn MPI_Type_hvector(
        count: c_int, blocklength: c_int, stride: MPI_Aint, oldtype: MPI_Datatype, newtype: *mut MPI_Datatype
    ) = make::hvector;
    fn MPI_Type_hindexed(
        count: c_int, array_of_blocklengths: *mut c_int, array_of_displacements: *mut MPI_Aint,
        oldtype: MPI_Datatype, newtype: *mut MPI_Datatype
    ) = make::hindexed;
    fn MPI_Type_struct(
        count: c_int, array_of_blocklengths: *mut c_int, array_of_displacements: *mut MPI_Aint,
        array_of_types: *mut MPI_Datatype, newtype: *mut MPI_Datatype
    ) = make::structure;
    fn MPI_Errhandler_create(
        handler_fn: Option<MPI_Handler_function>, errhandler: *mut MPI_Errhandler
    ) = error::comm_create, any_time;
    fn MPI_Errhandler_set(comm: MPI_Comm, errhandler: MPI_Errhandler) = error::comm_set;
    fn MPI_Errhandler_get(comm: MPI_Comm, errhandler: *mut MPI_Errhandler) = error::comm_get;
}
