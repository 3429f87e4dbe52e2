//! A process between initialisation and finalisation.

use crate::enter::Call;
use crate::line::Line;
use crate::types::{CHandle, MPI_Comm, MPI_Datatype, MPI_Group, MPI_Op};
use mpi_fm::attr::Predefined;
use mpi_fm::comm::Comm;
use mpi_fm::adi::receive::Arrived;
use mpi_fm::handle::{Handle, Kind, Table};
use mpi_fm::{Class, Datatype, Error, Group, Op, Process, Result, bail};
use parking_lot::Mutex;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// One rank: the engine's [`Process`], and what the C interface adds.
pub struct Rank {
    pub process: Arc<Process>,
    /// The program's groups.
    pub groups: Table<Group>,
    /// Messages that a matching probe has found, until they are received.
    pub messages: Table<Mutex<Option<FoundMessage>>>,
    pub attributes: Predefined,
    /// The World Model is initialised: `MPI_COMM_WORLD` and `MPI_COMM_SELF` may be used.
    in_world: AtomicBool,
    empty_group: Arc<Group>,
    line: Arc<Line>,
}

/// A message taken out of the queue by a matching probe, and the communicator it came on.
pub struct FoundMessage {
    pub comm: Handle,
    pub message: Arrived,
}

/// How `MPI_Init` was called, as far as threads go (MPI 5.0 section 11.6).
pub struct Thread {
    /// The level provided: an ABI number.
    pub level: i32,
    /// The thread that initialised MPI.
    pub main: libc::pthread_t,
}

impl Rank {
    pub fn new(process: Arc<Process>, line: Arc<Line>, attributes: Predefined) -> Rank {
        Rank {
            process,
            groups: Table::new(Kind::Group),
            messages: Table::new(Kind::Message),
            attributes,
            in_world: AtomicBool::new(false),
            empty_group: Group::empty(),
            line,
        }
    }

    /// Shows `call` in the status line.
    #[inline]
    pub fn note(&self, call: Call) {
        self.line.enter(call.index());
    }

    /// Name of the call entered last.
    pub fn last_call(&self) -> Option<&'static str> {
        self.line.last_call()
    }

    pub fn line(&self) -> &Line {
        &self.line
    }

    /// # Errors
    /// `MPI_ERR_COMM` when the handle names no communicator.
    #[inline(always)]
    pub fn comm(&self, comm: MPI_Comm) -> Result<&Arc<Comm>> {
        match comm {
            MPI_Comm::WORLD if self.in_world() => Ok(self.process.world()),
            MPI_Comm::WORLD | MPI_Comm::SELF if !self.in_world() => Err(not_in_world()),
            _ => self.process.comm(comm.handle()),
        }
    }

    #[inline]
    pub fn in_world(&self) -> bool {
        self.in_world.load(Ordering::Relaxed)
    }

    pub fn set_in_world(&self, in_world: bool) {
        self.in_world.store(in_world, Ordering::Relaxed);
    }

    /// A datatype, committed or not: for constructors and inquiries.
    ///
    /// # Errors
    /// `MPI_ERR_TYPE` when the handle names no datatype.
    #[inline]
    pub fn datatype(&self, datatype: MPI_Datatype) -> Result<&Arc<Datatype>> {
        self.process.types.lookup(datatype.handle())
    }

    /// A datatype to communicate with.
    ///
    /// # Errors
    /// `MPI_ERR_TYPE` when the handle names no datatype, or one that has not been committed (MPI 5.0 section 5.1.9).
    #[inline]
    pub fn committed(&self, datatype: MPI_Datatype) -> Result<&Arc<Datatype>> {
        self.process.types.committed(datatype.handle())
    }

    /// # Errors
    /// `MPI_ERR_OP` when the handle names no operation.
    pub fn op(&self, op: MPI_Op) -> Result<&Arc<Op>> {
        self.process.ops.lookup(op.handle())
    }

    /// # Errors
    /// `MPI_ERR_GROUP` when the handle names no group.
    pub fn group(&self, group: MPI_Group) -> Result<&Arc<Group>> {
        match group {
            MPI_Group::EMPTY => Ok(&self.empty_group),
            MPI_Group::NULL => bail!(GROUP, "the group is MPI_GROUP_NULL"),
            _ => self.groups.get(group.handle()),
        }
    }

    /// The handle for a group that a call returns: every empty group is `MPI_GROUP_EMPTY` (MPI 5.0 section 7.2.1).
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn group_handle(&self, group: Arc<Group>) -> Result<MPI_Group> {
        if group.is_empty() {
            return Ok(MPI_Group::EMPTY);
        }
        Ok(MPI_Group::from_handle(self.groups.insert(group)?))
    }
}

#[cold]
fn not_in_world() -> Error {
    let text = "MPI_COMM_WORLD and MPI_COMM_SELF are there from MPI_Init to MPI_Finalize only; sessions have process sets \
                (MPI_Group_from_session_pset)";
    Error::new(Class::COMM, text)
}

/// The engine's side of the rank.
impl Deref for Rank {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.process
    }
}
