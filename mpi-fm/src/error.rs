//! Errors: an MPI error class, and a text that names what a person needs.

use crate::errhandler::Errhandler;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// An MPI error class (MPI 5.0 section 9.4), with the standard ABI's number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class(pub i32);

macro_rules! classes {
    ($($name:ident = $number:literal, $text:literal;)*) => {
        impl Class {
            $(#[doc = $text] pub const $name: Class = Class($number);)*

            /// Every class with its name in C and the text that `MPI_Error_string` gives for it.
            pub const ALL: &'static [(Class, &'static str, &'static str)] =
                &[$((Class::$name, concat!("MPI_ERR_", stringify!($name)), $text),)*];
        }
    };
}

classes! {
    BUFFER = 1, "invalid buffer pointer";
    COUNT = 2, "invalid count";
    TYPE = 3, "invalid datatype";
    TAG = 4, "invalid tag";
    COMM = 5, "invalid communicator";
    RANK = 6, "invalid rank";
    REQUEST = 7, "invalid request";
    ROOT = 8, "invalid root";
    GROUP = 9, "invalid group";
    OP = 10, "invalid reduction operation";
    TOPOLOGY = 11, "invalid topology";
    DIMS = 12, "invalid dimension";
    ARG = 13, "invalid argument";
    UNKNOWN = 14, "unknown error";
    TRUNCATE = 15, "message truncated";
    OTHER = 16, "other error";
    INTERN = 17, "internal error";
    PENDING = 18, "request still pending";
    IN_STATUS = 19, "the error code is in the status";
    ACCESS = 20, "permission denied";
    AMODE = 21, "invalid access mode";
    ASSERT = 22, "invalid assertion";
    BAD_FILE = 23, "invalid file name";
    BASE = 24, "invalid window base";
    CONVERSION = 25, "data conversion failed";
    DISP = 26, "invalid displacement";
    DUP_DATAREP = 27, "data representation already defined";
    FILE_EXISTS = 28, "file exists";
    FILE_IN_USE = 29, "file in use";
    FILE = 30, "invalid file handle";
    INFO_KEY = 31, "invalid info key";
    INFO_NOKEY = 32, "no such info key";
    INFO_VALUE = 33, "invalid info value";
    INFO = 34, "invalid info object";
    IO = 35, "input/output error";
    KEYVAL = 36, "invalid attribute key";
    LOCKTYPE = 37, "invalid lock type";
    NAME = 38, "no such service name";
    NO_MEM = 39, "out of memory";
    NOT_SAME = 40, "collective argument differs between processes";
    NO_SPACE = 41, "no space left";
    NO_SUCH_FILE = 42, "no such file";
    PORT = 43, "invalid port name";
    QUOTA = 44, "quota exceeded";
    READ_ONLY = 45, "read-only file or file system";
    RMA_ATTACH = 46, "memory cannot be attached";
    RMA_CONFLICT = 47, "conflicting window accesses";
    RMA_RANGE = 48, "target memory not in the window";
    RMA_SHARED = 49, "memory cannot be shared";
    RMA_SYNC = 50, "wrong window synchronisation";
    SERVICE = 51, "invalid service name";
    SIZE = 52, "invalid size";
    SPAWN = 53, "processes could not be spawned";
    UNSUPPORTED_DATAREP = 54, "unsupported data representation";
    UNSUPPORTED_OPERATION = 55, "operation not supported";
    WIN = 56, "invalid window";
    RMA_FLAVOR = 57, "wrong window flavour";
    PROC_ABORTED = 58, "a peer process has aborted";
    VALUE_TOO_LARGE = 59, "value too large for the argument";
    SESSION = 60, "invalid session";
    ERRHANDLER = 61, "invalid error handler";
    ABI = 62, "the ABI was misused";
}

/// What went wrong. Becomes an MPI error code through the error handler of the object it concerns.
///
/// One pointer, so that the result of every call travels in a register.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Error(Box<What>);

/// The contents of an [`Error`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct What {
    pub class: Class,
    /// For people: names rank, peer, tag, communicator, sizes; no trailing full stop.
    pub text: String,
    /// The communicator or session whose error handler is in charge, when it is not the one passed to the call.
    pub comm: Option<u32>,
    /// The error handler itself, where the object that it is for could not be made.
    pub errhandler: Option<Errhandler>,
}

const _: () = assert!(size_of::<Result<()>>() == size_of::<usize>());

impl Error {
    #[cold]
    pub fn new(class: Class, text: impl Into<String>) -> Error {
        Error(Box::new(What { class, text: text.into(), comm: None, errhandler: None }))
    }

    /// The same, for `errhandler`: that of an object that could not be made.
    pub fn to(mut self, errhandler: Errhandler) -> Error {
        self.errhandler = Some(errhandler);
        self
    }

    /// The same, for the error handler of the communicator or session `comm`.
    pub fn on(mut self, comm: u32) -> Error {
        self.comm = Some(comm);
        self
    }
}

impl Deref for Error {
    type Target = What;

    fn deref(&self) -> &What {
        &self.0
    }
}

impl DerefMut for Error {
    fn deref_mut(&mut self) -> &mut What {
        &mut self.0
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Error {}

pub type Result<T> = std::result::Result<T, Error>;

/// `Err(Error)` of a class with a formatted text: `bail!(RANK, "rank {r} …")`.
#[macro_export]
macro_rules! bail {
    ($class:ident, $($text:tt)+) => {
        return Err($crate::error::Error::new($crate::error::Class::$class, format!($($text)+)))
    };
}
