//! Point-to-point communication (MPI 5.0 chapter 3).

use crate::args::{check, put};
use crate::count::Count;
use crate::rank::{FoundMessage, Rank};
use crate::status::store;
use crate::types::{CHandle, MPI_Comm, MPI_Datatype, MPI_Message, MPI_Request, MPI_Status};
use mpi_fm::adi::envelope::Plane;
use mpi_fm::adi::receive::From;
use mpi_fm::adi::send::{Address, Mode};
use mpi_fm::coll::Pending;
use mpi_fm::comm::Comm;
use mpi_fm::constants::ANY_TAG;
use mpi_fm::handle::Handle;
use mpi_fm::request::{NULL, Persistent, State};
use mpi_fm::memory::Memory;
use mpi_fm::status::{Outcome, Status};
use mpi_fm::{Buf, Class, Error, Process, Result, bail};
use parking_lot::Mutex;
use std::ffi::{c_int, c_void};
use std::sync::Arc;

/// How a message is sent (MPI 5.0 section 3.4).
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// Ready sends too: a receive that is there already changes nothing.
    Standard,
    Synchronous,
    Buffered,
}

/// A checked destination.
struct Destination<'c> {
    comm: &'c Arc<Comm>,
    /// `None` is `MPI_PROC_NULL`.
    rank: Option<usize>,
    tag: c_int,
}

impl<'c> Destination<'c> {
    #[inline(always)]
    fn check(rank: &'c Rank, dest: c_int, tag: c_int, comm: MPI_Comm) -> Result<Destination<'c>> {
        let comm = rank.comm(comm)?;
        if tag < 0 {
            return Err(bad_tag(tag, "send", ""));
        }
        Ok(Destination { comm, rank: comm.destination(dest)?, tag })
    }

    #[inline]
    fn address(&self, rank: usize) -> Address<'_> {
        Address { comm: self.comm, rank, tag: self.tag, plane: Plane::PointToPoint }
    }
}

/// A checked source.
struct Source<'c> {
    comm: &'c Arc<Comm>,
    /// `None` is `MPI_PROC_NULL`, `Some(None)` is `MPI_ANY_SOURCE`.
    rank: Option<Option<usize>>,
    tag: Option<c_int>,
}

impl<'c> Source<'c> {
    #[inline(always)]
    fn check(rank: &'c Rank, source: c_int, tag: c_int, comm: MPI_Comm) -> Result<Source<'c>> {
        let comm = rank.comm(comm)?;
        if tag < 0 && tag != ANY_TAG {
            return Err(bad_tag(tag, "receive", ", or MPI_ANY_TAG"));
        }
        Ok(Source { comm, rank: comm.source(source)?, tag: (tag != ANY_TAG).then_some(tag) })
    }

    #[inline]
    fn from(&self, rank: Option<usize>) -> From<'_> {
        From { comm: self.comm, rank, tag: self.tag, plane: Plane::PointToPoint }
    }
}

#[cold]
fn bad_tag(tag: c_int, what: &str, or: &str) -> Error {
    let most = c_int::MAX;
    Error::new(Class::TAG, format!("the tag of a {what} is {tag}: tags are 0 to MPI_TAG_UB, which is {most}{or}"))
}

const PROC_NULL: Outcome = Outcome { status: Status::PROC_NULL, error: None };

#[inline(always)]
fn start_send(process: &Process, buf: Buf<'_>, to: &Destination<'_>, how: How) -> Result<Handle> {
    let Some(rank) = to.rank else { return process.completed(Outcome::EMPTY, to.comm.handle) };
    let address = to.address(rank);
    match how {
        How::Standard => process.isend(buf, address, Mode::Standard),
        How::Synchronous => process.isend(buf, address, Mode::Synchronous),
        How::Buffered => process.ibsend(buf, address),
    }
}

#[inline(always)]
fn start_receive(process: &Process, buf: Buf<'_>, from: &Source<'_>) -> Result<Handle> {
    match from.rank {
        Some(rank) => process.irecv(buf, from.from(rank)),
        None => process.completed(PROC_NULL, from.comm.handle),
    }
}

/// Ends a blocking receive.
///
/// # Safety
/// As [`store`].
unsafe fn conclude(outcome: Outcome, status: *mut MPI_Status) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { store(status, &outcome.status) };
    match outcome.error {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

macro_rules! sends {
    ($($blocking:ident $starting:ident $persistent:ident $how:ident)*) => {$(
        #[inline(always)]
        pub unsafe fn $blocking<N: Count>(
            rank: &Rank, buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
        ) -> Result<()> {
            let to = Destination::check(rank, dest, tag, comm)?;
            // SAFETY: the caller's.
            let buf = unsafe { rank.buf(buf, count, datatype) }?;
            send_now(rank, buf, &to, How::$how)
        }

        #[inline(always)]
        pub unsafe fn $starting<N: Count>(
            rank: &Rank, buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
            request: *mut MPI_Request,
        ) -> Result<()> {
            check("request", request)?;
            let to = Destination::check(rank, dest, tag, comm)?;
            // SAFETY: the caller's.
            let buf = unsafe { rank.buf(buf, count, datatype) }?;
            let handle = start_send(&rank.process, buf, &to, How::$how)?;
            // SAFETY: the caller's.
            unsafe { put_request(request, handle) }
        }

        pub unsafe fn $persistent<N: Count>(
            rank: &Rank, buf: *const c_void, count: N, datatype: MPI_Datatype, dest: c_int, tag: c_int, comm: MPI_Comm,
            request: *mut MPI_Request,
        ) -> Result<()> {
            check("request", request)?;
            let to = Destination::check(rank, dest, tag, comm)?;
            // SAFETY: the caller's.
            let buf = unsafe { rank.buf(buf, count, datatype) }?;
            let (comm, rank_of_peer, tag) = (Arc::clone(to.comm), to.rank, to.tag);
            let message = UserMessage::of(&buf);
            let start = move |process: &Process| {
                let to = Destination { comm: &comm, rank: rank_of_peer, tag };
                start_send(process, message.buf(), &to, How::$how)
            };
            let handle = persistent(&rank.process, to.comm.handle, start)?;
            // SAFETY: the caller's.
            unsafe { put_request(request, handle) }
        }
    )*};
}

sends! {
    send isend send_init Standard
    ssend issend ssend_init Synchronous
    bsend ibsend bsend_init Buffered
}

#[inline(always)]
fn send_now(rank: &Rank, buf: Buf<'_>, to: &Destination<'_>, how: How) -> Result<()> {
    let Some(dest) = to.rank else { return Ok(()) };
    match how {
        How::Standard => rank.process.send(buf, to.address(dest), Mode::Standard)?,
        How::Synchronous => rank.process.send(buf, to.address(dest), Mode::Synchronous)?,
        How::Buffered => {
            let request = rank.process.ibsend(buf, to.address(dest))?;
            rank.process.finish(request)?;
        }
    }
    Ok(())
}

#[inline]
pub unsafe fn recv<N: Count>(
    rank: &Rank,
    buf: *mut c_void,
    count: N,
    datatype: MPI_Datatype,
    source: c_int,
    tag: c_int,
    comm: MPI_Comm,
    status: *mut MPI_Status,
) -> Result<()> {
    let from = Source::check(rank, source, tag, comm)?;
    // SAFETY: the caller's.
    let buf = unsafe { rank.buf(buf, count, datatype) }?;
    let outcome = match from.rank {
        Some(source) => rank.process.recv(buf, from.from(source))?,
        None => PROC_NULL,
    };
    // SAFETY: the caller's.
    unsafe { conclude(outcome, status) }
}

#[inline]
pub unsafe fn irecv<N: Count>(
    rank: &Rank,
    buf: *mut c_void,
    count: N,
    datatype: MPI_Datatype,
    source: c_int,
    tag: c_int,
    comm: MPI_Comm,
    request: *mut MPI_Request,
) -> Result<()> {
    check("request", request)?;
    let from = Source::check(rank, source, tag, comm)?;
    // SAFETY: the caller's.
    let buf = unsafe { rank.buf(buf, count, datatype) }?;
    let handle = start_receive(&rank.process, buf, &from)?;
    // SAFETY: the caller's.
    unsafe { put_request(request, handle) }
}

pub unsafe fn recv_init<N: Count>(
    rank: &Rank,
    buf: *mut c_void,
    count: N,
    datatype: MPI_Datatype,
    source: c_int,
    tag: c_int,
    comm: MPI_Comm,
    request: *mut MPI_Request,
) -> Result<()> {
    check("request", request)?;
    let from = Source::check(rank, source, tag, comm)?;
    // SAFETY: the caller's.
    let buf = unsafe { rank.buf(buf, count, datatype) }?;
    let (comm, source, tag) = (Arc::clone(from.comm), from.rank, from.tag);
    let message = UserMessage::of(&buf);
    let start = move |process: &Process| {
        let from = Source { comm: &comm, rank: source, tag };
        start_receive(process, message.buf(), &from)
    };
    let handle = persistent(&rank.process, from.comm.handle, start)?;
    // SAFETY: the caller's.
    unsafe { put_request(request, handle) }
}

pub unsafe fn sendrecv<N: Count>(
    rank: &Rank,
    sendbuf: *const c_void,
    sendcount: N,
    sendtype: MPI_Datatype,
    dest: c_int,
    sendtag: c_int,
    recvbuf: *mut c_void,
    recvcount: N,
    recvtype: MPI_Datatype,
    source: c_int,
    recvtag: c_int,
    comm: MPI_Comm,
    status: *mut MPI_Status,
) -> Result<()> {
    let to = Destination::check(rank, dest, sendtag, comm)?;
    let from = Source::check(rank, source, recvtag, comm)?;
    // SAFETY: the caller's.
    let (out, into) = unsafe { (rank.buf(sendbuf, sendcount, sendtype)?, rank.buf(recvbuf, recvcount, recvtype)?) };
    let receive = start_receive(&rank.process, into, &from)?;
    let sent = send_now(rank, out, &to, How::Standard);
    let outcome = rank.process.wait(receive)?;
    sent?;
    // SAFETY: the caller's.
    unsafe { conclude(outcome, status) }
}

pub unsafe fn sendrecv_replace<N: Count>(
    rank: &Rank,
    buf: *mut c_void,
    count: N,
    datatype: MPI_Datatype,
    dest: c_int,
    sendtag: c_int,
    source: c_int,
    recvtag: c_int,
    comm: MPI_Comm,
    status: *mut MPI_Status,
) -> Result<()> {
    let to = Destination::check(rank, dest, sendtag, comm)?;
    let from = Source::check(rank, source, recvtag, comm)?;
    // SAFETY: the caller's.
    let buf = unsafe { rank.buf(buf, count, datatype) }?;
    let send = send_copy(&rank.process, buf, &to)?;
    let receive = start_receive(&rank.process, buf, &from)?;
    let outcome = rank.process.wait(receive)?;
    rank.process.wait(send)?;
    // SAFETY: the caller's.
    unsafe { conclude(outcome, status) }
}

/// Starts a send of what is in the buffer now.
fn send_copy(process: &Process, buf: Buf<'_>, to: &Destination<'_>) -> Result<Handle> {
    let Some(rank) = to.rank else { return process.completed(Outcome::EMPTY, to.comm.handle) };
    let mut copy = vec![0; buf.bytes() as usize].into_boxed_slice();
    buf.read_at(0, &mut copy);
    process.isend_owned(copy, to.address(rank), Mode::Standard)
}

pub unsafe fn isendrecv<N: Count>(
    rank: &Rank,
    sendbuf: *const c_void,
    sendcount: N,
    sendtype: MPI_Datatype,
    dest: c_int,
    sendtag: c_int,
    recvbuf: *mut c_void,
    recvcount: N,
    recvtype: MPI_Datatype,
    source: c_int,
    recvtag: c_int,
    comm: MPI_Comm,
    request: *mut MPI_Request,
) -> Result<()> {
    check("request", request)?;
    let to = Destination::check(rank, dest, sendtag, comm)?;
    let from = Source::check(rank, source, recvtag, comm)?;
    // SAFETY: the caller's.
    let (out, into) = unsafe { (rank.buf(sendbuf, sendcount, sendtype)?, rank.buf(recvbuf, recvcount, recvtype)?) };
    let receive = start_receive(&rank.process, into, &from)?;
    let send = start_send(&rank.process, out, &to, How::Standard)?;
    let handle = both(&rank.process, to.comm.handle, send, receive)?;
    // SAFETY: the caller's.
    unsafe { put_request(request, handle) }
}

pub unsafe fn isendrecv_replace<N: Count>(
    rank: &Rank,
    buf: *mut c_void,
    count: N,
    datatype: MPI_Datatype,
    dest: c_int,
    sendtag: c_int,
    source: c_int,
    recvtag: c_int,
    comm: MPI_Comm,
    request: *mut MPI_Request,
) -> Result<()> {
    check("request", request)?;
    let to = Destination::check(rank, dest, sendtag, comm)?;
    let from = Source::check(rank, source, recvtag, comm)?;
    // SAFETY: the caller's.
    let buf = unsafe { rank.buf(buf, count, datatype) }?;
    let send = send_copy(&rank.process, buf, &to)?;
    let receive = start_receive(&rank.process, buf, &from)?;
    let handle = both(&rank.process, to.comm.handle, send, receive)?;
    // SAFETY: the caller's.
    unsafe { put_request(request, handle) }
}

/// One request for a send and a receive; its status is the receive's.
fn both(process: &Arc<Process>, comm: Handle, send: Handle, receive: Handle) -> Result<Handle> {
    let task_process = Arc::clone(process);
    process.start_task(comm, async move {
        let received = Pending::new(&task_process, receive).await;
        Pending::new(&task_process, send).await?;
        received
    })
}

pub unsafe fn probe(rank: &Rank, source: c_int, tag: c_int, comm: MPI_Comm, status: *mut MPI_Status) -> Result<()> {
    let from = Source::check(rank, source, tag, comm)?;
    let mut found = Status::PROC_NULL;
    if let Some(source) = from.rank {
        let from = from.from(source);
        rank.process.wait_until(|| from.waiting(), || rank.process.peek(&from).is_some_and(|status| {
            found = status;
            true
        }));
    }
    // SAFETY: the caller's.
    unsafe { store(status, &found) };
    Ok(())
}

pub unsafe fn iprobe(
    rank: &Rank,
    source: c_int,
    tag: c_int,
    comm: MPI_Comm,
    flag: *mut c_int,
    status: *mut MPI_Status,
) -> Result<()> {
    let from = Source::check(rank, source, tag, comm)?;
    let found = match from.rank {
        None => Some(Status::PROC_NULL),
        Some(source) => {
            let from = from.from(source);
            rank.process.peek(&from).or_else(|| {
                rank.process.poll(|| from.waiting());
                rank.process.peek(&from)
            })
        }
    };
    if let Some(found) = &found {
        // SAFETY: the caller's.
        unsafe { store(status, found) };
    }
    // SAFETY: the caller's.
    unsafe { put("flag", flag, found.is_some().into()) }
}

pub unsafe fn mprobe(
    rank: &Rank,
    source: c_int,
    tag: c_int,
    comm: MPI_Comm,
    message: *mut MPI_Message,
    status: *mut MPI_Status,
) -> Result<()> {
    check("message", message)?;
    let from = Source::check(rank, source, tag, comm)?;
    let mut found = None;
    if let Some(source) = from.rank {
        let from = from.from(source);
        rank.process.wait_until(|| from.waiting(), || {
            found = rank.process.extract_message(&from);
            found.is_some()
        });
    }
    // SAFETY: the caller's.
    unsafe { put_message(rank, message, status, from.comm.handle, found) }
}

pub unsafe fn improbe(
    rank: &Rank,
    source: c_int,
    tag: c_int,
    comm: MPI_Comm,
    flag: *mut c_int,
    message: *mut MPI_Message,
    status: *mut MPI_Status,
) -> Result<()> {
    check("message", message)?;
    let from = Source::check(rank, source, tag, comm)?;
    let found = match from.rank {
        None => None,
        Some(source) => {
            let receive = from.from(source);
            let found = rank.process.extract_message(&receive).or_else(|| {
                rank.process.poll(|| receive.waiting());
                rank.process.extract_message(&receive)
            });
            if found.is_none() {
                // SAFETY: the caller's.
                return unsafe { put("flag", flag, 0) };
            }
            found
        }
    };
    // SAFETY: the caller's.
    unsafe {
        put("flag", flag, 1)?;
        put_message(rank, message, status, from.comm.handle, found)
    }
}

/// Stores the handle and status of what a matching probe found; nothing is the message from `MPI_PROC_NULL`.
///
/// # Safety
/// `message` is writable; `status` is writable or ignored.
unsafe fn put_message(
    rank: &Rank,
    message: *mut MPI_Message,
    status: *mut MPI_Status,
    comm: Handle,
    found: Option<mpi_fm::adi::receive::Arrived>,
) -> Result<()> {
    let (handle, told) = match found {
        None => (MPI_Message::NO_PROC, Status::PROC_NULL),
        Some(arrived) => {
            let told = arrived.status();
            let found = FoundMessage { comm, message: arrived };
            (MPI_Message::from_handle(rank.messages.insert(Arc::new(Mutex::new(Some(found))))?), told)
        }
    };
    // SAFETY: the caller's.
    unsafe {
        store(status, &told);
        put("message", message, handle)
    }
}

/// Starts the receive of a message that a probe found, and makes its handle null.
///
/// # Safety
/// `message` is null or points to a handle; the buffer is as for [`Buf::new`].
unsafe fn receive_found(rank: &Rank, buf: Buf<'_>, message: *mut MPI_Message) -> Result<Handle> {
    // SAFETY: the caller's.
    let handle = unsafe { crate::args::get("message", message) }?;
    let request = match handle {
        MPI_Message::NULL => bail!(REQUEST, "the message is MPI_MESSAGE_NULL"),
        MPI_Message::NO_PROC => rank.process.completed(PROC_NULL, mpi_fm::comm::SELF)?,
        _ => {
            let found = rank.messages.remove(handle.handle())?.lock().take();
            let Some(FoundMessage { comm, message }) = found else {
                bail!(REQUEST, "the message has been received already");
            };
            rank.process.imrecv(buf, comm, message)?
        }
    };
    // SAFETY: the caller's.
    unsafe { put("message", message, MPI_Message::NULL) }?;
    Ok(request)
}

pub unsafe fn mrecv<N: Count>(
    rank: &Rank,
    buf: *mut c_void,
    count: N,
    datatype: MPI_Datatype,
    message: *mut MPI_Message,
    status: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    unsafe {
        let buf = rank.buf(buf, count, datatype)?;
        let request = receive_found(rank, buf, message)?;
        conclude(rank.process.wait(request)?, status)
    }
}

pub unsafe fn imrecv<N: Count>(
    rank: &Rank,
    buf: *mut c_void,
    count: N,
    datatype: MPI_Datatype,
    message: *mut MPI_Message,
    request: *mut MPI_Request,
) -> Result<()> {
    check("request", request)?;
    // SAFETY: the caller's.
    unsafe {
        let buf = rank.buf(buf, count, datatype)?;
        put_request(request, receive_found(rank, buf, message)?)
    }
}

/// What a persistent operation keeps of the user's buffer between its rounds.
struct UserMessage {
    addr: *mut u8,
    count: usize,
    ty: Arc<mpi_fm::Datatype>,
}

// SAFETY: an address that the user keeps valid for every round, from whichever thread starts it.
unsafe impl Send for UserMessage {}

impl UserMessage {
    fn of(buf: &Buf<'_>) -> UserMessage {
        UserMessage { addr: buf.addr(), count: buf.count(), ty: Arc::clone(buf.ty()) }
    }

    fn buf(&self) -> Buf<'_> {
        // SAFETY: the user's promise for the whole life of the persistent request (MPI 5.0 section 3.9).
        unsafe { Buf::new(self.addr, self.count, &self.ty) }
    }
}

/// A persistent request that is not active.
pub fn persistent(
    process: &Process,
    comm: Handle,
    start: impl Fn(&Process) -> mpi_fm::Result<Handle> + Send + 'static,
) -> Result<Handle> {
    let state = State::Persistent(Box::new(Persistent { start: Box::new(start), active: NULL }));
    process.requests.start(state, Memory::EMPTY, comm)
}

/// Stores the handle of a new request.
///
/// # Safety
/// `to` is writable: the caller has checked it before the operation started.
#[inline]
pub unsafe fn put_request(to: *mut MPI_Request, handle: Handle) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("request", to, MPI_Request::from_handle(handle)) }
}
