//! Communicators (MPI 5.0 sections 7.4 to 7.6).

use crate::args::{check, get, put};
use crate::attr::object;
use crate::instance::{Instance, current};
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Comm, MPI_Group, MPI_Info, MPI_Request};
use mpi_fm::coll::Operation;
use mpi_fm::comm::{Comm, Remote};
use mpi_fm::constants::UNDEFINED;
use mpi_fm::handle::Handle;
use mpi_fm::info::Info;
use mpi_fm::objects::Attached;
use mpi_fm::{Result, bail};
use std::ffi::c_int;
use std::sync::Arc;

pub unsafe fn size(rank: &Rank, comm: MPI_Comm, size: *mut c_int) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("size", size, rank.comm(comm)?.size() as c_int) }
}

pub unsafe fn rank(rank: &Rank, comm: MPI_Comm, to: *mut c_int) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("rank", to, rank.comm(comm)?.rank as c_int) }
}

pub unsafe fn group(rank: &Rank, comm: MPI_Comm, group: *mut MPI_Group) -> Result<()> {
    check("group", group)?;
    let found = Arc::clone(&rank.comm(comm)?.group);
    // SAFETY: the caller's.
    unsafe { put("group", group, rank.group_handle(found)?) }
}

pub unsafe fn test_inter(rank: &Rank, comm: MPI_Comm, flag: *mut c_int) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("flag", flag, rank.comm(comm)?.is_inter().into()) }
}

fn remote(comm: &Comm) -> Result<&Remote> {
    match &comm.remote {
        Some(remote) => Ok(remote),
        None => bail!(COMM, "{} is not an intercommunicator: it has no remote group", comm.describe()),
    }
}

pub unsafe fn remote_size(rank: &Rank, comm: MPI_Comm, size: *mut c_int) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("size", size, remote(rank.comm(comm)?)?.group.size() as c_int) }
}

pub unsafe fn remote_group(rank: &Rank, comm: MPI_Comm, group: *mut MPI_Group) -> Result<()> {
    check("group", group)?;
    let found = Arc::clone(&remote(rank.comm(comm)?)?.group);
    // SAFETY: the caller's.
    unsafe { put("group", group, rank.group_handle(found)?) }
}

/// Stores the handle of a new communicator, the null handle where this process is in none.
///
/// # Safety
/// `to` is writable.
unsafe fn put_comm(to: *mut MPI_Comm, comm: Option<&Comm>) -> Result<()> {
    let handle = comm.map_or(MPI_Comm::NULL, |comm| MPI_Comm::from_handle(comm.handle));
    // SAFETY: the caller's.
    unsafe { put("newcomm", to, handle) }
}

/// Hints are not passed on (since MPI 4.0): what holds for one communicator need not for its duplicate.
pub unsafe fn dup(rank: &Rank, comm: MPI_Comm, newcomm: *mut MPI_Comm) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { dup_with(rank, comm, Info::new(), newcomm) }
}

pub unsafe fn dup_with_info(rank: &Rank, comm: MPI_Comm, info: MPI_Info, newcomm: *mut MPI_Comm) -> Result<()> {
    let hints = hints_of(info)?;
    // SAFETY: the caller's.
    unsafe { dup_with(rank, comm, hints, newcomm) }
}

/// The hints that the program gives for a new communicator.
fn hints_of(info: MPI_Info) -> Result<Info> {
    Ok(current().infos.hints(info)?.map_or_else(Info::new, |info| info.duplicate()))
}

/// # Safety
/// `newcomm` is null or writable.
unsafe fn dup_with(rank: &Rank, comm: MPI_Comm, hints: Info, newcomm: *mut MPI_Comm) -> Result<()> {
    check("newcomm", newcomm)?;
    let old = rank.comm(comm)?;
    let new = rank.process.dup_comm(old)?;
    new.attached.set_info(Arc::new(hints));
    let new_object = object(MPI_Comm::from_handle(new.handle));
    if let Err(error) = old.attached.attributes.copy_to(object(comm), &new.attached.attributes, new_object) {
        rank.process.free_comm(new.handle)?;
        return Err(error);
    }
    // SAFETY: the caller's.
    unsafe { put_comm(newcomm, Some(&new)) }
}

pub unsafe fn idup(rank: &Rank, comm: MPI_Comm, newcomm: *mut MPI_Comm, request: *mut MPI_Request) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { idup_with(rank, comm, Info::new(), newcomm, request) }
}

pub unsafe fn idup_with_info(
    rank: &Rank,
    comm: MPI_Comm,
    info: MPI_Info,
    newcomm: *mut MPI_Comm,
    request: *mut MPI_Request,
) -> Result<()> {
    let hints = hints_of(info)?;
    // SAFETY: the caller's.
    unsafe { idup_with(rank, comm, hints, newcomm, request) }
}

/// The handle is there at once, though it names nothing before the request is complete; attributes are copied now (MPI 5.0
/// section 7.4.2).
///
/// # Safety
/// `newcomm` and `request` are null or writable.
unsafe fn idup_with(
    rank: &Rank,
    comm: MPI_Comm,
    hints: Info,
    newcomm: *mut MPI_Comm,
    request: *mut MPI_Request,
) -> Result<()> {
    check("newcomm", newcomm)?;
    check("request", request)?;
    let old = rank.comm(comm)?;
    let (new, started) = rank.process.idup_comm(old, |handle: Handle| {
        let attached = Attached::new("", old.attached.errhandler());
        attached.set_info(Arc::new(hints));
        let new_object = object(MPI_Comm::from_handle(handle));
        old.attached.attributes.copy_to(object(comm), &attached.attributes, new_object)?;
        Ok(attached)
    })?;
    // SAFETY: the caller's.
    unsafe {
        put("newcomm", newcomm, MPI_Comm::from_handle(new))?;
        put("request", request, MPI_Request::from_handle(started))
    }
}

pub unsafe fn split(rank: &Rank, comm: MPI_Comm, color: c_int, key: c_int, newcomm: *mut MPI_Comm) -> Result<()> {
    check("newcomm", newcomm)?;
    let new = rank.process.split_comm(rank.comm(comm)?, color, key)?;
    // SAFETY: the caller's.
    unsafe { put_comm(newcomm, new.as_deref()) }
}

pub unsafe fn create(rank: &Rank, comm: MPI_Comm, group: MPI_Group, newcomm: *mut MPI_Comm) -> Result<()> {
    check("newcomm", newcomm)?;
    let new = rank.process.create_comm(rank.comm(comm)?, rank.group(group)?)?;
    // SAFETY: the caller's.
    unsafe { put_comm(newcomm, new.as_deref()) }
}

pub unsafe fn create_group(
    rank: &Rank,
    comm: MPI_Comm,
    group: MPI_Group,
    tag: c_int,
    newcomm: *mut MPI_Comm,
) -> Result<()> {
    check("newcomm", newcomm)?;
    let comm = rank.comm(comm)?;
    if comm.is_inter() {
        bail!(COMM, "{} is an intercommunicator; MPI_Comm_create_group takes an intracommunicator", comm.describe());
    }
    if tag < 0 {
        bail!(TAG, "the tag is {tag}: tags are 0 to MPI_TAG_UB, which is {}", c_int::MAX);
    }
    let new = rank.process.create_comm_group(comm, rank.group(group)?, tag)?;
    // SAFETY: the caller's.
    unsafe { put_comm(newcomm, new.as_deref()) }
}

/// `MPI_COMM_TYPE_…`
const TYPE_SHARED: c_int = 221;
const TYPE_HW_UNGUIDED: c_int = 222;
const TYPE_HW_GUIDED: c_int = 223;
const TYPE_RESOURCE_GUIDED: c_int = 224;

/// The resource types that are known for the guided ways to split; both mean processes that can share memory.
const SHARED_MEMORY: [&[u8]; 2] = [b"mpi_shared_memory", b"hwloc://Machine"];

/// Each process of a job runs on one machine only: each type of resource holds it whole (MPI 5.0 section 9.1.2).
pub unsafe fn hw_resource_info(instance: &Instance, hw_info: *mut MPI_Info) -> Result<()> {
    check("hw_info", hw_info)?;
    let info = Info::new();
    for resource in SHARED_MEMORY {
        info.set(resource, b"true")?;
    }
    // SAFETY: the caller's.
    unsafe { put("hw_info", hw_info, instance.infos.add(info)?) }
}

pub unsafe fn split_type(
    rank: &Rank,
    comm: MPI_Comm,
    split_type: c_int,
    key: c_int,
    info: MPI_Info,
    newcomm: *mut MPI_Comm,
) -> Result<()> {
    check("newcomm", newcomm)?;
    let comm = rank.comm(comm)?;
    let info = current().infos.hints(info)?;
    let hint = |name: &[u8]| info.and_then(|info| info.get(name).ok().flatten());
    let shared = match split_type {
        TYPE_SHARED => true,
        // There is no smaller resource that is known; the standard then wants no communicator (MPI 5.0 section 7.4.2).
        TYPE_HW_UNGUIDED | UNDEFINED => false,
        TYPE_HW_GUIDED => hint(b"mpi_hw_resource_type").is_some_and(|wanted| SHARED_MEMORY.contains(&&wanted[..])),
        TYPE_RESOURCE_GUIDED => {
            hint(b"mpi_hw_resource_type").is_some_and(|wanted| SHARED_MEMORY.contains(&&wanted[..]))
                || hint(b"mpi_pset_name").is_some_and(|wanted| &wanted[..] == b"mpi://WORLD")
        }
        _ => bail!(ARG, "{split_type} is no split type: use MPI_COMM_TYPE_SHARED or another MPI_COMM_TYPE_… constant"),
    };
    let colour = shared.then(|| rank.process.host.node());
    let new = rank.process.split_comm_by(comm, Operation::CommSplit, colour, key.into())?;
    // SAFETY: the caller's.
    unsafe { put_comm(newcomm, new.as_deref()) }
}

pub unsafe fn free(rank: &Rank, comm: *mut MPI_Comm) -> Result<()> {
    // SAFETY: the caller's.
    let handle = unsafe { get("comm", comm) }?;
    let found = rank.comm(handle)?;
    if matches!(handle, MPI_Comm::WORLD | MPI_Comm::SELF) {
        bail!(COMM, "{} is predefined and cannot be freed", found.describe());
    }
    // The argument is the address of the communicator, whose own error handler this is about.
    found.attached.attributes.clear(object(handle)).map_err(|error| error.on(handle.handle()))?;
    rank.process.free_comm(handle.handle())?;
    // SAFETY: the caller's.
    unsafe { put("comm", comm, MPI_Comm::NULL) }
}

/// As freeing, but everything pending on the communicator is over when it returns (MPI 5.0 section 11.10.4).
pub unsafe fn disconnect(rank: &Rank, comm: *mut MPI_Comm) -> Result<()> {
    // SAFETY: the caller's.
    let handle = unsafe { get("comm", comm) }?;
    rank.process.settle_pending(rank.comm(handle)?)?;
    // SAFETY: the caller's.
    unsafe { free(rank, comm) }
}

/// No process is spawned yet (MPI 5.0 section 11.8.4: then there is no parent).
pub unsafe fn get_parent(_rank: &Rank, parent: *mut MPI_Comm) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("parent", parent, MPI_Comm::NULL) }
}

pub unsafe fn intercomm_create(
    rank: &Rank,
    local_comm: MPI_Comm,
    local_leader: c_int,
    peer_comm: MPI_Comm,
    remote_leader: c_int,
    tag: c_int,
    newintercomm: *mut MPI_Comm,
) -> Result<()> {
    check("newintercomm", newintercomm)?;
    let local = rank.comm(local_comm)?;
    if local.is_inter() {
        bail!(COMM, "{} is an intercommunicator; the local communicator must not be one", local.describe());
    }
    let Some(leader) = usize::try_from(local_leader).ok().filter(|leader| *leader < local.size()) else {
        bail!(RANK, "the local leader {local_leader} is not in {}, which has {} ranks", local.describe(), local.size());
    };
    if tag < 0 {
        bail!(TAG, "the tag is {tag}: tags are 0 to MPI_TAG_UB, which is {}", c_int::MAX);
    }
    let bridge = if local.rank == leader {
        let peer = rank.comm(peer_comm)?;
        let Some(other) = peer.destination(remote_leader)? else {
            bail!(RANK, "the remote leader is MPI_PROC_NULL");
        };
        Some((&**peer, other))
    } else {
        None
    };
    let new = rank.process.create_intercomm(local, leader, bridge, tag)?;
    // SAFETY: the caller's.
    unsafe { put_comm(newintercomm, Some(&new)) }
}

pub unsafe fn intercomm_merge(rank: &Rank, intercomm: MPI_Comm, high: c_int, newcomm: *mut MPI_Comm) -> Result<()> {
    check("newintracomm", newcomm)?;
    let new = rank.process.merge_intercomm(rank.comm(intercomm)?, high != 0)?;
    // SAFETY: the caller's.
    unsafe { put_comm(newcomm, Some(&new)) }
}
