//! Events (MPI 5.0 section 15.3.8). This library raises none: there are no event types, so no registration and no instance of one is ever
//! valid. There is one source, the clock that timestamps would be taken from.

use super::{Refusal, Result, put, tell, tell_text};
use crate::host;
use crate::instance::Instance;
use crate::types::{
    MPI_Aint, MPI_Count, MPI_Datatype, MPI_Info, MPI_T_cb_safety, MPI_T_enum, MPI_T_event_cb_function,
    MPI_T_event_dropped_cb_function, MPI_T_event_free_cb_function, MPI_T_event_instance, MPI_T_event_registration,
    MPI_T_source_order,
};
use mpi_fm::info::Info;
use std::ffi::{c_char, c_int, c_void};

/// `MPI_T_SOURCE_ORDERED`
const ORDERED: MPI_T_source_order = 1;

pub unsafe fn source_get_num(instance: &Instance, num: *mut c_int) -> Result<()> {
    instance.tools.is_open()?;
    // SAFETY: see `init_thread`; so in all of this file.
    unsafe { put(num, 1) }
}

fn source(instance: &Instance, index: c_int) -> Result<()> {
    instance.tools.is_open()?;
    if index == 0 { Ok(()) } else { Err(Refusal::INVALID_INDEX) }
}

pub unsafe fn source_get_info(
    instance: &Instance,
    index: c_int,
    name: *mut c_char,
    name_len: *mut c_int,
    desc: *mut c_char,
    desc_len: *mut c_int,
    ordering: *mut MPI_T_source_order,
    ticks_per_second: *mut MPI_Count,
    max_ticks: *mut MPI_Count,
    info: *mut MPI_Info,
) -> Result<()> {
    source(instance, index)?;
    // SAFETY: see `source_get_num`.
    unsafe {
        tell_text(name, name_len, "hpvm_clock");
        tell_text(desc, desc_len, "The machine's monotonic clock, in nanoseconds; the same for all processes of a machine");
        tell(ordering, ORDERED);
        tell(ticks_per_second, 1_000_000_000);
        tell(max_ticks, MPI_Count::MAX);
        if !info.is_null() {
            info.write(instance.infos.add(Info::new()).map_err(|_| Refusal::MEMORY)?);
        }
    }
    Ok(())
}

pub unsafe fn source_get_timestamp(instance: &Instance, index: c_int, timestamp: *mut MPI_Count) -> Result<()> {
    source(instance, index)?;
    // SAFETY: see `source_get_num`.
    unsafe { put(timestamp, host::nanoseconds() as MPI_Count) }
}

pub unsafe fn get_num(instance: &Instance, num: *mut c_int) -> Result<()> {
    instance.tools.is_open()?;
    // SAFETY: see `source_get_num`.
    unsafe { put(num, 0) }
}

pub unsafe fn get_index(instance: &Instance, name: *const c_char, _index: *mut c_int) -> Result<()> {
    instance.tools.is_open()?;
    Err(if name.is_null() { Refusal::INVALID } else { Refusal::INVALID_NAME })
}

pub unsafe fn get_info(
    instance: &Instance,
    _index: c_int,
    _name: *mut c_char,
    _name_len: *mut c_int,
    _verbosity: *mut c_int,
    _datatypes: *mut MPI_Datatype,
    _displacements: *mut MPI_Aint,
    _num_elements: *mut c_int,
    _enumtype: *mut MPI_T_enum,
    _info: *mut MPI_Info,
    _desc: *mut c_char,
    _desc_len: *mut c_int,
    _bind: *mut c_int,
) -> Result<()> {
    none(instance, Refusal::INVALID_INDEX)
}

/// There is nothing that the argument could name.
fn none(instance: &Instance, refusal: Refusal) -> Result<()> {
    instance.tools.is_open()?;
    Err(refusal)
}

pub unsafe fn handle_alloc(
    instance: &Instance,
    _index: c_int,
    _obj_handle: *mut c_void,
    _info: MPI_Info,
    _registration: *mut MPI_T_event_registration,
) -> Result<()> {
    none(instance, Refusal::INVALID_INDEX)
}

pub unsafe fn handle_free(
    instance: &Instance,
    _registration: MPI_T_event_registration,
    _user_data: *mut c_void,
    _free: Option<MPI_T_event_free_cb_function>,
) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}

pub unsafe fn handle_get_info(
    instance: &Instance,
    _registration: MPI_T_event_registration,
    _info_used: *mut MPI_Info,
) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}

pub unsafe fn handle_set_info(
    instance: &Instance,
    _registration: MPI_T_event_registration,
    _info: MPI_Info,
) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}

pub unsafe fn callback_get_info(
    instance: &Instance,
    _registration: MPI_T_event_registration,
    _safety: MPI_T_cb_safety,
    _info_used: *mut MPI_Info,
) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}

pub unsafe fn callback_set_info(
    instance: &Instance,
    _registration: MPI_T_event_registration,
    _safety: MPI_T_cb_safety,
    _info: MPI_Info,
) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}

pub unsafe fn register_callback(
    instance: &Instance,
    _registration: MPI_T_event_registration,
    _safety: MPI_T_cb_safety,
    _info: MPI_Info,
    _user_data: *mut c_void,
    _function: Option<MPI_T_event_cb_function>,
) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}

pub unsafe fn set_dropped_handler(
    instance: &Instance,
    _registration: MPI_T_event_registration,
    _function: Option<MPI_T_event_dropped_cb_function>,
) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}

pub unsafe fn read(instance: &Instance, _event: MPI_T_event_instance, _element: c_int, _buffer: *mut c_void) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}

pub unsafe fn copy(instance: &Instance, _event: MPI_T_event_instance, _buffer: *mut c_void) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}

pub unsafe fn get_source(instance: &Instance, _event: MPI_T_event_instance, _source: *mut c_int) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}

pub unsafe fn get_timestamp(instance: &Instance, _event: MPI_T_event_instance, _timestamp: *mut MPI_Count) -> Result<()> {
    none(instance, Refusal::INVALID_HANDLE)
}
