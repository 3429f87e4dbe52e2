//! Errors on their way to an error handler (MPI 5.0 section 9.3).

use crate::enter::{Call, Object};
use crate::instance::Instance;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Comm, MPI_Comm_errhandler_function, MPI_File, MPI_File_errhandler_function};
use crate::types::{MPI_Session, MPI_Session_errhandler_function, MPI_Win, MPI_Win_errhandler_function};
use mpi_fm::errhandler::{Action, Errhandler};
use mpi_fm::handle::{Handle, Kind};
use mpi_fm::{Class, Error};
use std::ffi::c_int;

/// Gives `error` to the error handler in charge; returns the error code if that returns. `parameter` is the function's first
/// parameter on which errors are raised; the engine may know better (a request's communicator).
#[cold]
pub fn raise(instance: &Instance, call: Call, error: &Error, parameter: Option<Object>) -> c_int {
    let code = instance.codes.code(error);
    let object = error.comm.map(Object::Comm).or(parameter);
    let handler = match instance.rank() {
        Some(rank) => in_charge(instance, rank, call, object),
        // Nobody can have set another one.
        None => Errhandler::FATAL,
    };
    match handler.action {
        Action::Return => code,
        Action::Fatal | Action::Abort => die(instance, call.name(), &error.text, exit_status(error.class)),
        // SAFETY: the address came from a function pointer of the type that goes with `kind`.
        Action::Call { kind, function } => unsafe { tell(kind, function, object, code) },
    }
}

/// The error handler of the object; of `MPI_COMM_SELF` where there is none (MPI 5.0 section 9.3), and of `MPI_FILE_NULL` for files
/// (section 14.7).
fn in_charge(instance: &Instance, rank: &Rank, call: Call, object: Option<Object>) -> Errhandler {
    match object {
        Some(Object::Comm(handle)) if !call.name().starts_with("MPI_File_") => {
            rank.process.comm(handle).unwrap_or(rank.process.own()).attached.errhandler()
        }
        _ if call.name().starts_with("MPI_File_") => instance.file_errhandler(),
        _ => rank.process.own().attached.errhandler(),
    }
}

/// The exit status of a process that dies of an error: never 0.
fn exit_status(class: Class) -> c_int {
    if (class.0 & 0xff) == 0 { 1 } else { class.0 & 0xff }
}

/// Calls the program's error handler, which may change the code.
///
/// # Safety
/// `function` is the address of an error handler function for objects of this kind.
pub unsafe fn tell(kind: Kind, function: usize, object: Option<Object>, mut code: c_int) -> c_int {
    // A handler made for another kind of object can only be here for errors without an object: then it gets the null handle.
    let handle_of = |wanted: Kind, fallback: Handle| match object {
        Some(object) if object.kind() == wanted => object.handle(),
        _ => fallback,
    };
    macro_rules! call {
        ($kind:ident, $handle:ident, $fallback:ident, $type:ty) => {{
            let mut handle = $handle::from_handle(handle_of(Kind::$kind, $handle::$fallback.handle()));
            // SAFETY: the caller's promise; a function pointer is an address.
            unsafe { std::mem::transmute::<usize, $type>(function)(&mut handle, &mut code) }
        }};
    }
    match kind {
        Kind::Window => call!(Window, MPI_Win, NULL, MPI_Win_errhandler_function),
        Kind::File => call!(File, MPI_File, NULL, MPI_File_errhandler_function),
        Kind::Session => call!(Session, MPI_Session, NULL, MPI_Session_errhandler_function),
        _ => call!(Comm, MPI_Comm, SELF, MPI_Comm_errhandler_function),
    }
    code
}

/// Ends the job after one line that says who died of what.
#[cold]
pub fn die(instance: &Instance, call: &str, text: &str, status: c_int) -> ! {
    // Some texts begin with the call already.
    let text = text.strip_prefix(call).map_or_else(|| format!("{call}: {text}"), |rest| format!("{call}{rest}"));
    eprintln!("hpvm: {}: {text}", who(instance));
    match instance.rank() {
        Some(rank) => rank.process.host.abort(status),
        None => std::process::exit(status),
    }
}

/// "rank 2 of 4 (pid 4711, host)", or what of it is known.
pub fn who(instance: &Instance) -> String {
    let pid = std::process::id();
    match instance.rank() {
        Some(rank) => {
            let (me, size, host) = (rank.process.me().0, rank.process.world().size(), rank.process.host.processor_name());
            format!("rank {me} of {size} (pid {pid}, {host})")
        }
        None => format!("process {pid}"),
    }
}
