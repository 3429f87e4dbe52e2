//! Environment (MPI 5.0 section 9).

use super::prelude::*;
use crate::{comm, env, init};

table! {
    "Environment", "9";

    fn MPI_Init(argc: *mut c_int, argv: *mut *mut *mut c_char) = init::init, any_time;
    fn MPI_Init_thread(
        argc: *mut c_int, argv: *mut *mut *mut c_char, required: c_int, provided: *mut c_int
    ) = init::init_thread, any_time;
    fn MPI_Finalize() = init::finalize;
    fn MPI_Initialized(flag: *mut c_int) = init::initialized, any_time;
    fn MPI_Finalized(flag: *mut c_int) = init::finalized, any_time;
    fn MPI_Abort(comm: MPI_Comm, errorcode: c_int) = init::abort;
    fn MPI_Query_thread(provided: *mut c_int) = init::query_thread;
    fn MPI_Is_thread_main(flag: *mut c_int) = init::is_thread_main;
    fn MPI_Get_version(version: *mut c_int, subversion: *mut c_int) = env::get_version, any_time;
    fn MPI_Get_library_version(version: *mut c_char, resultlen: *mut c_int) = env::get_library_version, any_time;
    fn MPI_Get_processor_name(name: *mut c_char, resultlen: *mut c_int) = env::get_processor_name;
    fn MPI_Get_hw_resource_info(hw_info: *mut MPI_Info) = comm::hw_resource_info, any_time;
    fn MPI_Wtime() -> c_double = env::wtime;
    fn MPI_Wtick() -> c_double = env::wtick;
    fn MPI_Alloc_mem(size: MPI_Aint, info: MPI_Info, baseptr: *mut c_void) = env::alloc_mem;
    fn MPI_Free_mem(base: *mut c_void) = env::free_mem;
    fn MPI_Pcontrol(level: c_int) = env::pcontrol;
}
