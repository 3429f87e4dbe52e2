//! What happens around the body of every function: finding the process, noting the call, turning an error into a code.

use crate::failure::raise;
use crate::instance::{Instance, Phase, current};
use crate::rank::Rank;
use crate::tools;
use crate::types::{CHandle, MPI_Comm, MPI_File, MPI_Session, MPI_Win};
use hpvm_wire::calls;
use mpi_fm::handle::{Handle, Kind};
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

/// An object on which errors are raised (MPI 5.0 section 9.3).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Object {
    Comm(Handle),
    Win(Handle),
    File(Handle),
    Session(Handle),
}

impl Object {
    /// What errors are raised on that the engine has noted this handle with.
    pub fn of(handle: Handle) -> Object {
        match Kind::of(handle) {
            Some(Kind::Window) => Object::Win(handle),
            Some(Kind::File) => Object::File(handle),
            Some(Kind::Session) => Object::Session(handle),
            _ => Object::Comm(handle),
        }
    }

    /// The null handle of a kind.
    pub fn null(kind: Kind) -> Object {
        match kind {
            Kind::Window => Object::Win(MPI_Win::NULL.handle()),
            Kind::File => Object::File(MPI_File::NULL.handle()),
            Kind::Session => Object::Session(MPI_Session::NULL.handle()),
            _ => Object::Comm(MPI_Comm::NULL.handle()),
        }
    }

    pub fn handle(self) -> Handle {
        match self {
            Object::Comm(handle) | Object::Win(handle) | Object::File(handle) | Object::Session(handle) => handle,
        }
    }

    pub fn kind(self) -> Kind {
        match self {
            Object::Comm(_) => Kind::Comm,
            Object::Win(_) => Kind::Window,
            Object::File(_) => Kind::File,
            Object::Session(_) => Kind::Session,
        }
    }
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
    let Some(rank) = instance.rank() else { return outside(instance, call) };
    rank.note(call);
    match body(rank) {
        Ok(()) => 0,
        Err(error) => raise(instance, call, &error, object()),
    }
}

/// Runs the body of a function that may be called at any time (MPI 5.0 section 11.4.1).
pub fn enter_any_time(
    call: Call,
    object: impl FnOnce() -> Option<Object>,
    body: impl FnOnce(&Instance) -> Result<()>,
) -> c_int {
    let instance = current();
    if let Some(rank) = instance.rank() {
        rank.note(call);
    }
    match body(instance) {
        Ok(()) => 0,
        Err(error) => raise(instance, call, &error, object()),
    }
}

/// Runs the body of a function of the tool interface. Its errors are codes, of which no error handler hears (MPI 5.0 section 15.3.10).
/// A tool's own thread may be here at any time, so the call is not noted as what the program is doing.
pub fn enter_tool(body: impl FnOnce(&Instance) -> tools::Result<()>) -> c_int {
    match body(current()) {
        Ok(()) => 0,
        Err(refusal) => refusal.0,
    }
}

/// A function that has no body yet.
#[cold]
pub fn unsupported(call: Call, object: Option<Object>) -> c_int {
    let (name, version) = (call.name(), env!("CARGO_PKG_VERSION"));
    let text = format!("{name} is not built yet in HPVM {version} (see docs/coverage.md)");
    enter_any_time(call, || object, |_| Err(Error::new(Class::UNSUPPORTED_OPERATION, text)))
}

/// There is no rank to call for.
#[cold]
fn outside(instance: &Instance, call: Call) -> c_int {
    let when = match instance.phase() {
        _ if instance.is_forked() => "called in a child process that a rank forked, which is no part of the job",
        Phase::Before | Phase::Running if instance.is_between_sessions() => "called after the last MPI_Session_finalize",
        Phase::Before | Phase::Running => "called before MPI_Init",
        Phase::Finalized => "called after MPI_Finalize",
    };
    raise(instance, call, &Error::new(Class::OTHER, when), None)
}
