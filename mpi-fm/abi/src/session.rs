//! Sessions, and what is made from groups alone (MPI 5.0 sections 11.3, 7.4.2, 7.6.2).

use crate::args::{check, get, length, put, text};
use crate::error;
use crate::init::{self, THREAD_FUNNELED, THREAD_MULTIPLE, THREAD_SERIALIZED, THREAD_SINGLE};
use crate::instance::{Instance, current};
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Comm, MPI_Errhandler, MPI_Group, MPI_Info, MPI_Session};
use fm::Threading;
use mpi_fm::comm::Comm;
use mpi_fm::comm::from_group::RemoteSide;
use mpi_fm::constants::MAX_STRINGTAG_LEN;
use mpi_fm::errhandler::Errhandler;
use mpi_fm::handle::Kind;
use mpi_fm::info::Info;
use mpi_fm::session::ProcessSet;
use mpi_fm::{Group, Result, Session, bail};
use std::ffi::{c_char, c_int};
use std::sync::Arc;

/// Values of the info key `thread_level` (MPI 5.0 section 11.3.1).
const LEVELS: [(&str, c_int); 4] = [
    ("MPI_THREAD_SINGLE", THREAD_SINGLE),
    ("MPI_THREAD_FUNNELED", THREAD_FUNNELED),
    ("MPI_THREAD_SERIALIZED", THREAD_SERIALIZED),
    ("MPI_THREAD_MULTIPLE", THREAD_MULTIPLE),
];

/// # Errors
/// `MPI_ERR_SESSION`
pub fn find(instance: &Instance, session: MPI_Session) -> Result<&Arc<Session>> {
    match session {
        MPI_Session::NULL => bail!(SESSION, "the session is MPI_SESSION_NULL"),
        _ => instance.sessions.get(session.handle()),
    }
}

pub unsafe fn init(
    instance: &Instance,
    info: MPI_Info,
    errhandler: MPI_Errhandler,
    session: *mut MPI_Session,
) -> Result<()> {
    let errhandler = error::find(instance, errhandler, Kind::Session)?;
    let opened = check("session", session).and_then(|()| open(instance, info, errhandler));
    // SAFETY: the caller's.
    unsafe { put("session", session, opened.map_err(|error| error.to(errhandler))?) }
}

fn open(instance: &Instance, info: MPI_Info, errhandler: Errhandler) -> Result<MPI_Session> {
    let wanted = wanted_level(instance.infos.hints(info)?)?;
    // Other sessions may come and want more than the first one: a rank that begins with a session is made for threads.
    let rank = init::join(instance, Threading::Multiple)?;
    let most = init::most(rank);
    let level = wanted.map_or(most, |wanted| wanted.min(most));
    let told = Info::new();
    let provided = LEVELS.iter().find(|(_, number)| *number == level).map_or(LEVELS[0].0, |(name, _)| name);
    let made = told
        .set(b"thread_level", provided.as_bytes())
        .and_then(|()| instance.sessions.insert(Arc::new(Session::new(errhandler, told))));
    made.map(MPI_Session::from_handle).inspect_err(|_| init::leave(instance))
}

/// `None`: a session that asks for nothing is told what there is, which is all that its program has been granted elsewhere.
fn wanted_level(info: Option<&Arc<Info>>) -> Result<Option<c_int>> {
    let Some(wanted) = info.map_or(Ok(None), |info| info.get(b"thread_level"))? else { return Ok(None) };
    match LEVELS.iter().find(|(name, _)| name.as_bytes() == &*wanted) {
        Some((_, level)) => Ok(Some(*level)),
        None => bail!(INFO_VALUE, "\"{}\" is no thread_level: use MPI_THREAD_MULTIPLE or another level's name", wanted.escape_ascii()),
    }
}

/// Objects made from the session are the program's to free; with those gone it waits for nobody but what the session itself has accepted.
pub unsafe fn finalize(instance: &Instance, session: *mut MPI_Session) -> Result<()> {
    // SAFETY: the caller's.
    let handle = unsafe { get("session", session) }?;
    let found = find(instance, handle)?;
    if let Some(rank) = instance.rank() {
        found.buffer.flush(&rank.process);
    }
    instance.sessions.remove(handle.handle())?;
    init::leave(instance);
    // SAFETY: the caller's.
    unsafe { put("session", session, MPI_Session::NULL) }
}

pub unsafe fn get_info(instance: &Instance, session: MPI_Session, info_used: *mut MPI_Info) -> Result<()> {
    check("info_used", info_used)?;
    let info = find(instance, session)?.attached.info().duplicate();
    // SAFETY: the caller's.
    unsafe { put("info_used", info_used, instance.infos.add(info)?) }
}

pub unsafe fn get_num_psets(
    instance: &Instance,
    session: MPI_Session,
    info: MPI_Info,
    npset_names: *mut c_int,
) -> Result<()> {
    find(instance, session)?;
    instance.infos.hints(info)?;
    // SAFETY: the caller's.
    unsafe { put("npset_names", npset_names, ProcessSet::ALL.len() as c_int) }
}

/// `pset_len` counts the NUL; on return it says what the whole name needs. With 0 only that is asked for.
pub unsafe fn get_nth_pset(
    instance: &Instance,
    session: MPI_Session,
    info: MPI_Info,
    n: c_int,
    pset_len: *mut c_int,
    pset_name: *mut c_char,
) -> Result<()> {
    find(instance, session)?;
    instance.infos.hints(info)?;
    let Some(set) = usize::try_from(n).ok().and_then(|n| ProcessSet::ALL.get(n)) else {
        bail!(ARG, "there is no process set number {n}: there are {}, counted from 0", ProcessSet::ALL.len());
    };
    // SAFETY: the caller's: `*pset_len` bytes at `pset_name`.
    unsafe {
        let room = length("*pset_len", get("pset_len", pset_len)?)?;
        if room > 0 {
            crate::args::put_text("pset_name", pset_name, set.name().as_bytes(), room)?;
        }
        put("pset_len", pset_len, set.name().len() as c_int + 1)
    }
}

pub unsafe fn get_pset_info(
    instance: &Instance,
    session: MPI_Session,
    pset_name: *const c_char,
    info: *mut MPI_Info,
) -> Result<()> {
    check("info", info)?;
    find(instance, session)?;
    // SAFETY: the caller's.
    let name = unsafe { text("pset_name", pset_name) }?;
    let (Some(set), Some(rank)) = (ProcessSet::named(name), instance.rank()) else {
        bail!(ARG, "there is no process set \"{}\"", name.escape_ascii());
    };
    // SAFETY: the caller's.
    unsafe { put("info", info, instance.infos.add(set.info(&rank.process)?)?) }
}

/// A name that no process set has gives `MPI_GROUP_NULL` (MPI 5.0 section 7.3.2), and an error as in other MPIs, which their programs
/// expect.
pub unsafe fn group_from_pset(
    rank: &Rank,
    session: MPI_Session,
    pset_name: *const c_char,
    newgroup: *mut MPI_Group,
) -> Result<()> {
    check("newgroup", newgroup)?;
    let session = find(current(), session)?;
    // SAFETY: the caller's.
    let name = unsafe { text("pset_name", pset_name) }?;
    let Some(set) = ProcessSet::named(name) else {
        // SAFETY: the caller's.
        unsafe { put("newgroup", newgroup, MPI_Group::NULL) }?;
        bail!(ARG, "there is no process set \"{}\"", name.escape_ascii());
    };
    let group = rank.group_handle(set.group(&rank.process, session))?;
    // SAFETY: the caller's.
    unsafe { put("newgroup", newgroup, group) }
}

/// What tells one call from others under way among the same processes.
///
/// # Safety
/// As [`text`].
unsafe fn string_tag<'a>(stringtag: *const c_char) -> Result<&'a [u8]> {
    // SAFETY: the caller's.
    let tag = unsafe { text("stringtag", stringtag) }?;
    if tag.len() >= MAX_STRINGTAG_LEN {
        bail!(ARG, "the string tag has {} characters; MPI_MAX_STRINGTAG_LEN allows {}", tag.len(), MAX_STRINGTAG_LEN - 1);
    }
    Ok(tag)
}

/// Makes a communicator by `make`; errors are for the error handler that it was to have.
///
/// # Safety
/// As [`put`].
unsafe fn create(
    newcomm: *mut MPI_Comm,
    info: MPI_Info,
    errhandler: MPI_Errhandler,
    make: impl FnOnce(Errhandler) -> Result<Option<Arc<Comm>>>,
) -> Result<()> {
    let instance = current();
    let errhandler = error::find(instance, errhandler, Kind::Comm)?;
    let made = check("newcomm", newcomm).and_then(|()| {
        let hints = instance.infos.hints(info)?;
        let made = make(errhandler)?;
        if let (Some(comm), Some(hints)) = (&made, hints) {
            comm.attached.set_info(Arc::new(hints.duplicate()));
        }
        Ok(made.map_or(MPI_Comm::NULL, |comm| MPI_Comm::from_handle(comm.handle)))
    });
    // SAFETY: the caller's.
    unsafe { put("newcomm", newcomm, made.map_err(|error| error.to(errhandler))?) }
}

pub unsafe fn comm_create_from_group(
    rank: &Rank,
    group: MPI_Group,
    stringtag: *const c_char,
    info: MPI_Info,
    errhandler: MPI_Errhandler,
    newcomm: *mut MPI_Comm,
) -> Result<()> {
    let make = |errhandler| {
        let group = rank.group(group)?;
        // SAFETY: the caller's.
        rank.process.create_from_group(group, unsafe { string_tag(stringtag) }?, errhandler)
    };
    // SAFETY: the caller's.
    unsafe { create(newcomm, info, errhandler, make) }
}

pub unsafe fn intercomm_create_from_groups(
    rank: &Rank,
    local_group: MPI_Group,
    local_leader: c_int,
    remote_group: MPI_Group,
    remote_leader: c_int,
    stringtag: *const c_char,
    info: MPI_Info,
    errhandler: MPI_Errhandler,
    newintercomm: *mut MPI_Comm,
) -> Result<()> {
    let make = |errhandler| {
        let local = rank.group(local_group)?;
        // SAFETY: the caller's.
        let stringtag = unsafe { string_tag(stringtag) }?;
        let leader = member("local", local, local_leader)?;
        let remote = if local.rank_of(rank.process.me()) == Some(leader) {
            let group = &**rank.group(remote_group)?;
            Some(RemoteSide { group, leader: member("remote", group, remote_leader)? })
        } else {
            None
        };
        rank.process.create_intercomm_from_groups(local, leader, remote, stringtag, errhandler).map(Some)
    };
    // SAFETY: the caller's.
    unsafe { create(newintercomm, info, errhandler, make) }
}

fn member(side: &str, group: &Group, leader: c_int) -> Result<usize> {
    match usize::try_from(leader).ok().filter(|leader| *leader < group.size()) {
        Some(leader) => Ok(leader),
        None => bail!(RANK, "the {side} leader {leader} is not in the {side} group, which has {} processes", group.size()),
    }
}
