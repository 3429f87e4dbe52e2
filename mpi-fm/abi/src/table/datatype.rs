//! Datatypes (MPI 5.0 section 5).

use super::prelude::*;
use crate::datatype::{make, pack, query};
use crate::env;

table! {
    "Datatypes", "5";

    fn MPI_Type_contiguous | MPI_Type_contiguous_c(
        count: N, oldtype: MPI_Datatype, newtype: *mut MPI_Datatype
    ) = make::contiguous;
    fn MPI_Type_vector | MPI_Type_vector_c(
        count: N, blocklength: N, stride: N, oldtype: MPI_Datatype, newtype: *mut MPI_Datatype
    ) = make::vector;
    fn MPI_Type_create_hvector | MPI_Type_create_hvector_c(
        count: N, blocklength: N, stride: A, oldtype: MPI_Datatype, newtype: *mut MPI_Datatype
    ) = make::hvector;
    fn MPI_Type_indexed | MPI_Type_indexed_c(
        count: N, array_of_blocklengths: *const N, array_of_displacements: *const N, oldtype: MPI_Datatype,
        newtype: *mut MPI_Datatype
    ) = make::indexed;
    fn MPI_Type_create_hindexed | MPI_Type_create_hindexed_c(
        count: N, array_of_blocklengths: *const N, array_of_displacements: *const A, oldtype: MPI_Datatype,
        newtype: *mut MPI_Datatype
    ) = make::hindexed;
    fn MPI_Type_create_indexed_block | MPI_Type_create_indexed_block_c(
        count: N, blocklength: N, array_of_displacements: *const N, oldtype: MPI_Datatype,
        newtype: *mut MPI_Datatype
    ) = make::indexed_block;
    fn MPI_Type_create_hindexed_block | MPI_Type_create_hindexed_block_c(
        count: N, blocklength: N, array_of_displacements: *const A, oldtype: MPI_Datatype,
        newtype: *mut MPI_Datatype
    ) = make::hindexed_block;
    fn MPI_Type_create_struct | MPI_Type_create_struct_c(
        count: N, array_of_blocklengths: *const N, array_of_displacements: *const A,
        array_of_types: *const MPI_Datatype, newtype: *mut MPI_Datatype
    ) = make::structure;
    fn MPI_Type_create_subarray | MPI_Type_create_subarray_c(
        ndims: c_int, array_of_sizes: *const N, array_of_subsizes: *const N, array_of_starts: *const N,
        order: c_int, oldtype: MPI_Datatype, newtype: *mut MPI_Datatype
    ) = make::subarray;
    fn MPI_Type_create_darray | MPI_Type_create_darray_c(
        size: c_int, rank: c_int, ndims: c_int, array_of_gsizes: *const N, array_of_distribs: *const c_int,
        array_of_dargs: *const c_int, array_of_psizes: *const c_int, order: c_int, oldtype: MPI_Datatype,
        newtype: *mut MPI_Datatype
    ) = make::darray;
    fn MPI_Type_create_resized | MPI_Type_create_resized_c(
        oldtype: MPI_Datatype, lb: A, extent: A, newtype: *mut MPI_Datatype
    ) = make::resized;
    fn MPI_Type_dup(oldtype: MPI_Datatype, newtype: *mut MPI_Datatype) = make::dup;
    fn MPI_Type_commit(datatype: *mut MPI_Datatype) = make::commit;
    fn MPI_Type_free(datatype: *mut MPI_Datatype) = make::free;
    fn MPI_Type_size | MPI_Type_size_c(datatype: MPI_Datatype, size: *mut N) = query::size;
    fn MPI_Type_get_extent | MPI_Type_get_extent_c(
        datatype: MPI_Datatype, lb: *mut A, extent: *mut A
    ) = query::extent;
    fn MPI_Type_get_true_extent | MPI_Type_get_true_extent_c(
        datatype: MPI_Datatype, true_lb: *mut A, true_extent: *mut A
    ) = query::true_extent;
    fn MPI_Type_get_envelope(
        datatype: MPI_Datatype, num_integers: *mut c_int, num_addresses: *mut c_int, num_datatypes: *mut c_int,
        combiner: *mut c_int
    ) = query::envelope;
    fn MPI_Type_get_envelope_c(
        datatype: MPI_Datatype, num_integers: *mut MPI_Count, num_addresses: *mut MPI_Count,
        num_large_counts: *mut MPI_Count, num_datatypes: *mut MPI_Count, combiner: *mut c_int
    ) = query::envelope_c;
    fn MPI_Type_get_contents(
        datatype: MPI_Datatype, max_integers: c_int, max_addresses: c_int, max_datatypes: c_int,
        array_of_integers: *mut c_int, array_of_addresses: *mut MPI_Aint, array_of_datatypes: *mut MPI_Datatype
    ) = query::contents;
    fn MPI_Type_get_contents_c(
        datatype: MPI_Datatype, max_integers: MPI_Count, max_addresses: MPI_Count, max_large_counts: MPI_Count,
        max_datatypes: MPI_Count, array_of_integers: *mut c_int, array_of_addresses: *mut MPI_Aint,
        array_of_large_counts: *mut MPI_Count, array_of_datatypes: *mut MPI_Datatype
    ) = query::contents_c;
    fn MPI_Type_get_value_index(
        value_type: MPI_Datatype, index_type: MPI_Datatype, pair_type: *mut MPI_Datatype
    ) = make::value_index;
    fn MPI_Type_get_name(datatype: MPI_Datatype, type_name: *mut c_char, resultlen: *mut c_int) = query::get_name;
    fn MPI_Type_set_name(datatype: MPI_Datatype, type_name: *const c_char) = query::set_name;
    fn MPI_Get_address(location: *const c_void, address: *mut MPI_Aint) = query::address;
    fn MPI_Aint_add(base: MPI_Aint, disp: MPI_Aint) -> MPI_Aint = env::aint_add;
    fn MPI_Aint_diff(addr1: MPI_Aint, addr2: MPI_Aint) -> MPI_Aint = env::aint_diff;
    fn MPI_Pack | MPI_Pack_c(
        inbuf: *const c_void, incount: N, datatype: MPI_Datatype, outbuf: *mut c_void, outsize: N,
        position: *mut N, comm: MPI_Comm
    ) = pack::pack;
    fn MPI_Unpack | MPI_Unpack_c(
        inbuf: *const c_void, insize: N, position: *mut N, outbuf: *mut c_void, outcount: N,
        datatype: MPI_Datatype, comm: MPI_Comm
    ) = pack::unpack;
    fn MPI_Pack_size | MPI_Pack_size_c(
        incount: N, datatype: MPI_Datatype, comm: MPI_Comm, size: *mut N
    ) = pack::pack_size;
    fn MPI_Pack_external | MPI_Pack_external_c(
        datarep: *const c_char, inbuf: *const c_void, incount: N, datatype: MPI_Datatype, outbuf: *mut c_void,
        outsize: A, position: *mut A
    ) = pack::pack_external;
    fn MPI_Unpack_external | MPI_Unpack_external_c(
        datarep: *const c_char, inbuf: *const c_void, insize: A, position: *mut A, outbuf: *mut c_void,
        outcount: N, datatype: MPI_Datatype
    ) = pack::unpack_external;
    fn MPI_Pack_external_size | MPI_Pack_external_size_c(
        datarep: *const c_char, incount: N, datatype: MPI_Datatype, size: *mut A
    ) = pack::pack_external_size;
}
