//! Error handlers: what happens when a call on an object fails (MPI 5.0 section 9.3).

use crate::handle::{Handle, Kind};

/// `MPI_ERRHANDLER_NULL`
pub const NULL: Handle = 0x140;
/// `MPI_ERRORS_ARE_FATAL`
pub const ERRORS_ARE_FATAL: Handle = 0x141;
/// `MPI_ERRORS_ABORT`
pub const ERRORS_ABORT: Handle = 0x142;
/// `MPI_ERRORS_RETURN`
pub const ERRORS_RETURN: Handle = 0x143;

/// An error handler. A freed one lives on in the objects that use it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Errhandler {
    /// The handle it has or had.
    pub handle: Handle,
    pub action: Action,
}

/// What an error handler does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Ends all connected processes.
    Fatal,
    /// Ends the processes of the object concerned; without dynamic processes that is the job, too.
    Abort,
    /// The call returns the error code.
    Return,
    /// Calls the user's C function at this address, made for objects of this kind; only the C interface calls it.
    Call { kind: Kind, function: usize },
}

impl Errhandler {
    pub const FATAL: Errhandler = Errhandler { handle: ERRORS_ARE_FATAL, action: Action::Fatal };
    pub const ABORT: Errhandler = Errhandler { handle: ERRORS_ABORT, action: Action::Abort };
    pub const RETURN: Errhandler = Errhandler { handle: ERRORS_RETURN, action: Action::Return };

    /// The predefined handler with this handle.
    pub const fn predefined(handle: Handle) -> Option<Errhandler> {
        match handle {
            ERRORS_ARE_FATAL => Some(Errhandler::FATAL),
            ERRORS_ABORT => Some(Errhandler::ABORT),
            ERRORS_RETURN => Some(Errhandler::RETURN),
            _ => None,
        }
    }

    /// The kind of object that it was made for; a predefined one serves all.
    pub const fn kind(self) -> Kind {
        match self.action {
            Action::Call { kind, .. } => kind,
            _ => Kind::Comm,
        }
    }
}
