//! Integer constants of the standard ABI (MPI 5.0 chapter 20) that the engine itself interprets.

/// Any sending rank, in a receive or a probe.
pub const ANY_SOURCE: i32 = -1;
/// Any tag, in a receive or a probe.
pub const ANY_TAG: i32 = -2;
/// A partner that is not there: communication with it does nothing.
pub const PROC_NULL: i32 = -3;
/// In an intercommunicator's collective: the caller is the root.
pub const ROOT: i32 = -4;
/// No answer: a process that is not in a group, a colour that joins no communicator.
pub const UNDEFINED: i32 = -32766;

/// Strings of the C interface: bytes with the closing NUL.
pub const MAX_ERROR_STRING: usize = 512;
pub const MAX_INFO_KEY: usize = 256;
pub const MAX_INFO_VAL: usize = 1024;
pub const MAX_STRINGTAG_LEN: usize = 1024;
pub const MAX_OBJECT_NAME: usize = 128;
