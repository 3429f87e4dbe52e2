//! Buffers of buffered sends (MPI 5.0 section 3.6).

use crate::args::{check, put};
use crate::count::Count;
use crate::instance::current;
use crate::rank::Rank;
use crate::session;
use crate::types::{CHandle, MPI_Comm, MPI_Request, MPI_Session};
use mpi_fm::bsend::{BufferSlot, UserBuffer};
use mpi_fm::{Process, Result, bail};
use std::ffi::c_void;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

/// `MPI_BUFFER_AUTOMATIC`: the library finds the memory.
const AUTOMATIC: usize = 2;

fn user_buffer<N: Count>(buffer: *mut c_void, size: N) -> Result<UserBuffer> {
    let addr = buffer as usize;
    if addr == AUTOMATIC {
        return Ok(UserBuffer { addr, size: None });
    }
    let Ok(size) = u64::try_from(size.get()) else {
        bail!(ARG, "the size of the buffer is {}, a negative number", size.get());
    };
    if addr == 0 && size > 0 {
        bail!(BUFFER, "the buffer to attach is a null pointer");
    }
    Ok(UserBuffer { addr, size: Some(size) })
}

/// # Safety
/// `buffer_addr` is null or the address of a pointer, `size` null or writable.
unsafe fn give_back<N: Count>(detached: UserBuffer, buffer_addr: *mut c_void, size: *mut N) -> Result<()> {
    // SAFETY: the caller's.
    unsafe {
        put("buffer_addr", buffer_addr.cast::<usize>(), detached.addr)?;
        put("size", size, N::put(detached.size.unwrap_or(0) as i64)?)
    }
}

/// Resolves when nothing sent from the buffer is under way.
async fn flushed(process: &Process, slot: &BufferSlot) -> Result<()> {
    poll_fn(|_| if slot.is_flushed(process) { Poll::Ready(()) } else { Poll::Pending }).await;
    Ok(())
}

pub unsafe fn attach<N: Count>(rank: &Rank, buffer: *mut c_void, size: N) -> Result<()> {
    rank.process.buffer.attach(user_buffer(buffer, size)?)
}

pub unsafe fn detach<N: Count>(rank: &Rank, buffer_addr: *mut c_void, size: *mut N) -> Result<()> {
    check("buffer_addr", buffer_addr)?;
    check("size", size)?;
    let detached = rank.process.buffer.detach(&rank.process)?;
    // SAFETY: the caller's.
    unsafe { give_back(detached, buffer_addr, size) }
}

pub unsafe fn flush(rank: &Rank) -> Result<()> {
    rank.process.buffer.flush(&rank.process);
    Ok(())
}

pub unsafe fn start_flush(rank: &Rank, request: *mut MPI_Request) -> Result<()> {
    check("request", request)?;
    let process = Arc::clone(&rank.process);
    let flush = async move { flushed(&process, &process.buffer).await };
    let handle = rank.process.start_collective(mpi_fm::comm::SELF, flush)?;
    // SAFETY: the caller's.
    unsafe { put("request", request, MPI_Request::from_handle(handle)) }
}

pub unsafe fn comm_attach<N: Count>(rank: &Rank, comm: MPI_Comm, buffer: *mut c_void, size: N) -> Result<()> {
    rank.comm(comm)?.buffer.attach(user_buffer(buffer, size)?)
}

pub unsafe fn comm_detach<N: Count>(
    rank: &Rank,
    comm: MPI_Comm,
    buffer_addr: *mut c_void,
    size: *mut N,
) -> Result<()> {
    check("buffer_addr", buffer_addr)?;
    check("size", size)?;
    let detached = rank.comm(comm)?.buffer.detach(&rank.process)?;
    // SAFETY: the caller's.
    unsafe { give_back(detached, buffer_addr, size) }
}

pub unsafe fn comm_flush(rank: &Rank, comm: MPI_Comm) -> Result<()> {
    rank.comm(comm)?.buffer.flush(&rank.process);
    Ok(())
}

pub unsafe fn comm_start_flush(rank: &Rank, comm: MPI_Comm, request: *mut MPI_Request) -> Result<()> {
    check("request", request)?;
    let comm = Arc::clone(rank.comm(comm)?);
    let process = Arc::clone(&rank.process);
    let handle = rank.process.start_collective(comm.handle, async move { flushed(&process, &comm.buffer).await })?;
    // SAFETY: the caller's.
    unsafe { put("request", request, MPI_Request::from_handle(handle)) }
}

pub unsafe fn session_attach<N: Count>(_: &Rank, session: MPI_Session, buffer: *mut c_void, size: N) -> Result<()> {
    session::find(current(), session)?.buffer.attach(user_buffer(buffer, size)?)
}

pub unsafe fn session_detach<N: Count>(
    rank: &Rank,
    session: MPI_Session,
    buffer_addr: *mut c_void,
    size: *mut N,
) -> Result<()> {
    check("buffer_addr", buffer_addr)?;
    check("size", size)?;
    let detached = session::find(current(), session)?.buffer.detach(&rank.process)?;
    // SAFETY: the caller's.
    unsafe { give_back(detached, buffer_addr, size) }
}

pub unsafe fn session_flush(rank: &Rank, session: MPI_Session) -> Result<()> {
    session::find(current(), session)?.buffer.flush(&rank.process);
    Ok(())
}

pub unsafe fn session_start_flush(rank: &Rank, session: MPI_Session, request: *mut MPI_Request) -> Result<()> {
    check("request", request)?;
    let found = Arc::clone(session::find(current(), session)?);
    let process = Arc::clone(&rank.process);
    // The request's errors are the session's.
    let handle = rank.process.start_collective(session.handle(), async move { flushed(&process, &found.buffer).await })?;
    // SAFETY: the caller's.
    unsafe { put("request", request, MPI_Request::from_handle(handle)) }
}
