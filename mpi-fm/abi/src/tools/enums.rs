//! Enumerations: names for the values of variables (MPI 5.0 section 15.3.5).

use super::{Refusal, Result, put, tell_text};
use crate::instance::Instance;
use crate::types::MPI_T_enum;
use std::ffi::{c_char, c_int};

/// Names for the values 0, 1, 2 ….
#[derive(PartialEq, Eq, Debug)]
pub struct Enumeration {
    name: &'static str,
    items: &'static [&'static str],
}

pub static SWITCH: Enumeration = Enumeration { name: "switch", items: &["off", "on"] };

/// Those of [`Phase`](crate::instance::Phase).
pub static WORLD_MODEL: Enumeration =
    Enumeration { name: "world_model", items: &["not initialised", "initialised", "finalised"] };

static ALL: [&Enumeration; 2] = [&SWITCH, &WORLD_MODEL];

/// `MPI_T_ENUM_NULL` for a variable without one.
pub fn handle(enumeration: Option<&'static Enumeration>) -> MPI_T_enum {
    let index = ALL.iter().position(|known| Some(*known) == enumeration);
    MPI_T_enum(index.map_or(0, |index| index + 1))
}

fn find(handle: MPI_T_enum) -> Result<&'static Enumeration> {
    let index = handle.0.checked_sub(1).ok_or(Refusal::INVALID_HANDLE)?;
    ALL.get(index).copied().ok_or(Refusal::INVALID_HANDLE)
}

pub unsafe fn get_info(
    instance: &Instance,
    enumtype: MPI_T_enum,
    num: *mut c_int,
    name: *mut c_char,
    name_len: *mut c_int,
) -> Result<()> {
    instance.tools.is_open()?;
    let enumeration = find(enumtype)?;
    // SAFETY: see `init_thread`.
    unsafe {
        put(num, enumeration.items.len() as c_int)?;
        tell_text(name, name_len, enumeration.name);
    }
    Ok(())
}

pub unsafe fn get_item(
    instance: &Instance,
    enumtype: MPI_T_enum,
    index: c_int,
    value: *mut c_int,
    name: *mut c_char,
    name_len: *mut c_int,
) -> Result<()> {
    instance.tools.is_open()?;
    let item = super::at(find(enumtype)?.items, index)?;
    // SAFETY: see `init_thread`.
    unsafe {
        put(value, index)?;
        tell_text(name, name_len, item);
    }
    Ok(())
}
