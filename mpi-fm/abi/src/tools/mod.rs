//! The tool information interface (MPI 5.0 section 15.3): variables that a tool may look up, read and sometimes set.
//!
//! - [`cvar`]: control variables, the settings of the engine and of this library.
//! - [`pvar`]: performance variables; [`watch`]: sessions and handles through which they are read.
//! - [`category`]: the tree that both stand in; [`enums`]: names for values; [`event`]: sources of events, of which there are none.
//!
//! Everything works before `MPI_Init` and after `MPI_Finalize`, from any thread: handles live in [`Tools`] behind one mutex, and the
//! engine's counts are read without its locks ([`mpi_fm::tally`]). No error handler ever hears of an error here (section 15.3.10);
//! functions return its code, a [`Refusal`].

pub mod category;
pub mod cvar;
pub mod enums;
pub mod event;
pub mod pvar;
pub mod watch;

use crate::init;
use crate::instance::Instance;
use crate::types::MPI_Datatype;
use mpi_fm::datatype::Basic;
use parking_lot::{MappedMutexGuard, Mutex, MutexGuard};
use std::collections::BTreeMap;
use std::ffi::{CStr, c_char, c_int, c_void};

/// Why a function of this interface does nothing: its error code (MPI 5.0 section 15.3.10).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal(pub c_int);

impl Refusal {
    pub const NOT_INITIALIZED: Refusal = Refusal(1003);
    pub const MEMORY: Refusal = Refusal(1005);
    /// A null pointer, a value out of range, an object of the wrong kind.
    pub const INVALID: Refusal = Refusal(1006);
    pub const INVALID_INDEX: Refusal = Refusal(1007);
    pub const INVALID_SESSION: Refusal = Refusal(1009);
    pub const INVALID_HANDLE: Refusal = Refusal(1010);
    pub const INVALID_NAME: Refusal = Refusal(1011);
    pub const CVAR_SET_NOT_NOW: Refusal = Refusal(1014);
    pub const CVAR_SET_NEVER: Refusal = Refusal(1015);
    pub const PVAR_NO_WRITE: Refusal = Refusal(1016);
    pub const PVAR_NO_STARTSTOP: Refusal = Refusal(1017);
    pub const PVAR_NO_ATOMIC: Refusal = Refusal(1018);
}

pub type Result<T> = std::result::Result<T, Refusal>;

/// Who a variable is for (section 15.3.1): the constants of the ABI.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(i32)]
pub enum Verbosity {
    UserBasic = 0x09,
    TunerBasic = 0x11,
    TunerDetail = 0x12,
    DeveloperBasic = 0x21,
}

/// `MPI_T_BIND_NO_OBJECT`
const NO_OBJECT: c_int = 1;
/// `MPI_T_BIND_MPI_COMM`
const TO_COMM: c_int = 2;

/// The interface's state in an instance.
pub struct Tools {
    state: Mutex<State>,
}

struct State {
    /// How often it was initialised and not finalised.
    users: usize,
    cvars: BTreeMap<usize, &'static cvar::Variable>,
    sessions: BTreeMap<usize, ()>,
    watches: BTreeMap<usize, watch::Watch>,
    /// Handles are numbers that are used once, so that a freed one is found out.
    last: usize,
    /// What a tool has set, in place of `HPVM_REPORT_LEAKS`.
    report_leaks: Option<i32>,
}

/// Handles of sessions and variables are above: below are constants such as `MPI_T_PVAR_ALL_HANDLES`, and enumerations.
const HANDLES_ABOVE: usize = 4096;

impl Tools {
    pub const fn new() -> Tools {
        let state = State {
            users: 0,
            cvars: BTreeMap::new(),
            sessions: BTreeMap::new(),
            watches: BTreeMap::new(),
            last: HANDLES_ABOVE,
            report_leaks: None,
        };
        Tools { state: Mutex::new(state) }
    }

    /// The state, for functions that need an initialised interface: all but `MPI_T_init_thread`.
    fn open(&self) -> Result<MappedMutexGuard<'_, State>> {
        MutexGuard::try_map(self.state.lock(), |state| (state.users > 0).then_some(state)).map_err(|_| Refusal::NOT_INITIALIZED)
    }

    /// For functions that need an initialised interface and nothing of its state.
    fn is_open(&self) -> Result<()> {
        self.open().map(drop)
    }

    /// What a tool has set the variable `hpvm_report_leaks` to.
    pub fn report_leaks(&self) -> Option<i32> {
        self.state.lock().report_leaks
    }
}

impl Default for Tools {
    fn default() -> Self {
        Tools::new()
    }
}

impl State {
    fn next_handle(&mut self) -> usize {
        self.last += 1;
        self.last
    }
}

/// May be called several times; each call needs its `MPI_T_finalize`. Independent of `MPI_Init`, the thread level too: every level is
/// provided.
pub unsafe fn init_thread(instance: &Instance, required: c_int, provided: *mut c_int) -> Result<()> {
    // SAFETY: as the standard asks of the caller; so in all of this module.
    unsafe { put(provided, init::level(required)) }?;
    instance.tools.state.lock().users += 1;
    Ok(())
}

/// The last one frees what the tools have forgotten.
pub unsafe fn finalize(instance: &Instance) -> Result<()> {
    let mut state = instance.tools.open()?;
    state.users -= 1;
    if state.users == 0 {
        state.cvars.clear();
        state.sessions.clear();
        state.watches.clear();
    }
    Ok(())
}

/// Types of variables (section 15.3.5).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Type {
    Int,
    Count,
    UnsignedLongLong,
}

impl Type {
    fn datatype(self) -> MPI_Datatype {
        let basic = match self {
            Type::Int => Basic::MPI_INT,
            Type::Count => Basic::MPI_COUNT,
            Type::UnsignedLongLong => Basic::MPI_UNSIGNED_LONG_LONG,
        };
        MPI_Datatype(basic.handle() as usize)
    }

    /// # Safety
    /// `buf` is null or has room for the values.
    unsafe fn write(self, buf: *mut c_void, values: &[u64]) -> Result<()> {
        for (index, &value) in values.iter().enumerate() {
            // SAFETY: the caller's.
            unsafe {
                match self {
                    Type::Int => put(buf.cast::<c_int>().wrapping_add(index), value as c_int),
                    Type::Count | Type::UnsignedLongLong => put(buf.cast::<u64>().wrapping_add(index), value),
                }
            }?;
        }
        Ok(())
    }

    /// # Safety
    /// `buf` is null or holds `count` values.
    unsafe fn read(self, buf: *const c_void, count: usize) -> Result<Vec<i64>> {
        if buf.is_null() {
            return Err(Refusal::INVALID);
        }
        let at = |index| {
            // SAFETY: the caller's.
            unsafe {
                match self {
                    Type::Int => i64::from(buf.cast::<c_int>().add(index).read()),
                    Type::Count | Type::UnsignedLongLong => buf.cast::<i64>().add(index).read(),
                }
            }
        };
        Ok((0..count).map(at).collect())
    }
}

/// The entry that an index names.
fn at<T>(table: &'static [T], index: c_int) -> Result<&'static T> {
    usize::try_from(index).ok().and_then(|index| table.get(index)).ok_or(Refusal::INVALID_INDEX)
}

/// Writes an output that the caller must want.
///
/// # Safety
/// `to` is null or writable.
unsafe fn put<T>(to: *mut T, value: T) -> Result<()> {
    if to.is_null() {
        return Err(Refusal::INVALID);
    }
    // SAFETY: not null, and the caller's.
    unsafe { to.write(value) };
    Ok(())
}

/// Writes an output of a `get_info` function: null says that it is not wanted (section 15.3.3).
///
/// # Safety
/// `to` is null or writable.
unsafe fn tell<T>(to: *mut T, value: T) {
    // Null is no error here.
    // SAFETY: the caller's.
    let _ = unsafe { put(to, value) };
}

/// Writes a string as these functions do (section 15.3.3): as much as `*length` bytes hold, then a NUL; `*length` becomes what all of it
/// needs. Without `length` there is no string either.
///
/// # Safety
/// `to` is null or has room for `*length` bytes, `length` is null or holds a number.
unsafe fn tell_text(to: *mut c_char, length: *mut c_int, text: &str) {
    if length.is_null() {
        return;
    }
    // SAFETY: the caller's: room for `*length` bytes, of which at most that many are written.
    unsafe {
        let room = usize::try_from(length.read()).unwrap_or(0);
        if room > 0 && !to.is_null() {
            let count = text.len().min(room - 1);
            to.copy_from_nonoverlapping(text.as_ptr().cast(), count);
            to.add(count).write(0);
        }
        length.write(text.len() as c_int + 1);
    }
}

/// Writes as many of `values` as there is room for.
///
/// # Safety
/// `to` is null or has room for `room` integers.
unsafe fn tell_list(to: *mut c_int, room: c_int, values: impl Iterator<Item = usize>) -> Result<()> {
    let room = usize::try_from(room).map_err(|_| Refusal::INVALID)?;
    for (place, value) in values.take(room).enumerate() {
        // SAFETY: `place < room`.
        unsafe { put(to.wrapping_add(place), value as c_int) }?;
    }
    Ok(())
}

/// A name to look up.
///
/// # Safety
/// `name` is null or a C string.
unsafe fn name_of<'a>(name: *const c_char) -> Result<&'a [u8]> {
    if name.is_null() {
        return Err(Refusal::INVALID);
    }
    // SAFETY: not null, and the caller's.
    Ok(unsafe { CStr::from_ptr(name) }.to_bytes())
}

/// The index of the entry with this name.
fn index_of<T>(table: &[T], is_it: impl Fn(&T) -> bool) -> Result<c_int> {
    table.iter().position(is_it).map(|index| index as c_int).ok_or(Refusal::INVALID_NAME)
}
