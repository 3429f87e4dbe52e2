//! One-sided communication (MPI 5.0 section 12).

use super::prelude::*;

table! {
    "One-sided communication", "12";

    fn MPI_Win_create | MPI_Win_create_c(
        base: *mut c_void, size: MPI_Aint, disp_unit: D, info: MPI_Info, comm: MPI_Comm, win: *mut MPI_Win
    ) = unsupported;
    fn MPI_Win_allocate | MPI_Win_allocate_c(
        size: MPI_Aint, disp_unit: D, info: MPI_Info, comm: MPI_Comm, baseptr: *mut c_void, win: *mut MPI_Win
    ) = unsupported;
    fn MPI_Win_allocate_shared | MPI_Win_allocate_shared_c(
        size: MPI_Aint, disp_unit: D, info: MPI_Info, comm: MPI_Comm, baseptr: *mut c_void, win: *mut MPI_Win
    ) = unsupported;
    fn MPI_Win_shared_query | MPI_Win_shared_query_c(
        win: MPI_Win, rank: c_int, size: *mut MPI_Aint, disp_unit: *mut D, baseptr: *mut c_void
    ) = unsupported;
    fn MPI_Win_create_dynamic(info: MPI_Info, comm: MPI_Comm, win: *mut MPI_Win) = unsupported;
    fn MPI_Win_attach(win: MPI_Win, base: *mut c_void, size: MPI_Aint) = unsupported;
    fn MPI_Win_detach(win: MPI_Win, base: *const c_void) = unsupported;
    fn MPI_Win_free(win: *mut MPI_Win) = unsupported;
    fn MPI_Win_get_group(win: MPI_Win, group: *mut MPI_Group) = unsupported;
    fn MPI_Win_set_info(win: MPI_Win, info: MPI_Info) = unsupported;
    fn MPI_Win_get_info(win: MPI_Win, info_used: *mut MPI_Info) = unsupported;
    fn MPI_Win_set_name(win: MPI_Win, win_name: *const c_char) = unsupported;
    fn MPI_Win_get_name(win: MPI_Win, win_name: *mut c_char, resultlen: *mut c_int) = unsupported;
    fn MPI_Put | MPI_Put_c(
        origin_addr: *const c_void, origin_count: N, origin_datatype: MPI_Datatype, target_rank: c_int,
        target_disp: MPI_Aint, target_count: N, target_datatype: MPI_Datatype, win: MPI_Win
    ) = unsupported;
    fn MPI_Get | MPI_Get_c(
        origin_addr: *mut c_void, origin_count: N, origin_datatype: MPI_Datatype, target_rank: c_int,
        target_disp: MPI_Aint, target_count: N, target_datatype: MPI_Datatype, win: MPI_Win
    ) = unsupported;
    fn MPI_Accumulate | MPI_Accumulate_c(
        origin_addr: *const c_void, origin_count: N, origin_datatype: MPI_Datatype, target_rank: c_int,
        target_disp: MPI_Aint, target_count: N, target_datatype: MPI_Datatype, op: MPI_Op, win: MPI_Win
    ) = unsupported;
    fn MPI_Get_accumulate | MPI_Get_accumulate_c(
        origin_addr: *const c_void, origin_count: N, origin_datatype: MPI_Datatype, result_addr: *mut c_void,
        result_count: N, result_datatype: MPI_Datatype, target_rank: c_int, target_disp: MPI_Aint,
        target_count: N, target_datatype: MPI_Datatype, op: MPI_Op, win: MPI_Win
    ) = unsupported;
    fn MPI_Fetch_and_op(
        origin_addr: *const c_void, result_addr: *mut c_void, datatype: MPI_Datatype, target_rank: c_int,
        target_disp: MPI_Aint, op: MPI_Op, win: MPI_Win
    ) = unsupported;
    fn MPI_Compare_and_swap(
        origin_addr: *const c_void, compare_addr: *const c_void, result_addr: *mut c_void,
        datatype: MPI_Datatype, target_rank: c_int, target_disp: MPI_Aint, win: MPI_Win
    ) = unsupported;
    fn MPI_Rput | MPI_Rput_c(
        origin_addr: *const c_void, origin_count: N, origin_datatype: MPI_Datatype, target_rank: c_int,
        target_disp: MPI_Aint, target_count: N, target_datatype: MPI_Datatype, win: MPI_Win,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Rget | MPI_Rget_c(
        origin_addr: *mut c_void, origin_count: N, origin_datatype: MPI_Datatype, target_rank: c_int,
        target_disp: MPI_Aint, target_count: N, target_datatype: MPI_Datatype, win: MPI_Win,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Raccumulate | MPI_Raccumulate_c(
        origin_addr: *const c_void, origin_count: N, origin_datatype: MPI_Datatype, target_rank: c_int,
        target_disp: MPI_Aint, target_count: N, target_datatype: MPI_Datatype, op: MPI_Op, win: MPI_Win,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Rget_accumulate | MPI_Rget_accumulate_c(
        origin_addr: *const c_void, origin_count: N, origin_datatype: MPI_Datatype, result_addr: *mut c_void,
        result_count: N, result_datatype: MPI_Datatype, target_rank: c_int, target_disp: MPI_Aint,
        target_count: N, target_datatype: MPI_Datatype, op: MPI_Op, win: MPI_Win, request: *mut MPI_Request
    ) = unsupported;
    fn MPI_Win_fence(assert: c_int, win: MPI_Win) = unsupported;
    fn MPI_Win_start(group: MPI_Group, assert: c_int, win: MPI_Win) = unsupported;
    fn MPI_Win_complete(win: MPI_Win) = unsupported;
    fn MPI_Win_post(group: MPI_Group, assert: c_int, win: MPI_Win) = unsupported;
    fn MPI_Win_wait(win: MPI_Win) = unsupported;
    fn MPI_Win_test(win: MPI_Win, flag: *mut c_int) = unsupported;
    fn MPI_Win_lock(lock_type: c_int, rank: c_int, assert: c_int, win: MPI_Win) = unsupported;
    fn MPI_Win_lock_all(assert: c_int, win: MPI_Win) = unsupported;
    fn MPI_Win_unlock(rank: c_int, win: MPI_Win) = unsupported;
    fn MPI_Win_unlock_all(win: MPI_Win) = unsupported;
    fn MPI_Win_flush(rank: c_int, win: MPI_Win) = unsupported;
    fn MPI_Win_flush_all(win: MPI_Win) = unsupported;
    fn MPI_Win_flush_local(rank: c_int, win: MPI_Win) = unsupported;
    fn MPI_Win_flush_local_all(win: MPI_Win) = unsupported;
    fn MPI_Win_sync(win: MPI_Win) = unsupported;
}
