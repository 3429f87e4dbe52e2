//! Putting a rank together: what the launcher said, devices ([`reach`](crate::reach)), engine.

use crate::alone::{Nobody, Threads};
use crate::foreign::{self as others, Manager, World, meeting};
use crate::host::Machine;
use crate::line::Line;
use crate::rank::Rank;
use crate::reach::{Means, Reach};
use crate::tuning;
use fm::{Fm, Peer, Threading};
use hpvm_wire::startup::Place;
use hpvm_wire::{Bell, Board, Claim, StartUp, foreign};
use mpi_fm::attr::Predefined;
use mpi_fm::config::Config;
use mpi_fm::{Process, Result, bail};
use std::sync::Arc;

/// `MPI_TAG_UB`: a tag travels in 32 bits, of which MPI uses the positive half.
const TAG_UB: i32 = i32::MAX;

/// Makes this process a rank: one of a job if `hpvmrun` or another launcher that the library speaks with started it, else the only one.
///
/// # Errors
/// `MPI_ERR_OTHER` when the launcher's environment cannot be used, or is that of a launcher that the library does not speak with.
pub fn start(threading: Threading, config: Config) -> Result<Rank> {
    match StartUp::from_environment() {
        Ok(Some(startup)) => of_job(&startup, threading, config),
        Ok(None) => match others::find()? {
            Some(manager) => under(manager, threading, config),
            None => match foreign::detect() {
                Some(text) => bail!(OTHER, "{text}"),
                None => Ok(singleton(threading, config)),
            },
        },
        Err(error) => bail!(OTHER, "{error}"),
    }
}

/// Rank `startup.place.rank` of a job of `hpvmrun`.
fn of_job(startup: &StartUp, threading: Threading, config: Config) -> Result<Rank> {
    let Place { rank, size, appnum, universe_size, node, .. } = startup.place;
    let line = match claim(startup)? {
        Ok(line) => Arc::new(line),
        Err(pid) => {
            eprintln!(
                "hpvm: process {}: rank {rank} is process {pid} already; this program, started by it or after it, runs alone",
                std::process::id()
            );
            return Ok(singleton(threading, config));
        }
    };
    tuning::check()?;
    others::pmi::hide();
    let bell = startup.event.open(startup.launcher_pid);
    let bell = Bell::from_descriptor(bell.or_else(|error| bail!(OTHER, "no event descriptor from hpvmrun: {error}"))?);
    let host = Arc::new(Machine::new(Arc::clone(&line), Some(bell), node));
    let attributes = Predefined::new(TAG_UB, true, Some(appnum as i32), Some(universe_size as i32));
    if size == 1 {
        return Ok(alone(line, host, threading, config, attributes));
    }
    joined(startup, line, host, threading, config, attributes)
}

/// A rank that another MPI's launcher has started.
fn under(manager: Box<dyn Manager>, threading: Threading, config: Config) -> Result<Rank> {
    let World { size, appnum, universe_size, .. } = manager.world();
    let attributes = Predefined::new(TAG_UB, true, appnum, universe_size);
    let met = (size > 1).then(|| meeting::meet(&*manager)).transpose()?;
    let line = Arc::new(Line::under(manager));
    let node = met.as_ref().map_or(0, |met| met.place.node);
    let host = Arc::new(Machine::new(Arc::clone(&line), None, node));
    match met {
        Some(met) => joined(&met, line, host, threading, config, attributes),
        None => Ok(alone(line, host, threading, config, attributes)),
    }
}

/// A process with peers.
fn joined(
    means: &dyn Means,
    line: Arc<Line>,
    host: Arc<Machine>,
    threading: Threading,
    config: Config,
    attributes: Predefined,
) -> Result<Rank> {
    let Place { rank, size, .. } = means.place();
    let Reach { devices, route, park } = Reach::of(means, threading, &host)?;
    let route = |peer: Peer| usize::from(route[peer.index()]);
    let fm = Fm::new(Peer(rank), size, devices, route, threading, crate::trace::wanted());
    host.initialised();
    let process = Process::new(fm, park, host, config);
    Ok(Rank::new(process, line, attributes))
}

/// Takes this rank's line of the status board. `Ok(Err(pid))`: that process has it.
fn claim(startup: &StartUp) -> Result<std::result::Result<Line, u32>> {
    let mapped = startup.status.open(startup.launcher_pid).and_then(|file| Board::map(file, startup.place.size));
    let board = mapped.or_else(|error| bail!(OTHER, "no status board from hpvmrun: {error}"))?;
    let rank = startup.place.rank as usize;
    Ok(match board[rank].claim(std::process::id()) {
        Claim::Ours => Ok(Line::of_board(board, rank)),
        Claim::Taken { pid } => Err(pid),
    })
}

/// A process that nobody launched: it maps no shared memory.
pub fn singleton(threading: Threading, config: Config) -> Rank {
    let line = Arc::new(Line::own());
    let host = Arc::new(Machine::new(Arc::clone(&line), None, 0));
    alone(line, host, threading, config, Predefined::new(TAG_UB, true, None, None))
}

/// A process without peers.
fn alone(line: Arc<Line>, host: Arc<Machine>, threading: Threading, config: Config, attributes: Predefined) -> Rank {
    let fm = Fm::new(Peer(0), 1, vec![Arc::new(Nobody)], |_| 0, threading, crate::trace::wanted());
    host.initialised();
    let process = Process::new(fm, Arc::new(Threads::default()), host, config);
    Rank::new(process, line, attributes)
}
