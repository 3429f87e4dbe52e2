//! Attribute keys and attributes of communicators, datatypes and windows (MPI 5.0 section 7.7), under their MPI-1 names too.

use crate::args;
use crate::instance::current;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Comm, MPI_Datatype, MPI_Win};
use mpi_fm::Result;
use mpi_fm::attr::keyval::{Copying, DeleteCall};
use mpi_fm::attr::{Attributes, Failed, Kind, Object, Value};
use std::ffi::{c_int, c_void};

type CopyAttr<H> = unsafe extern "C" fn(H, c_int, *mut c_void, *mut c_void, *mut c_void, *mut c_int) -> c_int;
type DeleteAttr<H> = unsafe extern "C" fn(H, c_int, *mut c_void, *mut c_void) -> c_int;

/// `MPI_COMM_DUP_FN` and its kin; the `NULL` functions are null pointers.
const DUP_FN: usize = 1;

/// `MPI_…_create_keyval`: `object` is the C interface's type of the objects that have attributes of this kind.
unsafe fn create<H: CHandle + 'static>(
    rank: &Rank,
    kind: Kind,
    copy: Option<CopyAttr<H>>,
    delete: Option<DeleteAttr<H>>,
    keyval: *mut c_int,
    extra_state: *mut c_void,
) -> Result<()> {
    args::check("the keyval argument", keyval)?;
    let extra_state = extra_state as usize;
    let copying = match copy {
        None => Copying::Never,
        Some(copy) if copy as usize == DUP_FN => Copying::Same,
        Some(copy) => Copying::Call(Box::new(move |object, number, value| {
            let mut copied: *mut c_void = std::ptr::null_mut();
            let mut flag = 0;
            // SAFETY: the program gave this function and its state for just this call.
            let code = unsafe {
                let copied = (&raw mut copied).cast();
                copy(from(object), number, extra_state as *mut c_void, value.0 as *mut c_void, copied, &mut flag)
            };
            succeeded(code).map(|()| (flag != 0).then_some(Value(copied as usize)))
        })),
    };
    let deleting: Option<DeleteCall> = delete.map(|delete| -> DeleteCall {
        Box::new(move |object, number, value| {
            // SAFETY: as above.
            succeeded(unsafe { delete(from(object), number, value.0 as *mut c_void, extra_state as *mut c_void) })
        })
    });
    // SAFETY: as the standard asks of the caller; so in all of this file.
    unsafe { args::put("the keyval argument", keyval, rank.process.keyvals.create(kind, copying, deleting)?) }
}

fn from<H: CHandle>(Object(handle): Object) -> H {
    H::from_handle(handle as u32)
}

/// An object as callbacks get it.
pub fn object<H: CHandle>(handle: H) -> Object {
    Object(handle.handle() as usize)
}

fn succeeded(code: c_int) -> std::result::Result<(), Failed> {
    if code == 0 { Ok(()) } else { Err(Failed(code)) }
}

unsafe fn free(rank: &Rank, kind: Kind, keyval: *mut c_int) -> Result<()> {
    // SAFETY: see `create`.
    unsafe {
        rank.process.keyvals.free(kind, args::get("the keyval argument", keyval)?)?;
        args::put("the keyval argument", keyval, 0)
    }
}

fn set<H: CHandle>(
    rank: &Rank,
    (kind, handle, attributes): (Kind, H, &Attributes),
    keyval: c_int,
    value: *mut c_void,
) -> Result<()> {
    let keyval = rank.process.keyvals.get(kind, keyval)?;
    attributes.set(object(handle), keyval, Value(value as usize))
}

fn delete<H: CHandle>(rank: &Rank, (kind, handle, attributes): (Kind, H, &Attributes), keyval: c_int) -> Result<()> {
    attributes.delete(object(handle), &*rank.process.keyvals.get(kind, keyval)?)
}

/// Writes a value as `attribute_val` (the address of a pointer) and whether there is one.
unsafe fn put(value: Option<Value>, attribute_val: *mut c_void, flag: *mut c_int) -> Result<()> {
    // SAFETY: see `create`.
    unsafe {
        args::check("flag", flag)?;
        if let Some(Value(value)) = value {
            args::put("attribute_val", attribute_val.cast::<*mut c_void>(), value as *mut c_void)?;
        }
        args::put("flag", flag, value.is_some().into())
    }
}

pub unsafe fn comm_create_keyval(
    rank: &Rank,
    copy: Option<CopyAttr<MPI_Comm>>,
    delete: Option<DeleteAttr<MPI_Comm>>,
    keyval: *mut c_int,
    extra_state: *mut c_void,
) -> Result<()> {
    // SAFETY: see `create`.
    unsafe { create(rank, Kind::Comm, copy, delete, keyval, extra_state) }
}

pub unsafe fn comm_free_keyval(rank: &Rank, keyval: *mut c_int) -> Result<()> {
    // SAFETY: see `create`.
    unsafe { free(rank, Kind::Comm, keyval) }
}

pub unsafe fn comm_set_attr(rank: &Rank, comm: MPI_Comm, keyval: c_int, value: *mut c_void) -> Result<()> {
    set(rank, (Kind::Comm, comm, &rank.comm(comm)?.attached.attributes), keyval, value)
}

pub unsafe fn comm_get_attr(
    rank: &Rank,
    comm: MPI_Comm,
    keyval: c_int,
    attribute_val: *mut c_void,
    flag: *mut c_int,
) -> Result<()> {
    let attributes = &rank.comm(comm)?.attached.attributes;
    let value = match rank.attributes.get(keyval, current().codes.last_used().as_ptr()) {
        Some(value) => value,
        None => attributes.get(&*rank.process.keyvals.get(Kind::Comm, keyval)?),
    };
    // SAFETY: see `create`.
    unsafe { put(value, attribute_val, flag) }
}

pub unsafe fn comm_delete_attr(rank: &Rank, comm: MPI_Comm, keyval: c_int) -> Result<()> {
    delete(rank, (Kind::Comm, comm, &rank.comm(comm)?.attached.attributes), keyval)
}

pub unsafe fn type_create_keyval(
    rank: &Rank,
    copy: Option<CopyAttr<MPI_Datatype>>,
    delete: Option<DeleteAttr<MPI_Datatype>>,
    keyval: *mut c_int,
    extra_state: *mut c_void,
) -> Result<()> {
    // SAFETY: see `create`.
    unsafe { create(rank, Kind::Type, copy, delete, keyval, extra_state) }
}

pub unsafe fn type_free_keyval(rank: &Rank, keyval: *mut c_int) -> Result<()> {
    // SAFETY: see `create`.
    unsafe { free(rank, Kind::Type, keyval) }
}

pub unsafe fn type_set_attr(rank: &Rank, datatype: MPI_Datatype, keyval: c_int, value: *mut c_void) -> Result<()> {
    set(rank, (Kind::Type, datatype, rank.datatype(datatype)?.attributes()), keyval, value)
}

pub unsafe fn type_get_attr(
    rank: &Rank,
    datatype: MPI_Datatype,
    keyval: c_int,
    attribute_val: *mut c_void,
    flag: *mut c_int,
) -> Result<()> {
    let attributes = rank.datatype(datatype)?.attributes();
    let value = attributes.get(&*rank.process.keyvals.get(Kind::Type, keyval)?);
    // SAFETY: see `create`.
    unsafe { put(value, attribute_val, flag) }
}

pub unsafe fn type_delete_attr(rank: &Rank, datatype: MPI_Datatype, keyval: c_int) -> Result<()> {
    delete(rank, (Kind::Type, datatype, rank.datatype(datatype)?.attributes()), keyval)
}

pub unsafe fn win_create_keyval(
    rank: &Rank,
    copy: Option<CopyAttr<MPI_Win>>,
    delete: Option<DeleteAttr<MPI_Win>>,
    keyval: *mut c_int,
    extra_state: *mut c_void,
) -> Result<()> {
    // SAFETY: see `create`.
    unsafe { create(rank, Kind::Win, copy, delete, keyval, extra_state) }
}

pub unsafe fn win_free_keyval(rank: &Rank, keyval: *mut c_int) -> Result<()> {
    // SAFETY: see `create`.
    unsafe { free(rank, Kind::Win, keyval) }
}
