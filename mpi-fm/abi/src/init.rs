//! Initialisation and finalisation (MPI 5.0 sections 11.2, 11.4, 11.6).

use crate::args::put;
use crate::failure::{die, who};
use crate::instance::{Instance, Phase, current};
use crate::rank::{Rank, Thread};
use crate::{leaks, trace};
use crate::types::MPI_Comm;
use fm::Threading;
use mpi_fm::attr::Object;
use mpi_fm::{Result, bail};
use std::ffi::{c_char, c_int};

pub const THREAD_SINGLE: c_int = 0;
pub const THREAD_FUNNELED: c_int = 1024;
pub const THREAD_SERIALIZED: c_int = 2048;
pub const THREAD_MULTIPLE: c_int = 4096;

pub unsafe fn init(instance: &Instance, _argc: *mut c_int, _argv: *mut *mut *mut c_char) -> Result<()> {
    initialize(instance, THREAD_SINGLE).map(drop)
}

pub unsafe fn init_thread(
    instance: &Instance,
    _argc: *mut c_int,
    _argv: *mut *mut *mut c_char,
    required: c_int,
    provided: *mut c_int,
) -> Result<()> {
    let level = initialize(instance, required)?;
    // SAFETY: the caller's.
    unsafe { put("provided", provided, level) }
}

fn initialize(instance: &Instance, required: c_int) -> Result<c_int> {
    match instance.phase() {
        _ if instance.is_forked() => bail!(OTHER, "called in a child process that a rank forked, which is no part of the job"),
        Phase::Before => (),
        Phase::Running => bail!(OTHER, "MPI is initialised already"),
        Phase::Finalized => bail!(OTHER, "MPI cannot be initialised again after MPI_Finalize"),
    }
    let level = level(required);
    let rank = join(instance, if level == THREAD_MULTIPLE { Threading::Multiple } else { Threading::Single })?;
    let level = level.min(most(rank));
    // SAFETY: no condition.
    let main = unsafe { libc::pthread_self() };
    instance.world_begins(rank, Thread { level, main });
    Ok(level)
}

/// The thread level that is meant: a number between two asks for the next one up, whatever a program takes it from.
pub fn level(required: c_int) -> c_int {
    let levels = [THREAD_SINGLE, THREAD_FUNNELED, THREAD_SERIALIZED, THREAD_MULTIPLE];
    levels.into_iter().find(|level| required <= *level).unwrap_or(THREAD_MULTIPLE)
}

/// Becomes a user of the rank.
pub fn join(instance: &Instance, threading: Threading) -> Result<&Rank> {
    let joined = instance.join(threading)?;
    if joined.made {
        report_panics();
        watch_forks();
    }
    Ok(joined.rank)
}

/// The highest thread level that the rank was made for.
pub fn most(rank: &Rank) -> c_int {
    if rank.process.threading() == Threading::Multiple { THREAD_MULTIPLE } else { THREAD_SERIALIZED }
}

/// Is a user of the rank no more.
pub fn leave(instance: &Instance) {
    instance.leave(|rank| {
        rank.process.close();
        trace::report(instance, rank);
        leaks::report(instance, rank);
        rank.line().finalised();
        if let Some(manager) = rank.line().manager() {
            manager.finalize();
        }
    });
}

/// Attributes of `MPI_COMM_SELF` go first, while MPI still works for their callbacks (MPI 5.0 section 11.2.3); then everything that
/// was accepted leaves.
pub unsafe fn finalize(rank: &Rank) -> Result<()> {
    let instance = current();
    if !rank.in_world() {
        bail!(OTHER, "there is no MPI_Init to end; a session ends with MPI_Session_finalize");
    }
    let own = rank.own();
    own.attached.attributes.clear(Object(own.handle as usize))?;
    rank.process.finalize()?;
    instance.world_ends(rank);
    leave(instance);
    leaks::report_sessions(instance);
    Ok(())
}

pub unsafe fn initialized(instance: &Instance, flag: *mut c_int) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("flag", flag, (instance.phase() != Phase::Before).into()) }
}

pub unsafe fn finalized(instance: &Instance, flag: *mut c_int) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("flag", flag, (instance.phase() == Phase::Finalized).into()) }
}

/// All ranks of the job end, whatever the communicator (MPI 5.0 section 9.6).
pub unsafe fn abort(rank: &Rank, _comm: MPI_Comm, errorcode: c_int) -> Result<()> {
    eprintln!("hpvm: {}: MPI_Abort with error code {errorcode}", who(current()));
    rank.process.host.abort(errorcode)
}

/// How MPI was initialised; with sessions alone there is no answer (MPI 5.0 section 11.2.1).
fn thread(rank: &Rank) -> Result<&'static Thread> {
    match current().thread() {
        Some(thread) if rank.in_world() => Ok(thread),
        _ => bail!(OTHER, "MPI_Init was not called; MPI_Session_get_info tells a session's thread level"),
    }
}

pub unsafe fn query_thread(rank: &Rank, provided: *mut c_int) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { put("provided", provided, thread(rank)?.level) }
}

pub unsafe fn is_thread_main(rank: &Rank, flag: *mut c_int) -> Result<()> {
    let main = thread(rank)?.main;
    // SAFETY: no condition; both are threads of this process.
    let main = unsafe { libc::pthread_equal(libc::pthread_self(), main) } != 0;
    // SAFETY: the caller's.
    unsafe { put("flag", flag, main.into()) }
}

/// A panic in the library is a bug, and the process ends. This says where in the job, and in which call.
fn report_panics() {
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if let Some(words) = last_words(current()) {
            eprintln!("{words}");
        }
        before(panic);
    }));
}

fn last_words(instance: &Instance) -> Option<String> {
    let call = instance.rank()?.last_call()?;
    Some(format!("hpvm: {}: panic, the last MPI call was {call}", who(instance)))
}

/// A child that the program forks has the rank's memory and descriptors, but must not speak for the rank.
fn watch_forks() {
    extern "C" fn in_child() {
        current().forked();
    }
    // SAFETY: `in_child` touches a few atomics only, and the library is never unloaded.
    let failed = unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    if failed != 0 {
        die(current(), "MPI_Init", "pthread_atfork failed: out of memory", 1);
    }
}

/// The World Model of a process without a launcher, for tests.
#[cfg(test)]
pub fn init_alone(instance: &Instance) {
    // SAFETY: no condition.
    let main = unsafe { libc::pthread_self() };
    let joined = instance.join(Threading::Single).expect("a process alone starts");
    instance.world_begins(joined.rank, Thread { level: THREAD_SINGLE, main });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enter::Call;
    use crate::start::singleton;

    fn alone() -> Instance {
        Instance::started_by(Box::new(|threading, config| Ok(singleton(threading, config))))
    }

    #[test]
    fn a_panic_names_rank_and_call() {
        let instance = alone();
        assert_eq!(last_words(&instance), None);
        init_alone(&instance);
        assert_eq!(last_words(&instance), None, "no call yet");
        instance.rank().unwrap().note(Call::named("MPI_Bcast"));
        let words = last_words(&instance).unwrap();
        assert!(words.contains("rank 0 of 1 (pid ") && words.ends_with("the last MPI call was MPI_Bcast"), "{words}");
    }

    #[test]
    fn a_process_goes_through_its_phases_once() {
        let instance = alone();
        assert_eq!(instance.phase(), Phase::Before);
        instance.forked();
        assert!(!instance.is_forked(), "a child of a process that is no rank may become one");
        init_alone(&instance);
        assert!(initialize(&instance, THREAD_SINGLE).unwrap_err().text.contains("initialised already"));
        instance.world_ends(instance.rank().unwrap());
        leave(&instance);
        assert!(instance.rank().is_none());
        assert!(initialize(&instance, THREAD_SINGLE).unwrap_err().text.contains("after MPI_Finalize"));
        instance.forked();
        assert!(instance.is_forked());
        assert!(instance.join(Threading::Single).is_err(), "a child of a rank is no part of the job");
    }

    #[test]
    fn the_rank_stays_as_long_as_somebody_uses_it() {
        let instance = alone();
        let first = &raw const *instance.join(Threading::Multiple).unwrap().rank;
        init_alone(&instance);
        let rank = instance.rank().unwrap();
        assert!(rank.in_world() && most(rank) == THREAD_MULTIPLE);
        instance.world_ends(rank);
        leave(&instance);
        assert!(instance.rank().is_some_and(|rank| !rank.in_world()), "a session is open");
        leave(&instance);
        assert!(instance.rank().is_none());
        let again = instance.join(Threading::Single).unwrap();
        assert!(std::ptr::eq(again.rank, first) && !again.made, "the next session goes on with it");
        leave(&instance);
    }
}
