//! The C types of `include/mpi.h`, under their C names.
//!
//! A handle is a pointer to an incomplete struct in C. Here it is an integer of that size, which is never followed.
#![allow(non_camel_case_types)]

use mpi_fm::handle::Handle;
use std::ffi::{c_int, c_void};

/// Address-sized integer: differences of addresses, extents.
pub type MPI_Aint = isize;
/// Counts of the `_c` functions.
pub type MPI_Count = i64;
pub type MPI_Offset = i64;
/// Fortran's default `INTEGER`.
pub type MPI_Fint = c_int;

/// A handle as it crosses the C interface.
pub trait CHandle: Copy {
    fn from_handle(handle: Handle) -> Self;
    /// The engine's handle. A bit pattern beyond 32 bits was never ours; it becomes one that names no object.
    fn handle(self) -> Handle;
}

macro_rules! handles {
    ($($(#[$doc:meta])* $name:ident { $($constant:ident = $value:literal),* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(transparent)]
        pub struct $name(pub usize);

        impl $name {
            $(pub const $constant: $name = $name($value);)*
        }

        impl CHandle for $name {
            #[inline]
            fn from_handle(handle: Handle) -> $name {
                $name(handle as usize)
            }

            #[inline]
            fn handle(self) -> Handle {
                Handle::try_from(self.0).unwrap_or(Handle::MAX)
            }
        }
    )*};
}

handles! {
    MPI_Comm { NULL = 0x100, WORLD = 0x101, SELF = 0x102 }
    MPI_Group { NULL = 0x108, EMPTY = 0x109 }
    MPI_Win { NULL = 0x110 }
    MPI_File { NULL = 0x118 }
    MPI_Session { NULL = 0x120 }
    MPI_Message { NULL = 0x128, NO_PROC = 0x129 }
    MPI_Info { NULL = 0x130, ENV = 0x131 }
    MPI_Errhandler { NULL = 0x140, ARE_FATAL = 0x141, ABORT = 0x142, RETURN = 0x143 }
    MPI_Request { NULL = 0x180 }
    MPI_Datatype { NULL = 0x200 }
    MPI_Op { NULL = 0x20 }
}

/// Handles of the tool information interface: real pointers, since they have no integer form.
macro_rules! tool_handles {
    ($($name:ident)*) => {$(
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[repr(transparent)]
        pub struct $name(pub usize);
    )*};
}

tool_handles! {
    MPI_T_enum
    MPI_T_cvar_handle
    MPI_T_pvar_handle
    MPI_T_pvar_session
    MPI_T_event_registration
    MPI_T_event_instance
}

/// C enumerations of the tool information interface, as the integers they are.
pub type MPI_T_cb_safety = std::ffi::c_uint;
pub type MPI_T_source_order = std::ffi::c_uint;

/// MPI 5.0 section 20.3: three public fields, and 20 bytes for the library.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
#[allow(non_snake_case)]
pub struct MPI_Status {
    pub MPI_SOURCE: c_int,
    pub MPI_TAG: c_int,
    pub MPI_ERROR: c_int,
    pub internal: [c_int; 5],
}

/// The status of Fortran's module `mpi_f08`, seen from C: the same fields.
pub type MPI_F08_status = MPI_Status;

pub type MPI_User_function = unsafe extern "C" fn(*mut c_void, *mut c_void, *mut c_int, *mut MPI_Datatype);
pub type MPI_User_function_c = unsafe extern "C" fn(*mut c_void, *mut c_void, *mut MPI_Count, *mut MPI_Datatype);

pub type MPI_Grequest_query_function = unsafe extern "C" fn(*mut c_void, *mut MPI_Status) -> c_int;
pub type MPI_Grequest_free_function = unsafe extern "C" fn(*mut c_void) -> c_int;
pub type MPI_Grequest_cancel_function = unsafe extern "C" fn(*mut c_void, c_int) -> c_int;

type CopyAttr<H> = unsafe extern "C" fn(H, c_int, *mut c_void, *mut c_void, *mut c_void, *mut c_int) -> c_int;
type DeleteAttr<H> = unsafe extern "C" fn(H, c_int, *mut c_void, *mut c_void) -> c_int;
pub type MPI_Copy_function = CopyAttr<MPI_Comm>;
pub type MPI_Delete_function = DeleteAttr<MPI_Comm>;
pub type MPI_Comm_copy_attr_function = CopyAttr<MPI_Comm>;
pub type MPI_Comm_delete_attr_function = DeleteAttr<MPI_Comm>;
pub type MPI_Type_copy_attr_function = CopyAttr<MPI_Datatype>;
pub type MPI_Type_delete_attr_function = DeleteAttr<MPI_Datatype>;
pub type MPI_Win_copy_attr_function = CopyAttr<MPI_Win>;
pub type MPI_Win_delete_attr_function = DeleteAttr<MPI_Win>;

type Errhandler<H> = unsafe extern "C" fn(*mut H, *mut c_int, ...);
pub type MPI_Comm_errhandler_function = Errhandler<MPI_Comm>;
pub type MPI_Win_errhandler_function = Errhandler<MPI_Win>;
pub type MPI_File_errhandler_function = Errhandler<MPI_File>;
pub type MPI_Session_errhandler_function = Errhandler<MPI_Session>;
/// The removed name of the first.
pub type MPI_Handler_function = Errhandler<MPI_Comm>;

type Conversion<N> = unsafe extern "C" fn(*mut c_void, MPI_Datatype, N, *mut c_void, MPI_Offset, *mut c_void) -> c_int;
pub type MPI_Datarep_extent_function = unsafe extern "C" fn(MPI_Datatype, *mut MPI_Aint, *mut c_void) -> c_int;
pub type MPI_Datarep_conversion_function = Conversion<c_int>;
pub type MPI_Datarep_conversion_function_c = Conversion<MPI_Count>;

pub type MPI_T_event_cb_function =
    unsafe extern "C" fn(MPI_T_event_instance, MPI_T_event_registration, MPI_T_cb_safety, *mut c_void);
pub type MPI_T_event_free_cb_function = unsafe extern "C" fn(MPI_T_event_registration, MPI_T_cb_safety, *mut c_void);
pub type MPI_T_event_dropped_cb_function =
    unsafe extern "C" fn(MPI_Count, MPI_T_event_registration, c_int, MPI_T_cb_safety, *mut c_void);
