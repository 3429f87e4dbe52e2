//! Partitioned communication (MPI 5.0 chapter 4).

use crate::args::{array, check, length, put};
use crate::count::Count;
use crate::instance::current;
use crate::p2p::put_request;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Comm, MPI_Datatype, MPI_Info, MPI_Request};
use mpi_fm::constants::{ANY_SOURCE, ANY_TAG};
use mpi_fm::handle::Handle;
use mpi_fm::part::Partner;
use mpi_fm::{Buf, Class, Error, Process, Result, bail};
use std::ffi::{c_int, c_void};

/// How both kinds of requests are made in the engine.
type Make = fn(&Process, Buf<'_>, usize, Partner<'_>) -> Result<Handle>;

/// The other side. There are no wildcards here.
fn partner(rank: &Rank, partner: c_int, tag: c_int, comm: MPI_Comm) -> Result<Partner<'_>> {
    let comm = rank.comm(comm)?;
    if partner == ANY_SOURCE {
        bail!(RANK, "the source is MPI_ANY_SOURCE, but partitioned communication has no wildcards");
    }
    match tag {
        0.. => Ok(Partner { comm, rank: comm.destination(partner)?, tag }),
        ANY_TAG => bail!(TAG, "the tag is MPI_ANY_TAG, but partitioned communication has no wildcards"),
        _ => bail!(TAG, "the tag is {tag}: tags are 0 to MPI_TAG_UB, which is {}", c_int::MAX),
    }
}

/// # Safety
/// As for [`Buf::new`], for as long as the request lives; `request` is null or writable.
unsafe fn init<N: Count>(
    rank: &Rank,
    (buf, partitions, count, datatype): (*const c_void, c_int, N, MPI_Datatype),
    partner: Partner<'_>,
    info: MPI_Info,
    request: *mut MPI_Request,
    make: Make,
) -> Result<()> {
    check("request", request)?;
    current().infos.hints(info)?;
    let partitions = length("partitions", partitions)?;
    let each = count.get();
    let Some(all) = each.checked_mul(partitions as i64) else {
        return Err(Error::new(Class::COUNT, format!("{partitions} partitions of {each} items are more than can be counted")));
    };
    // SAFETY: the caller's.
    unsafe {
        let buf = rank.buf(buf, all, datatype)?;
        put_request(request, make(&rank.process, buf, partitions, partner)?)
    }
}

pub unsafe fn send_init<N: Count>(
    rank: &Rank,
    buf: *const c_void,
    partitions: c_int,
    count: N,
    datatype: MPI_Datatype,
    dest: c_int,
    tag: c_int,
    comm: MPI_Comm,
    info: MPI_Info,
    request: *mut MPI_Request,
) -> Result<()> {
    let to = partner(rank, dest, tag, comm)?;
    // SAFETY: the caller's.
    unsafe { init(rank, (buf, partitions, count, datatype), to, info, request, Process::partitioned_send) }
}

pub unsafe fn receive_init<N: Count>(
    rank: &Rank,
    buf: *mut c_void,
    partitions: c_int,
    count: N,
    datatype: MPI_Datatype,
    source: c_int,
    tag: c_int,
    comm: MPI_Comm,
    info: MPI_Info,
    request: *mut MPI_Request,
) -> Result<()> {
    let from = partner(rank, source, tag, comm)?;
    // SAFETY: the caller's.
    unsafe { init(rank, (buf, partitions, count, datatype), from, info, request, Process::partitioned_receive) }
}

fn live(request: MPI_Request) -> Result<Handle> {
    match request {
        MPI_Request::NULL => bail!(REQUEST, "the request is MPI_REQUEST_NULL"),
        _ => Ok(request.handle()),
    }
}

pub unsafe fn ready(rank: &Rank, partition: c_int, request: MPI_Request) -> Result<()> {
    rank.process.make_ready(live(request)?, std::iter::once(partition))
}

/// Both ends belong to the range; one that ends before it begins is empty.
pub unsafe fn ready_range(rank: &Rank, low: c_int, high: c_int, request: MPI_Request) -> Result<()> {
    rank.process.make_ready(live(request)?, low..=high)
}

pub unsafe fn ready_list(rank: &Rank, count: c_int, partitions: *const c_int, request: MPI_Request) -> Result<()> {
    // SAFETY: the caller's.
    let partitions = unsafe { array("array_of_partitions", partitions, length("length", count)?) }?;
    rank.process.make_ready(live(request)?, partitions.iter().copied())
}

/// A null request has nothing left to come, as an inactive one (MPI 5.0 section 4.2.2).
pub unsafe fn arrived(rank: &Rank, request: MPI_Request, partition: c_int, flag: *mut c_int) -> Result<()> {
    let arrived = request == MPI_Request::NULL || rank.process.has_arrived(request.handle(), partition)?;
    // SAFETY: the caller's.
    unsafe { put("flag", flag, arrived.into()) }
}
