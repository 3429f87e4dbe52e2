//! A rank that exits without `MPI_Finalize`.
//!
//! `hpvmrun` sees it, ends the job and says why. Under other launchers such a job may end with status 0, or hang, so the library says it itself: last
//! of all when a process exits, after the program's own `atexit` functions and destructors, one of which may call `MPI_Finalize`. A program
//! that leaves by a signal or `_exit` is the launcher's business.

use crate::failure::who;
use crate::instance::current;

extern "C" fn at_exit() {
    let instance = current();
    if instance.is_forked() {
        return;
    }
    let Some(rank) = instance.rank() else { return };
    let Some(manager) = rank.line().manager() else { return };
    let call = rank.last_call().unwrap_or("MPI_Init");
    eprintln!("hpvm: {}: it exits after MPI_Init and without MPI_Finalize; its last MPI call was {call}. The job is ended", who(instance));
    manager.abort(1);
    // SAFETY: no condition. A status of 0 must not hide what has happened.
    unsafe { libc::_exit(1) }
}

/// Called by the system when the library is finalised.
#[used]
#[unsafe(link_section = ".fini_array")]
static AT_EXIT: extern "C" fn() = at_exit;
