//! Errors on their way to an error handler (MPI 5.0 section 9.3).

use crate::enter::{Call, Object};
use crate::instance::Instance;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Comm, MPI_Comm_errhandler_function, MPI_File, MPI_File_errhandler_function};
use crate::types::{MPI_Session, MPI_Session_errhandler_function, MPI_Win, MPI_Win_errhandler_function};
use mpi_fm::comm::SELF;
use mpi_fm::errhandler::{Action, Errhandler};
use mpi_fm::handle::Kind;
use mpi_fm::{Class, Error};
use std::ffi::c_int;

/// Gives `error` to the error handler in charge; returns the error code if that returns. `parameter` is the function's first
/// parameter on which errors are raised; the engine may know better (a request's communicator).
#[cold]
pub fn raise(instance: &Instance, call: Call, error: &Error, parameter: Option<Object>) -> c_int {
    let code = instance.codes.code(error);
    let (handler, object) = match (error.errhandler, instance.rank()) {
        (Some(errhandler), _) => (errhandler, Object::null(errhandler.kind())),
        (None, Some(rank)) => in_charge(instance, rank, call, error.comm.map(Object::of).or(parameter)),
        // Nobody can have set another one.
        (None, None) => (Errhandler::FATAL, Object::Comm(SELF)),
    };
    match handler.action {
        Action::Return => code,
        Action::Fatal | Action::Abort => die(instance, call.name(), &error.text, exit_status(error.class)),
        // SAFETY: the address came from a function pointer of the type that goes with `kind`.
        Action::Call { kind, function } => unsafe { tell(kind, function, object, code) },
    }
}

/// The error handler of `object`, and the object it is told of. Where there is none, or `object` is no communicator at all, they
/// are those of `MPI_COMM_SELF` while the World Model is initialised (MPI 5.0 section 9.3), and of `MPI_FILE_NULL` for files (section 14.7).
fn in_charge(instance: &Instance, rank: &Rank, call: Call, object: Option<Object>) -> (Errhandler, Object) {
    if call.name().starts_with("MPI_File_") {
        return (instance.file_errhandler(), Object::File(MPI_File::NULL.handle()));
    }
    let found = match object {
        Some(Object::Comm(handle)) => rank.comm(MPI_Comm::from_handle(handle)).ok().map(|comm| comm.attached.errhandler()),
        Some(Object::Session(handle)) => instance.sessions.find(handle).map(|session| session.attached.errhandler()),
        _ => None,
    };
    match (object, found) {
        (Some(object), Some(errhandler)) => (errhandler, object),
        _ if rank.in_world() => (rank.process.own().attached.errhandler(), Object::Comm(SELF)),
        // The initial error handler.
        _ => (Errhandler::FATAL, Object::Comm(SELF)),
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
pub unsafe fn tell(kind: Kind, function: usize, object: Object, mut code: c_int) -> c_int {
    debug_assert_eq!(kind, object.kind(), "handlers are set on objects of their kind only");
    macro_rules! call {
        ($handle:ident, $type:ty) => {{
            let mut handle = $handle::from_handle(object.handle());
            // SAFETY: the caller's promise; a function pointer is an address.
            unsafe { std::mem::transmute::<usize, $type>(function)(&mut handle, &mut code) }
        }};
    }
    match kind {
        Kind::Window => call!(MPI_Win, MPI_Win_errhandler_function),
        Kind::File => call!(MPI_File, MPI_File_errhandler_function),
        Kind::Session => call!(MPI_Session, MPI_Session_errhandler_function),
        _ => call!(MPI_Comm, MPI_Comm_errhandler_function),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start::singleton;
    use mpi_fm::comm::WORLD;
    use std::sync::Mutex;

    /// Handles and codes that the handler below was called with.
    static HEARD: Mutex<Vec<(usize, c_int)>> = Mutex::new(Vec::new());

    // Rust can only define handlers without the open parameter list; they are called alike.
    unsafe extern "C" fn hear(comm: *mut MPI_Comm, code: *mut c_int) {
        // SAFETY: the library passes addresses of its own variables.
        unsafe {
            HEARD.lock().unwrap().push(((*comm).0, *code));
            *code += 1;
        }
    }

    fn instance() -> Instance {
        let instance = Instance::started_by(Box::new(|threading, config| Ok(singleton(threading, config))));
        crate::init::init_alone(&instance);
        instance
    }

    #[test]
    fn the_object_decides_who_hears_of_an_error() {
        let instance = instance();
        let rank = instance.rank().unwrap();
        let function = hear as unsafe extern "C" fn(*mut MPI_Comm, *mut c_int) as usize;
        let listening = Errhandler { handle: 0, action: Action::Call { kind: Kind::Comm, function } };
        rank.own().attached.set_errhandler(listening);
        rank.world().attached.set_errhandler(Errhandler::RETURN);
        let call = Call::named("MPI_Recv");
        let error = Error::new(Class::TAG, "the tag is -7");

        let returned = raise(&instance, call, &error, Some(Object::Comm(WORLD)));
        assert_eq!(instance.codes.class_of(returned), Some(Class::TAG.0));
        assert!(instance.codes.text_of(returned).unwrap().contains("the tag is -7"));
        assert!(HEARD.lock().unwrap().is_empty(), "the communicator passed to the call is in charge");

        // Without an object, and with one that is none, MPI_COMM_SELF is in charge.
        let of_request = error.clone().on(SELF);
        for (error, object) in
            [(&of_request, Some(Object::Comm(WORLD))), (&error, None), (&error, Some(Object::Comm(0x7777_7777)))]
        {
            let code = raise(&instance, call, error, object);
            let heard = HEARD.lock().unwrap().pop().expect("the handler was called");
            assert_eq!(heard, (MPI_Comm::SELF.0, code - 1), "the handler may change the code");
        }

        let file = raise(&instance, Call::named("MPI_File_open"), &error, Some(Object::Comm(SELF)));
        assert_eq!(instance.codes.class_of(file), Some(Class::TAG.0), "errors of files are returned (MPI 5.0 section 14.7)");
        assert!(HEARD.lock().unwrap().is_empty());
    }

    #[test]
    fn no_error_gives_exit_status_0() {
        assert_eq!(exit_status(Class::TRUNCATE), 15);
        assert_eq!(exit_status(Class(1 << 14)), 1);
    }
}
