//! What this process is to MPI: before initialisation, while it is a rank, and after finalisation.

use crate::abi::Fortran;
use crate::error::Registered;
use crate::info::Infos;
use crate::rank::{Rank, Thread};
use mpi_fm::errcode::ErrorCodes;
use mpi_fm::errhandler::Errhandler;
use mpi_fm::Result;
use mpi_fm::handle::{Kind, Table};
use parking_lot::Mutex;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

/// One program's MPI library. Production has one, [`current`] always; a simulator has one for each of its ranks.
///
/// Here is what the standard lets a program use before initialisation and after finalisation (MPI 5.0 section 11.4.1); the rest
/// is in [`Rank`].
pub struct Instance {
    /// Null unless between initialisation and finalisation.
    rank: AtomicPtr<Rank>,
    /// Where it went at finalisation.
    retired: AtomicPtr<Rank>,
    phase: AtomicU8,
    pub codes: ErrorCodes,
    pub errhandlers: LazyLock<Table<Registered>>,
    pub infos: Infos,
    pub fortran: Mutex<Fortran>,
    /// The error handler of `MPI_FILE_NULL`: that of files to come, and of errors in opening them (MPI 5.0 section 14.7).
    file_errhandler: Mutex<Errhandler>,
    /// What `MPI_Init` makes a rank with, if not with what the launcher said.
    starter: Option<Starter>,
}

/// Makes a rank.
pub type Starter = Box<dyn Fn(Thread) -> Result<Rank> + Send + Sync>;

/// How far a process has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Phase {
    Before = 0,
    Running = 1,
    Finalized = 2,
    /// A process that a rank forked: it has the rank's memory, but is no part of the job.
    Forked = 3,
}

impl Instance {
    pub const fn new() -> Instance {
        Instance {
            rank: AtomicPtr::new(std::ptr::null_mut()),
            retired: AtomicPtr::new(std::ptr::null_mut()),
            phase: AtomicU8::new(Phase::Before as u8),
            codes: ErrorCodes::new(),
            errhandlers: LazyLock::new(|| Table::new(Kind::Errhandler)),
            infos: Infos::new(),
            fortran: Mutex::new(Fortran::new()),
            file_errhandler: Mutex::new(Errhandler::RETURN),
            starter: None,
        }
    }

    /// An instance whose rank `starter` makes: for a simulator.
    pub fn started_by(starter: Starter) -> Instance {
        let mut instance = Instance::new();
        instance.starter = Some(starter);
        instance
    }

    /// Makes the rank, for [`initialize`](Self::initialize).
    ///
    /// # Errors
    /// Those of [`start::start`](crate::start::start).
    pub fn start(&self, thread: Thread) -> Result<Rank> {
        match &self.starter {
            None => crate::start::start(thread),
            Some(starter) => starter(thread),
        }
    }

    /// The rank that this process is; `None` before initialisation and after finalisation.
    #[inline]
    pub fn rank(&self) -> Option<&Rank> {
        // SAFETY: `initialize` stored a box that lives as long as the instance.
        unsafe { self.rank.load(Ordering::Acquire).as_ref() }
    }

    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Before,
            1 => Phase::Running,
            2 => Phase::Finalized,
            _ => Phase::Forked,
        }
    }

    /// From here on calls find `rank`.
    pub fn initialize(&self, rank: Box<Rank>) {
        self.rank.store(Box::into_raw(rank), Ordering::Release);
        self.phase.store(Phase::Running as u8, Ordering::Release);
    }

    /// From here on calls find no rank. It stays in memory: another thread may still be inside a call when the process
    /// finalizes.
    pub fn finalize(&self) {
        self.retire(Phase::Finalized);
    }

    /// In a child that a rank has forked: nothing of the rank may be touched from here on.
    pub fn forked(&self) {
        if self.phase() == Phase::Running {
            self.retire(Phase::Forked);
        }
    }

    fn retire(&self, phase: Phase) {
        let rank = self.rank.swap(std::ptr::null_mut(), Ordering::AcqRel);
        self.retired.store(rank, Ordering::Release);
        self.phase.store(phase as u8, Ordering::Release);
    }

    pub fn file_errhandler(&self) -> Errhandler {
        *self.file_errhandler.lock()
    }

    pub fn set_file_errhandler(&self, errhandler: Errhandler) {
        *self.file_errhandler.lock() = errhandler;
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        for rank in [*self.rank.get_mut(), *self.retired.get_mut()] {
            if !rank.is_null() {
                // SAFETY: it came from a box in `initialize`, is in one of the two places only, and nobody has the instance any more.
                drop(unsafe { Box::from_raw(rank) });
            }
        }
    }
}

impl Default for Instance {
    fn default() -> Self {
        Instance::new()
    }
}

static PROCESS: Instance = Instance::new();

/// The library's one static: whose calls these are.
static CURRENT: AtomicPtr<Instance> = AtomicPtr::new((&raw const PROCESS).cast_mut());

/// The instance that calls are for.
#[inline]
pub fn current() -> &'static Instance {
    // SAFETY: the pointer is that of `PROCESS`, or was given to `switch` by reference.
    unsafe { &*CURRENT.load(Ordering::Relaxed) }
}

/// Makes `instance` the one that calls are for, and returns the one that was. For a simulator that runs several ranks on one
/// thread, turn by turn.
///
/// # Safety
/// `instance` lives until another one was switched to, and until no call that found it is under way.
pub unsafe fn switch(instance: &Instance) -> &'static Instance {
    let before = CURRENT.swap((&raw const *instance).cast_mut(), Ordering::Relaxed);
    // SAFETY: as in `current`.
    unsafe { &*before }
}
