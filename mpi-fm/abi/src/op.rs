//! Reduction operations (MPI 5.0 section 6.9), and applying one without communication (section 6.9.7).

use crate::args::{check, get, put};
use crate::count::Count;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Datatype, MPI_Op, MPI_User_function, MPI_User_function_c};
use mpi_fm::op::{UserFunction, UserFunctionLarge};
use mpi_fm::{Op, Result, bail};
use std::ffi::{c_int, c_void};

pub unsafe fn create(rank: &Rank, user_fn: Option<MPI_User_function>, commute: c_int, op: *mut MPI_Op) -> Result<()> {
    let Some(function) = user_fn else { bail!(ARG, "user_fn is a null pointer") };
    // SAFETY: the two types differ in the name of a pointer-sized handle only; the program keeps the function's contract.
    unsafe {
        let function = std::mem::transmute::<MPI_User_function, UserFunction>(function);
        hand_out(rank, op, Op::user(function, commute != 0))
    }
}

pub unsafe fn create_c(
    rank: &Rank,
    user_fn: Option<MPI_User_function_c>,
    commute: c_int,
    op: *mut MPI_Op,
) -> Result<()> {
    let Some(function) = user_fn else { bail!(ARG, "user_fn is a null pointer") };
    // SAFETY: as in `create`.
    unsafe {
        let function = std::mem::transmute::<MPI_User_function_c, UserFunctionLarge>(function);
        hand_out(rank, op, Op::user_large(function, commute != 0))
    }
}

/// # Safety
/// If not null, `place` is writable.
unsafe fn hand_out(rank: &Rank, place: *mut MPI_Op, op: Op) -> Result<()> {
    check("op", place)?;
    let handle = rank.ops.register(op)?;
    // SAFETY: the caller's.
    unsafe { put("op", place, MPI_Op::from_handle(handle)) }
}

pub unsafe fn free(rank: &Rank, op: *mut MPI_Op) -> Result<()> {
    // SAFETY: the caller's.
    unsafe {
        rank.ops.free(get("op", op)?.handle())?;
        put("op", op, MPI_Op::NULL)
    }
}

pub unsafe fn commutative(rank: &Rank, op: MPI_Op, commute: *mut c_int) -> Result<()> {
    let op = rank.op(op)?;
    // SAFETY: the caller's.
    unsafe { put("commute", commute, op.is_commutative() as c_int) }
}

pub unsafe fn reduce_local<N: Count>(
    rank: &Rank,
    inbuf: *const c_void,
    inoutbuf: *mut c_void,
    count: N,
    datatype: MPI_Datatype,
    op: MPI_Op,
) -> Result<()> {
    let op = rank.op(op)?;
    // SAFETY: the caller's.
    let (input, inout) = unsafe { (rank.buf(inbuf, count, datatype)?, rank.buf(inoutbuf, count, datatype)?) };
    op.check(input.ty())?;
    if input.addr() == inout.addr() && input.bytes() > 0 {
        bail!(BUFFER, "inbuf and inoutbuf are the same");
    }
    // SAFETY: two buffers of `count` items; that they do not overlap is the caller's.
    unsafe { op.apply(input.addr(), inout.addr(), input.count(), input.ty()) }
}
