//! Files (MPI 5.0 section 14).

use super::prelude::*;

table! {
    "Files", "14";

    fn MPI_File_open(
        comm: MPI_Comm, filename: *const c_char, amode: c_int, info: MPI_Info, fh: *mut MPI_File
    ) = unsupported;
    fn MPI_File_close(fh: *mut MPI_File) = unsupported;
    fn MPI_File_delete(filename: *const c_char, info: MPI_Info) = unsupported;
    fn MPI_File_set_size(fh: MPI_File, size: MPI_Offset) = unsupported;
    fn MPI_File_preallocate(fh: MPI_File, size: MPI_Offset) = unsupported;
    fn MPI_File_get_size(fh: MPI_File, size: *mut MPI_Offset) = unsupported;
    fn MPI_File_get_group(fh: MPI_File, group: *mut MPI_Group) = unsupported;
    fn MPI_File_get_amode(fh: MPI_File, amode: *mut c_int) = unsupported;
    fn MPI_File_set_info(fh: MPI_File, info: MPI_Info) = unsupported;
    fn MPI_File_get_info(fh: MPI_File, info_used: *mut MPI_Info) = unsupported;
    fn MPI_File_set_view(
        fh: MPI_File, disp: MPI_Offset, etype: MPI_Datatype, filetype: MPI_Datatype, datarep: *const c_char,
        info: MPI_Info
    ) = unsupported;
    fn MPI_File_get_view(
        fh: MPI_File, disp: *mut MPI_Offset, etype: *mut MPI_Datatype, filetype: *mut MPI_Datatype,
        datarep: *mut c_char
    ) = unsupported;
    fn MPI_File_read_at | MPI_File_read_at_c(
        fh: MPI_File, offset: MPI_Offset, buf: *mut c_void, count: N, datatype: MPI_Datatype,
        status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_read_at_all | MPI_File_read_at_all_c(
        fh: MPI_File, offset: MPI_Offset, buf: *mut c_void, count: N, datatype: MPI_Datatype,
        status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_write_at | MPI_File_write_at_c(
        fh: MPI_File, offset: MPI_Offset, buf: *const c_void, count: N, datatype: MPI_Datatype,
        status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_write_at_all | MPI_File_write_at_all_c(
        fh: MPI_File, offset: MPI_Offset, buf: *const c_void, count: N, datatype: MPI_Datatype,
        status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_iread_at | MPI_File_iread_at_c(
        fh: MPI_File, offset: MPI_Offset, buf: *mut c_void, count: N, datatype: MPI_Datatype,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_File_iread_at_all | MPI_File_iread_at_all_c(
        fh: MPI_File, offset: MPI_Offset, buf: *mut c_void, count: N, datatype: MPI_Datatype,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_File_iwrite_at | MPI_File_iwrite_at_c(
        fh: MPI_File, offset: MPI_Offset, buf: *const c_void, count: N, datatype: MPI_Datatype,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_File_iwrite_at_all | MPI_File_iwrite_at_all_c(
        fh: MPI_File, offset: MPI_Offset, buf: *const c_void, count: N, datatype: MPI_Datatype,
        request: *mut MPI_Request
    ) = unsupported;
    fn MPI_File_read | MPI_File_read_c(
        fh: MPI_File, buf: *mut c_void, count: N, datatype: MPI_Datatype, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_read_all | MPI_File_read_all_c(
        fh: MPI_File, buf: *mut c_void, count: N, datatype: MPI_Datatype, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_write | MPI_File_write_c(
        fh: MPI_File, buf: *const c_void, count: N, datatype: MPI_Datatype, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_write_all | MPI_File_write_all_c(
        fh: MPI_File, buf: *const c_void, count: N, datatype: MPI_Datatype, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_iread | MPI_File_iread_c(
        fh: MPI_File, buf: *mut c_void, count: N, datatype: MPI_Datatype, request: *mut MPI_Request
    ) = unsupported;
    fn MPI_File_iread_all | MPI_File_iread_all_c(
        fh: MPI_File, buf: *mut c_void, count: N, datatype: MPI_Datatype, request: *mut MPI_Request
    ) = unsupported;
    fn MPI_File_iwrite | MPI_File_iwrite_c(
        fh: MPI_File, buf: *const c_void, count: N, datatype: MPI_Datatype, request: *mut MPI_Request
    ) = unsupported;
    fn MPI_File_iwrite_all | MPI_File_iwrite_all_c(
        fh: MPI_File, buf: *const c_void, count: N, datatype: MPI_Datatype, request: *mut MPI_Request
    ) = unsupported;
    fn MPI_File_seek(fh: MPI_File, offset: MPI_Offset, whence: c_int) = unsupported;
    fn MPI_File_get_position(fh: MPI_File, offset: *mut MPI_Offset) = unsupported;
    fn MPI_File_get_byte_offset(fh: MPI_File, offset: MPI_Offset, disp: *mut MPI_Offset) = unsupported;
    fn MPI_File_read_shared | MPI_File_read_shared_c(
        fh: MPI_File, buf: *mut c_void, count: N, datatype: MPI_Datatype, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_write_shared | MPI_File_write_shared_c(
        fh: MPI_File, buf: *const c_void, count: N, datatype: MPI_Datatype, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_iread_shared | MPI_File_iread_shared_c(
        fh: MPI_File, buf: *mut c_void, count: N, datatype: MPI_Datatype, request: *mut MPI_Request
    ) = unsupported;
    fn MPI_File_iwrite_shared | MPI_File_iwrite_shared_c(
        fh: MPI_File, buf: *const c_void, count: N, datatype: MPI_Datatype, request: *mut MPI_Request
    ) = unsupported;
    fn MPI_File_read_ordered | MPI_File_read_ordered_c(
        fh: MPI_File, buf: *mut c_void, count: N, datatype: MPI_Datatype, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_write_ordered | MPI_File_write_ordered_c(
        fh: MPI_File, buf: *const c_void, count: N, datatype: MPI_Datatype, status: *mut MPI_Status
    ) = unsupported;
    fn MPI_File_seek_shared(fh: MPI_File, offset: MPI_Offset, whence: c_int) = unsupported;
    fn MPI_File_get_position_shared(fh: MPI_File, offset: *mut MPI_Offset) = unsupported;
    fn MPI_File_read_at_all_begin | MPI_File_read_at_all_begin_c(
        fh: MPI_File, offset: MPI_Offset, buf: *mut c_void, count: N, datatype: MPI_Datatype
    ) = unsupported;
    fn MPI_File_read_at_all_end(fh: MPI_File, buf: *mut c_void, status: *mut MPI_Status) = unsupported;
    fn MPI_File_write_at_all_begin | MPI_File_write_at_all_begin_c(
        fh: MPI_File, offset: MPI_Offset, buf: *const c_void, count: N, datatype: MPI_Datatype
    ) = unsupported;
    fn MPI_File_write_at_all_end(fh: MPI_File, buf: *const c_void, status: *mut MPI_Status) = unsupported;
    fn MPI_File_read_all_begin | MPI_File_read_all_begin_c(
        fh: MPI_File, buf: *mut c_void, count: N, datatype: MPI_Datatype
    ) = unsupported;
    fn MPI_File_read_all_end(fh: MPI_File, buf: *mut c_void, status: *mut MPI_Status) = unsupported;
    fn MPI_File_write_all_begin | MPI_File_write_all_begin_c(
        fh: MPI_File, buf: *const c_void, count: N, datatype: MPI_Datatype
    ) = unsupported;
    fn MPI_File_write_all_end(fh: MPI_File, buf: *const c_void, status: *mut MPI_Status) = unsupported;
    fn MPI_File_read_ordered_begin | MPI_File_read_ordered_begin_c(
        fh: MPI_File, buf: *mut c_void, count: N, datatype: MPI_Datatype
    ) = unsupported;
    fn MPI_File_read_ordered_end(fh: MPI_File, buf: *mut c_void, status: *mut MPI_Status) = unsupported;
    fn MPI_File_write_ordered_begin | MPI_File_write_ordered_begin_c(
        fh: MPI_File, buf: *const c_void, count: N, datatype: MPI_Datatype
    ) = unsupported;
    fn MPI_File_write_ordered_end(fh: MPI_File, buf: *const c_void, status: *mut MPI_Status) = unsupported;
    fn MPI_File_get_type_extent | MPI_File_get_type_extent_c(
        fh: MPI_File, datatype: MPI_Datatype, extent: *mut A
    ) = unsupported;
    fn MPI_Register_datarep(
        datarep: *const c_char, read_conversion_fn: Option<MPI_Datarep_conversion_function>,
        write_conversion_fn: Option<MPI_Datarep_conversion_function>,
        dtype_file_extent_fn: Option<MPI_Datarep_extent_function>, extra_state: *mut c_void
    ) = unsupported;
    fn MPI_Register_datarep_c(
        datarep: *const c_char, read_conversion_fn: Option<MPI_Datarep_conversion_function_c>,
        write_conversion_fn: Option<MPI_Datarep_conversion_function_c>,
        dtype_file_extent_fn: Option<MPI_Datarep_extent_function>, extra_state: *mut c_void
    ) = unsupported;
    fn MPI_File_set_atomicity(fh: MPI_File, flag: c_int) = unsupported;
    fn MPI_File_get_atomicity(fh: MPI_File, flag: *mut c_int) = unsupported;
    fn MPI_File_sync(fh: MPI_File) = unsupported;
}
