//! Putting a rank together: what the launcher said, devices, engine.

use crate::alone::{Nobody, Threads};
use crate::failure::{Result, fail};
use crate::host::Machine;
use crate::line::Line;
use crate::rank::{Rank, Thread};
use fm::{Fm, Peer, Threading};
use hpvm_wire::{StartUp, foreign};
use mpi_fm::Process;
use mpi_fm::attr::Predefined;
use mpi_fm::config::Config;
use std::sync::Arc;

/// Makes this process a rank: one of a job if `hpvmrun` started it, else the only one.
///
/// # Errors
/// `MPI_ERR_OTHER` when the launcher's environment cannot be used, or is that of another MPI's launcher.
pub fn start(thread: Thread) -> Result<Rank> {
    match StartUp::from_environment() {
        Ok(Some(_)) => fail!(OTHER, "jobs of several processes need a device"),
        Ok(None) => match foreign::detect() {
            Some(text) => fail!(OTHER, "{text}"),
            None => Ok(singleton(thread)),
        },
        Err(error) => fail!(OTHER, "{error}"),
    }
}

/// `MPI_TAG_UB`: tags travel in 32 bits, of which MPI uses the positive half.
const TAG_UB: i32 = i32::MAX;

/// A process alone: it maps no shared memory.
pub fn singleton(thread: Thread) -> Rank {
    let threading = threading(&thread);
    let line = Arc::new(Line::own());
    let fm = Fm::new(Peer(0), 1, vec![Arc::new(Nobody)], |_| 0, threading, false);
    let host = Machine::new(Arc::clone(&line), None);
    let process = Process::new(fm, Arc::new(Threads::default()), Box::new(host), Config::default());
    Rank::new(process, line, thread, Predefined::new(TAG_UB, true, None, None))
}

fn threading(thread: &Thread) -> Threading {
    if thread.level >= crate::init::THREAD_MULTIPLE { Threading::Multiple } else { Threading::Single }
}
