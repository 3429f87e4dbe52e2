//! Error handlers, and what a program may ask about error codes (MPI 5.0 sections 9.3 to 9.5).

use crate::args::{get, put, put_string, text};
use crate::enter::Object;
use crate::failure::tell;
use crate::instance::Instance;
use crate::rank::Rank;
use crate::session;
use crate::types::{
    CHandle, MPI_Comm, MPI_Comm_errhandler_function, MPI_Errhandler, MPI_File, MPI_File_errhandler_function,
    MPI_Session, MPI_Session_errhandler_function, MPI_Win_errhandler_function,
};
use mpi_fm::constants::MAX_ERROR_STRING;
use mpi_fm::errhandler::{Action, Errhandler};
use mpi_fm::handle::Kind;
use mpi_fm::{Class, Error, Result, bail};
use std::ffi::{c_char, c_int};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// An error handler that the program made, as long as it has its handle.
pub struct Registered {
    errhandler: Errhandler,
    /// How often the program has been given the handle and has not freed it.
    references: AtomicU32,
}

fn register(instance: &Instance, action: Action) -> Result<MPI_Errhandler> {
    let make = |handle| Arc::new(Registered { errhandler: Errhandler { handle, action }, references: AtomicU32::new(1) });
    Ok(MPI_Errhandler::from_handle(instance.errhandlers.insert_with(make)?))
}

/// Makes an error handler of the function at `address`.
///
/// # Safety
/// `to` is null or writable.
unsafe fn create(instance: &Instance, kind: Kind, address: Option<usize>, to: *mut MPI_Errhandler) -> Result<()> {
    let Some(function) = address else { bail!(ARG, "the error handler function is a null pointer") };
    let handle = register(instance, Action::Call { kind, function })?;
    // SAFETY: the caller's.
    unsafe { put("errhandler", to, handle) }
}

macro_rules! creators {
    ($($name:ident $kind:ident $function:ident)*) => {$(
        pub unsafe fn $name(instance: &Instance, function: Option<$function>, to: *mut MPI_Errhandler) -> Result<()> {
            // SAFETY: the caller's.
            unsafe { create(instance, Kind::$kind, function.map(|function| function as usize), to) }
        }
    )*};
}

creators! {
    comm_create Comm MPI_Comm_errhandler_function
    win_create Window MPI_Win_errhandler_function
    file_create File MPI_File_errhandler_function
    session_create Session MPI_Session_errhandler_function
}

/// The error handler that `handle` names, for an object of `kind`.
pub(crate) fn find(instance: &Instance, handle: MPI_Errhandler, kind: Kind) -> Result<Errhandler> {
    if let Some(predefined) = Errhandler::predefined(handle.handle()) {
        return Ok(predefined);
    }
    if handle == MPI_Errhandler::NULL {
        bail!(ERRHANDLER, "the error handler is MPI_ERRHANDLER_NULL");
    }
    let found = instance.errhandlers.get(handle.handle())?.errhandler;
    match found.action {
        Action::Call { kind: made_for, .. } if made_for != kind => {
            bail!(ERRHANDLER, "an error handler made for a {} cannot be set on a {}", made_for.name(), kind.name())
        }
        _ => Ok(found),
    }
}

/// A handle for the error handler of an object: another reference, which the program is to free (MPI 5.0 section 9.3). It is the
/// handle that the program has, and a new one if it has freed that.
fn handle_of(instance: &Instance, errhandler: Errhandler) -> Result<MPI_Errhandler> {
    if Errhandler::predefined(errhandler.handle).is_some() {
        return Ok(MPI_Errhandler::from_handle(errhandler.handle));
    }
    let alive = instance.errhandlers.find(errhandler.handle);
    if let Some(registered) = alive.filter(|registered| registered.errhandler == errhandler) {
        registered.references.fetch_add(1, Ordering::Relaxed);
        return Ok(MPI_Errhandler::from_handle(errhandler.handle));
    }
    register(instance, errhandler.action)
}

pub unsafe fn errhandler_free(instance: &Instance, errhandler: *mut MPI_Errhandler) -> Result<()> {
    // SAFETY: the caller's.
    let handle = unsafe { get("errhandler", errhandler) }?;
    if Errhandler::predefined(handle.handle()).is_none() {
        if handle == MPI_Errhandler::NULL {
            bail!(ERRHANDLER, "the error handler is MPI_ERRHANDLER_NULL");
        }
        let registered = instance.errhandlers.get(handle.handle())?;
        if registered.references.fetch_sub(1, Ordering::Relaxed) == 1 {
            instance.errhandlers.remove(handle.handle())?;
        }
    }
    // SAFETY: the caller's.
    unsafe { put("errhandler", errhandler, MPI_Errhandler::NULL) }
}

pub unsafe fn comm_set(rank: &Rank, comm: MPI_Comm, errhandler: MPI_Errhandler) -> Result<()> {
    let attached = match rank.process.attached_to_come(comm.handle()) {
        Some(attached) => attached,
        None => Arc::clone(&rank.comm(comm)?.attached),
    };
    attached.set_errhandler(find(crate::instance::current(), errhandler, Kind::Comm)?);
    Ok(())
}

pub unsafe fn comm_get(rank: &Rank, comm: MPI_Comm, errhandler: *mut MPI_Errhandler) -> Result<()> {
    let handle = handle_of(crate::instance::current(), rank.comm(comm)?.attached.errhandler())?;
    // SAFETY: the caller's.
    unsafe { put("errhandler", errhandler, handle) }
}

pub unsafe fn comm_call(rank: &Rank, comm: MPI_Comm, errorcode: c_int) -> Result<()> {
    let errhandler = rank.comm(comm)?.attached.errhandler();
    call(errhandler, Object::Comm(comm.handle()), errorcode)
}

pub unsafe fn session_set(instance: &Instance, session: MPI_Session, errhandler: MPI_Errhandler) -> Result<()> {
    let session = session::find(instance, session)?;
    session.attached.set_errhandler(find(instance, errhandler, Kind::Session)?);
    Ok(())
}

pub unsafe fn session_get(instance: &Instance, session: MPI_Session, errhandler: *mut MPI_Errhandler) -> Result<()> {
    let handle = handle_of(instance, session::find(instance, session)?.attached.errhandler())?;
    // SAFETY: the caller's.
    unsafe { put("errhandler", errhandler, handle) }
}

pub unsafe fn session_call(instance: &Instance, session: MPI_Session, errorcode: c_int) -> Result<()> {
    let errhandler = session::find(instance, session)?.attached.errhandler();
    call(errhandler, Object::Session(session.handle()), errorcode)
}

/// Files cannot be opened yet, but the handler of those to come can be set on `MPI_FILE_NULL` (MPI 5.0 section 14.7).
pub unsafe fn file_set(instance: &Instance, file: MPI_File, errhandler: MPI_Errhandler) -> Result<()> {
    only_null(file)?;
    instance.set_file_errhandler(find(instance, errhandler, Kind::File)?);
    Ok(())
}

pub unsafe fn file_get(instance: &Instance, file: MPI_File, errhandler: *mut MPI_Errhandler) -> Result<()> {
    only_null(file)?;
    let handle = handle_of(instance, instance.file_errhandler())?;
    // SAFETY: the caller's.
    unsafe { put("errhandler", errhandler, handle) }
}

pub unsafe fn file_call(instance: &Instance, file: MPI_File, errorcode: c_int) -> Result<()> {
    only_null(file)?;
    call(instance.file_errhandler(), Object::File(file.handle()), errorcode)
}

fn only_null(file: MPI_File) -> Result<()> {
    match file {
        MPI_File::NULL => Ok(()),
        _ => Err(mpi_fm::handle::bad_handle(Kind::File, file.handle())),
    }
}

/// Calls an error handler at the program's wish. With one that returns, the call returns well (MPI 5.0 section 9.5).
fn call(errhandler: Errhandler, object: Object, errorcode: c_int) -> Result<()> {
    match errhandler.action {
        Action::Return => Ok(()),
        Action::Fatal | Action::Abort => {
            let instance = crate::instance::current();
            let text = instance.codes.text_of(errorcode).unwrap_or_else(|| "no known error".into());
            let class = instance.codes.class_of(errorcode).unwrap_or(errorcode);
            Err(Error::new(Class(class), format!("called with error code {errorcode}: {text}")))
        }
        Action::Call { kind, function } => {
            // SAFETY: the address came from a function pointer of the type that goes with `kind`.
            unsafe { tell(kind, function, object, errorcode) };
            Ok(())
        }
    }
}

pub unsafe fn class(instance: &Instance, errorcode: c_int, errorclass: *mut c_int) -> Result<()> {
    let Some(class) = instance.codes.class_of(errorcode) else { bail!(ARG, "{errorcode} is no error code") };
    // SAFETY: the caller's.
    unsafe { put("errorclass", errorclass, class) }
}

pub unsafe fn string(instance: &Instance, errorcode: c_int, to: *mut c_char, resultlen: *mut c_int) -> Result<()> {
    let Some(text) = instance.codes.text_of(errorcode) else { bail!(ARG, "{errorcode} is no error code") };
    // SAFETY: the caller's.
    unsafe { put_string(to, resultlen, MAX_ERROR_STRING, text.as_bytes()) }
}

pub unsafe fn add_class(instance: &Instance, errorclass: *mut c_int) -> Result<()> {
    let class = instance.codes.add_class()?;
    // SAFETY: the caller's.
    unsafe { put("errorclass", errorclass, class) }
}

pub unsafe fn add_code(instance: &Instance, errorclass: c_int, errorcode: *mut c_int) -> Result<()> {
    let code = instance.codes.add_code(errorclass)?;
    // SAFETY: the caller's.
    unsafe { put("errorcode", errorcode, code) }
}

pub unsafe fn add_string(instance: &Instance, errorcode: c_int, string: *const c_char) -> Result<()> {
    // SAFETY: the caller's.
    instance.codes.add_text(errorcode, unsafe { text("string", string) }?)
}

pub unsafe fn remove_class(instance: &Instance, errorclass: c_int) -> Result<()> {
    instance.codes.remove_class(errorclass)
}

pub unsafe fn remove_code(instance: &Instance, errorcode: c_int) -> Result<()> {
    instance.codes.remove_code(errorcode)
}

pub unsafe fn remove_string(instance: &Instance, errorcode: c_int) -> Result<()> {
    instance.codes.remove_text(errorcode)
}
