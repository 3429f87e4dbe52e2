//! What happens around the body of every function: finding the process, noting the call, turning an error into a code.

use crate::instance::{Instance, current};
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Comm, MPI_File, MPI_Session, MPI_Win};
use hpvm_wire::calls;
use mpi_fm::handle::Handle;
use mpi_fm::{Class, Error, Result};
use std::ffi::c_int;

/// A function of the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Call(u16);

impl Call {
    /// # Panics
    /// When there is no such function; in a constant that is a compile error.
    pub const fn named(name: &str) -> Call {
        match calls::index_of(name) {
            Some(index) => Call(index),
            None => panic!("the launcher does not know this function: launcher/wire/src/calls/list.rs"),
        }
    }

    pub const fn index(self) -> u16 {
        self.0
    }

    pub fn name(self) -> &'static str {
        calls::NAMES[usize::from(self.0)]
    }
}

/// The object whose error handler an error goes to (MPI 5.0 section 9.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object {
    Comm(Handle),
    Win(Handle),
    File(Handle),
    Session(Handle),
}

/// A parameter of a C function: names the object it is, if errors can be raised on it.
pub trait Param {
    fn object(self) -> Option<Object>
    where
        Self: Sized,
    {
        None
    }
}

macro_rules! objects {
    ($($name:ident $kind:ident)*) => {$(
        impl Param for $name {
            fn object(self) -> Option<Object> {
                Some(Object::$kind(self.handle()))
            }
        }
    )*};
}

objects!(MPI_Comm Comm MPI_Win Win MPI_File File MPI_Session Session);

/// Everything else.
macro_rules! plain {
    ($($type:ty)*) => {$(impl Param for $type {})*};
}

plain!(c_int i64 isize std::ffi::c_uint);
plain!(crate::types::MPI_Group crate::types::MPI_Message crate::types::MPI_Info crate::types::MPI_Errhandler);
plain!(crate::types::MPI_Request crate::types::MPI_Datatype crate::types::MPI_Op);
plain!(crate::types::MPI_T_enum crate::types::MPI_T_cvar_handle crate::types::MPI_T_pvar_handle);
plain!(crate::types::MPI_T_pvar_session crate::types::MPI_T_event_registration crate::types::MPI_T_event_instance);
impl<T> Param for *const T {}
impl<T> Param for *mut T {}
impl<F> Param for Option<F> {}

/// The first of the parameters on which errors are raised.
macro_rules! object_of {
    ($($param:ident),*) => { None$(.or($crate::enter::Param::object($param)))* };
}
pub(crate) use object_of;

/// Runs the body of a function that needs an initialised MPI.
#[inline]
pub fn enter(call: Call, object: impl FnOnce() -> Option<Object>, body: impl FnOnce(&Rank) -> Result<()>) -> c_int {
    let instance = current();
    instance.note(call);
    let Some(rank) = instance.rank() else { return outside(instance, call) };
    match body(rank) {
        Ok(()) => 0,
        Err(error) => raise(instance, call, error, object()),
    }
}

/// Runs the body of a function that may be called at any time (MPI 5.0 section 11.4.1).
pub fn enter_any_time(
    call: Call,
    object: impl FnOnce() -> Option<Object>,
    body: impl FnOnce(&Instance) -> Result<()>,
) -> c_int {
    let instance = current();
    instance.note(call);
    match body(instance) {
        Ok(()) => 0,
        Err(error) => raise(instance, call, error, object()),
    }
}

/// A function that has no body yet.
#[cold]
pub fn unsupported(call: Call, object: Option<Object>) -> c_int {
    let instance = current();
    instance.note(call);
    let text = format!(
        "{} is not built yet in HPVM {} (see docs/coverage.md)",
        call.name(),
        env!("CARGO_PKG_VERSION")
    );
    raise(instance, call, Error::new(Class::UNSUPPORTED_OPERATION, text), object)
}

/// MPI is not initialised yet, or not any more: nobody can have set an error handler that says other than to die.
#[cold]
fn outside(instance: &Instance, call: Call) -> c_int {
    let when = if instance.is_finalized() { "after MPI_Finalize" } else { "before MPI_Init" };
    raise(instance, call, Error::new(Class::OTHER, format!("called {when}")), None)
}

/// Gives `error` to the error handler in charge; returns the error code when that returns.
#[cold]
pub fn raise(instance: &Instance, call: Call, error: Error, object: Option<Object>) -> c_int {
    let _ = object;
    let code = instance.codes.code(&error);
    eprintln!("hpvm: {}: {error}", call.name());
    std::process::exit(code & 0xff);
}
