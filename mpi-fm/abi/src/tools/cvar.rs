//! Control variables (MPI 5.0 section 15.3.6): the knobs that there are.
//!
//! What all processes must have alike, and what is fixed when the process starts, can be set before the first `MPI_Init` or
//! `MPI_Session_init` only. The rest can be set at any time, and holds from then on.

use super::category::Category;
use super::enums::{self, Enumeration};
use super::{NO_OBJECT, Refusal, Result, State, Type, Verbosity, at, index_of, name_of, put, tell, tell_text};
use crate::instance::Instance;
use crate::types::{MPI_Datatype, MPI_T_cvar_handle, MPI_T_enum};
use crate::{leaks, trace};
use hpvm_wire::tuning::{KEYS, Key};
use mpi_fm::config::Config;
use std::ffi::{c_char, c_int, c_void};
use std::sync::LazyLock;

/// A control variable.
#[derive(Debug)]
pub struct Variable {
    name: &'static str,
    text: &'static str,
    knob: Knob,
    ty: Type,
    enumeration: Option<&'static Enumeration>,
    verbosity: Verbosity,
    scope: Scope,
    pub category: Category,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Knob {
    EagerBytesMax,
    UnexpectedMessagesMax,
    UnexpectedBytesMax,
    FetchBytesMin,
    FetchBytesMax,
    HelpBytesMin,
    FetchPieceBytes,
    ExtractPackets,
    PushPackets,
    /// What a table may set, too.
    Threshold(Key),
    ReportLeaks,
    TraceFm,
}

/// For whom a change holds: the constants of the ABI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
enum Scope {
    /// Never set through this interface.
    ReadOnly = 2,
    Local = 3,
    /// All processes need the same value.
    AllEqual = 7,
}

/// Those of collectives come after the others.
pub static ALL: LazyLock<Vec<Variable>> = LazyLock::new(|| OWN.into_iter().chain(thresholds()).collect());

const OWN: [Variable; 11] = [
    Variable {
        name: "hpvm_eager_bytes_max",
        text: "Longest message in bytes that is sent before its receive is known; one packet of the device is the limit",
        knob: Knob::EagerBytesMax,
        ty: Type::Count,
        enumeration: None,
        verbosity: Verbosity::TunerBasic,
        scope: Scope::Local,
        category: Category::PointToPoint,
    },
    Variable {
        name: "hpvm_unexpected_messages_max",
        text: "Eager messages that one process may leave unmatched with another, which beyond are only announced; set before MPI_Init",
        knob: Knob::UnexpectedMessagesMax,
        ty: Type::Count,
        enumeration: None,
        verbosity: Verbosity::TunerDetail,
        scope: Scope::AllEqual,
        category: Category::PointToPoint,
    },
    Variable {
        name: "hpvm_unexpected_bytes_max",
        text: "Bytes of eager messages that one process may leave unmatched with another; set before MPI_Init",
        knob: Knob::UnexpectedBytesMax,
        ty: Type::Count,
        enumeration: None,
        verbosity: Verbosity::TunerDetail,
        scope: Scope::AllEqual,
        category: Category::PointToPoint,
    },
    Variable {
        name: "hpvm_fetch_bytes_min",
        text: "Shortest message in bytes that the receiver reads out of the sender's memory, where the device can; those are not eager there",
        knob: Knob::FetchBytesMin,
        ty: Type::Count,
        enumeration: None,
        verbosity: Verbosity::TunerBasic,
        scope: Scope::Local,
        category: Category::PointToPoint,
    },
    Variable {
        name: "hpvm_fetch_bytes_max",
        text: "Longest message in bytes that the receiver reads out of the sender's memory, where the device can",
        knob: Knob::FetchBytesMax,
        ty: Type::Count,
        enumeration: None,
        verbosity: Verbosity::TunerBasic,
        scope: Scope::Local,
        category: Category::PointToPoint,
    },
    Variable {
        name: "hpvm_help_bytes_min",
        text: "Shortest such message in bytes of which the sender, while it waits, writes a part into the receiver's memory",
        knob: Knob::HelpBytesMin,
        ty: Type::Count,
        enumeration: None,
        verbosity: Verbosity::TunerBasic,
        scope: Scope::Local,
        category: Category::PointToPoint,
    },
    Variable {
        name: "hpvm_fetch_piece_bytes",
        text: "Bytes of such a message that one round of progress reads at most",
        knob: Knob::FetchPieceBytes,
        ty: Type::Count,
        enumeration: None,
        verbosity: Verbosity::DeveloperBasic,
        scope: Scope::Local,
        category: Category::PointToPoint,
    },
    Variable {
        name: "hpvm_extract_packets",
        text: "Packets that one round of progress takes from the network",
        knob: Knob::ExtractPackets,
        ty: Type::Int,
        enumeration: None,
        verbosity: Verbosity::DeveloperBasic,
        scope: Scope::Local,
        category: Category::FastMessages,
    },
    Variable {
        name: "hpvm_push_packets",
        text: "Packets of large messages that one round of progress sends to one process",
        knob: Knob::PushPackets,
        ty: Type::Int,
        enumeration: None,
        verbosity: Verbosity::DeveloperBasic,
        scope: Scope::Local,
        category: Category::FastMessages,
    },
    Variable {
        name: "hpvm_report_leaks",
        text: "Whether the last MPI_Finalize or MPI_Session_finalize lists the handles that were not freed, if not 0; HPVM_REPORT_LEAKS",
        knob: Knob::ReportLeaks,
        ty: Type::Int,
        enumeration: None,
        verbosity: Verbosity::UserBasic,
        scope: Scope::Local,
        category: Category::Debugging,
    },
    Variable {
        name: "hpvm_trace_fm",
        text: "Whether the messages of Fast Messages are counted by kind: HPVM_TRACE=fm",
        knob: Knob::TraceFm,
        ty: Type::Int,
        enumeration: Some(&enums::SWITCH),
        verbosity: Verbosity::DeveloperBasic,
        scope: Scope::ReadOnly,
        category: Category::FastMessages,
    },
];

/// The thresholds that have no entry above. All processes have them alike, from the start.
fn thresholds() -> impl Iterator<Item = Variable> {
    KEYS.into_iter().filter(|key| OWN.iter().all(|own| own.name != key.variable)).map(|key| Variable {
        name: key.variable,
        text: key.text,
        knob: Knob::Threshold(key),
        ty: Type::Count,
        enumeration: None,
        verbosity: Verbosity::TunerDetail,
        scope: Scope::AllEqual,
        category: Category::Collective,
    })
}

impl Knob {
    fn get(self, instance: &Instance, state: &State) -> u64 {
        let config = instance.config();
        match self {
            Knob::EagerBytesMax => config.eager_bytes_max as u64,
            Knob::UnexpectedMessagesMax => config.unexpected_messages_max.into(),
            Knob::UnexpectedBytesMax => config.unexpected_bytes_max,
            Knob::FetchBytesMin => config.fetch_bytes_min,
            Knob::FetchBytesMax => config.fetch_bytes_max,
            Knob::HelpBytesMin => config.help_bytes_min,
            Knob::FetchPieceBytes => config.fetch_piece_bytes,
            Knob::ExtractPackets => config.extract_packets as u64,
            Knob::PushPackets => config.push_packets as u64,
            Knob::Threshold(key) => config.get(key.name()).expect("each key is a setting"),
            Knob::ReportLeaks => state.report_leaks.unwrap_or_else(|| leaks::wanted_by_environment().into()) as u64,
            Knob::TraceFm => trace::wanted().into(),
        }
    }

    fn set(self, instance: &Instance, state: &mut State, value: i64) -> Result<()> {
        let change = |change: &dyn Fn(&mut Config)| instance.configure(change);
        let starts = || if instance.latest_rank().is_some() { Err(Refusal::CVAR_SET_NOT_NOW) } else { Ok(()) };
        match self {
            Knob::EagerBytesMax => {
                let bytes = usize::try_from(value).map_err(|_| Refusal::INVALID)?;
                change(&|config| config.eager_bytes_max = bytes);
            }
            Knob::UnexpectedMessagesMax => {
                starts()?;
                let messages = u32::try_from(value).map_err(|_| Refusal::INVALID)?;
                change(&|config| config.unexpected_messages_max = messages);
            }
            Knob::UnexpectedBytesMax => {
                starts()?;
                let bytes = u64::try_from(value).map_err(|_| Refusal::INVALID)?;
                change(&|config| config.unexpected_bytes_max = bytes);
            }
            Knob::FetchBytesMin => {
                let bytes = u64::try_from(value).map_err(|_| Refusal::INVALID)?;
                change(&|config| config.fetch_bytes_min = bytes);
            }
            Knob::FetchBytesMax => {
                let bytes = u64::try_from(value).map_err(|_| Refusal::INVALID)?;
                change(&|config| config.fetch_bytes_max = bytes);
            }
            Knob::HelpBytesMin => {
                let bytes = u64::try_from(value).map_err(|_| Refusal::INVALID)?;
                change(&|config| config.help_bytes_min = bytes);
            }
            Knob::FetchPieceBytes => {
                let bytes = at_least_one(value)? as u64;
                change(&|config| config.fetch_piece_bytes = bytes);
            }
            Knob::ExtractPackets => {
                let packets = at_least_one(value)?;
                change(&|config| config.extract_packets = packets);
            }
            Knob::PushPackets => {
                let packets = at_least_one(value)?;
                change(&|config| config.push_packets = packets);
            }
            Knob::Threshold(key) => {
                starts()?;
                let value = u64::try_from(value).ok().filter(|value| key.allows(*value)).ok_or(Refusal::INVALID)?;
                change(&|config| _ = config.set(key.name(), value));
            }
            Knob::ReportLeaks => state.report_leaks = Some(value as i32),
            Knob::TraceFm => return Err(Refusal::CVAR_SET_NEVER),
        }
        Ok(())
    }
}

fn at_least_one(value: i64) -> Result<usize> {
    usize::try_from(value).ok().filter(|value| *value > 0).ok_or(Refusal::INVALID)
}

pub unsafe fn get_num(instance: &Instance, num: *mut c_int) -> Result<()> {
    instance.tools.is_open()?;
    // SAFETY: see `init_thread`; so in all of this file.
    unsafe { put(num, ALL.len() as c_int) }
}

pub unsafe fn get_index(instance: &Instance, name: *const c_char, index: *mut c_int) -> Result<()> {
    instance.tools.is_open()?;
    // SAFETY: see `get_num`.
    unsafe {
        let name = name_of(name)?;
        put(index, index_of(&ALL, |variable| variable.name.as_bytes() == name)?)
    }
}

pub unsafe fn get_info(
    instance: &Instance,
    index: c_int,
    name: *mut c_char,
    name_len: *mut c_int,
    verbosity: *mut c_int,
    datatype: *mut MPI_Datatype,
    enumtype: *mut MPI_T_enum,
    desc: *mut c_char,
    desc_len: *mut c_int,
    bind: *mut c_int,
    scope: *mut c_int,
) -> Result<()> {
    instance.tools.is_open()?;
    let variable = at(&ALL, index)?;
    // SAFETY: see `get_num`.
    unsafe {
        tell_text(name, name_len, variable.name);
        tell(verbosity, variable.verbosity as c_int);
        tell(datatype, variable.ty.datatype());
        tell(enumtype, enums::handle(variable.enumeration));
        tell_text(desc, desc_len, variable.text);
        tell(bind, NO_OBJECT);
        tell(scope, variable.scope as c_int);
    }
    Ok(())
}

/// None of the variables belongs to an object: `obj_handle` is ignored (section 15.3.2).
pub unsafe fn handle_alloc(
    instance: &Instance,
    index: c_int,
    _obj_handle: *mut c_void,
    handle: *mut MPI_T_cvar_handle,
    count: *mut c_int,
) -> Result<()> {
    let mut state = instance.tools.open()?;
    let variable = at(&ALL, index)?;
    let number = state.next_handle();
    // SAFETY: see `get_num`.
    unsafe {
        put(count, 1)?;
        put(handle, MPI_T_cvar_handle(number))?;
    }
    state.cvars.insert(number, variable);
    Ok(())
}

pub unsafe fn handle_free(instance: &Instance, handle: *mut MPI_T_cvar_handle) -> Result<()> {
    let mut state = instance.tools.open()?;
    if handle.is_null() {
        return Err(Refusal::INVALID);
    }
    // SAFETY: not null; see `get_num`.
    unsafe {
        state.cvars.remove(&handle.read().0).ok_or(Refusal::INVALID_HANDLE)?;
        put(handle, MPI_T_cvar_handle(0))
    }
}

fn find(state: &State, handle: MPI_T_cvar_handle) -> Result<&'static Variable> {
    state.cvars.get(&handle.0).copied().ok_or(Refusal::INVALID_HANDLE)
}

pub unsafe fn read(instance: &Instance, handle: MPI_T_cvar_handle, buf: *mut c_void) -> Result<()> {
    let state = instance.tools.open()?;
    let variable = find(&state, handle)?;
    // SAFETY: see `get_num`.
    unsafe { variable.ty.write(buf, &[variable.knob.get(instance, &state)]) }
}

pub unsafe fn write(instance: &Instance, handle: MPI_T_cvar_handle, buf: *const c_void) -> Result<()> {
    let mut state = instance.tools.open()?;
    let variable = find(&state, handle)?;
    // SAFETY: see `get_num`.
    let value = unsafe { variable.ty.read(buf, 1) }?[0];
    variable.knob.set(instance, &mut state, value)
}
