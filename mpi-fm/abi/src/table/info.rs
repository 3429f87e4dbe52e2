//! Info objects (MPI 5.0 section 10).

use super::prelude::*;
use crate::info;

table! {
    "Info objects", "10";

    fn MPI_Info_create(info: *mut MPI_Info) = info::create, any_time;
    fn MPI_Info_create_env(argc: c_int, argv: *mut *mut c_char, info: *mut MPI_Info) = info::create_env, any_time;
    fn MPI_Info_set(info: MPI_Info, key: *const c_char, value: *const c_char) = info::set, any_time;
    fn MPI_Info_get_string(
        info: MPI_Info, key: *const c_char, buflen: *mut c_int, value: *mut c_char, flag: *mut c_int
    ) = info::get_string, any_time;
    fn MPI_Info_delete(info: MPI_Info, key: *const c_char) = info::delete, any_time;
    fn MPI_Info_get_nkeys(info: MPI_Info, nkeys: *mut c_int) = info::get_nkeys, any_time;
    fn MPI_Info_get_nthkey(info: MPI_Info, n: c_int, key: *mut c_char) = info::get_nthkey, any_time;
    fn MPI_Info_dup(info: MPI_Info, newinfo: *mut MPI_Info) = info::dup, any_time;
    fn MPI_Info_free(info: *mut MPI_Info) = info::free, any_time;
}
