//! What debuggers look for in a launcher: the MPIR process acquisition interface (MPI Forum, version 1.1).
//!
//! A debugger that starts `hpvmrun`, or attaches to it, finds by these names where the ranks are: [`MPIR_proctable`], valid from
//! [`MPIR_DEBUG_SPAWNED`] on. It stops at [`MPIR_Breakpoint`], which is called when all ranks have been started and when the job is ended before its
//! time. The names are the interface's; the debugger reads and writes the variables while this process stands still.

#![allow(non_upper_case_globals, non_camel_case_types, non_snake_case)]

use std::ffi::{CString, c_char, c_int};
use std::hint::black_box;
use std::ptr;
use std::sync::atomic::{AtomicI32, AtomicPtr, Ordering::Relaxed};

/// A rank's process.
#[repr(C)]
pub struct MPIR_PROCDESC {
    pub host_name: *const c_char,
    pub executable_name: *const c_char,
    pub pid: c_int,
}

pub const MPIR_DEBUG_SPAWNED: c_int = 1;
pub const MPIR_DEBUG_ABORTING: c_int = 2;

/// One entry for each rank, in their order.
#[used]
#[unsafe(no_mangle)]
pub static MPIR_proctable: AtomicPtr<MPIR_PROCDESC> = AtomicPtr::new(ptr::null_mut());
#[used]
#[unsafe(no_mangle)]
pub static MPIR_proctable_size: AtomicI32 = AtomicI32::new(0);
/// Why [`MPIR_Breakpoint`] is called.
#[used]
#[unsafe(no_mangle)]
pub static MPIR_debug_state: AtomicI32 = AtomicI32::new(0);
/// With [`MPIR_DEBUG_ABORTING`]: why the job is ended.
#[used]
#[unsafe(no_mangle)]
pub static MPIR_debug_abort_string: AtomicPtr<c_char> = AtomicPtr::new(ptr::null_mut());
/// Set by the debugger. Nothing depends on it here: the table is always there, for who attaches later.
#[used]
#[unsafe(no_mangle)]
pub static MPIR_being_debugged: AtomicI32 = AtomicI32::new(0);
/// Being there they say that `hpvmrun` is no rank itself, and that ranks run whether or not a debugger attaches to them.
#[used]
#[unsafe(no_mangle)]
pub static MPIR_i_am_starter: AtomicI32 = AtomicI32::new(1);
#[used]
#[unsafe(no_mangle)]
pub static MPIR_partial_attach_ok: AtomicI32 = AtomicI32::new(1);

/// Does nothing, at an address that a debugger knows.
#[inline(never)]
#[unsafe(no_mangle)]
pub extern "C" fn MPIR_Breakpoint() {
    black_box(MPIR_debug_state.load(Relaxed));
}

/// Where a rank runs.
pub struct Place<'p> {
    pub host: &'p str,
    pub program: &'p str,
    pub pid: u32,
}

/// All ranks have been started. Said once in a process's life, so the table stays for good.
pub fn spawned<'p>(places: impl Iterator<Item = Place<'p>>) {
    let entry = |place: Place| MPIR_PROCDESC { host_name: text(place.host), executable_name: text(place.program), pid: place.pid as c_int };
    let table: Box<[MPIR_PROCDESC]> = places.map(entry).collect();
    let size = table.len() as c_int;
    MPIR_proctable.store(Box::leak(table).as_mut_ptr(), Relaxed);
    MPIR_proctable_size.store(size, Relaxed);
    MPIR_debug_state.store(MPIR_DEBUG_SPAWNED, Relaxed);
    MPIR_Breakpoint();
}

/// The job is ended because of a failure.
pub fn aborting(why: &str) {
    MPIR_debug_abort_string.store(text(why), Relaxed);
    MPIR_debug_state.store(MPIR_DEBUG_ABORTING, Relaxed);
    MPIR_Breakpoint();
}

/// For good, as C has it.
fn text(text: &str) -> *mut c_char {
    // What has a zero byte in it is no name.
    CString::new(text).unwrap_or_default().into_raw()
}
