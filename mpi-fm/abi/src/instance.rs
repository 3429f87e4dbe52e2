//! What this process is to MPI: before initialisation, while it is a rank, and after finalisation.

use crate::abi::Fortran;
use crate::error::Registered;
use crate::info::Infos;
use crate::rank::{Rank, Thread};
use crate::tools::Tools;
use crate::tuning;
use mpi_fm::config::Config;
use mpi_fm::errcode::ErrorCodes;
use fm::Threading;
use mpi_fm::errhandler::Errhandler;
use mpi_fm::handle::{Kind, Table};
use mpi_fm::{Result, Session, bail};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU8, Ordering};
use std::sync::{LazyLock, OnceLock};

/// One program's MPI library. Production has one, [`current`] always; a simulator has one for each of its ranks.
///
/// Here is what the standard lets a program use before initialisation and after finalisation (MPI 5.0 section 11.4.1); the rest
/// is in [`Rank`].
pub struct Instance {
    /// Null unless somebody uses it: the World Model, or a session.
    rank: AtomicPtr<Rank>,
    /// Where it is while nobody does.
    retired: AtomicPtr<Rank>,
    /// Of the World Model.
    phase: AtomicU8,
    /// In a process that a rank forked.
    forked: AtomicBool,
    /// How many use the rank.
    users: Mutex<usize>,
    /// How `MPI_Init` was called.
    thread: OnceLock<Thread>,
    pub sessions: LazyLock<Table<Session>>,
    pub codes: ErrorCodes,
    pub errhandlers: LazyLock<Table<Registered>>,
    pub infos: Infos,
    pub fortran: Mutex<Fortran>,
    /// The error handler of `MPI_FILE_NULL`: that of files to come, and of errors in opening them (MPI 5.0 section 14.7).
    file_errhandler: Mutex<Errhandler>,
    pub tools: Tools,
    /// What the rank is to start with: a tool may set it before.
    config: LazyLock<Mutex<Config>>,
    /// What the first user makes a rank with, if not with what the launcher said.
    starter: Option<Starter>,
}

/// Makes a rank that so many threads may use at once.
pub type Starter = Box<dyn Fn(Threading, Config) -> Result<Rank> + Send + Sync>;

/// How far a process has come in the World Model (MPI 5.0 section 11.2), which a program goes through once. Sessions come and go beside it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Phase {
    Before = 0,
    Running = 1,
    Finalized = 2,
}

/// A rank that a caller has joined.
pub struct Joined<'i> {
    pub rank: &'i Rank,
    /// It is the first to do so in this process.
    pub made: bool,
}

impl Instance {
    pub const fn new() -> Instance {
        Instance {
            rank: AtomicPtr::new(std::ptr::null_mut()),
            retired: AtomicPtr::new(std::ptr::null_mut()),
            phase: AtomicU8::new(Phase::Before as u8),
            forked: AtomicBool::new(false),
            users: Mutex::new(0),
            thread: OnceLock::new(),
            sessions: LazyLock::new(|| Table::new(Kind::Session)),
            codes: ErrorCodes::new(),
            errhandlers: LazyLock::new(|| Table::new(Kind::Errhandler)),
            infos: Infos::new(),
            fortran: Mutex::new(Fortran::new()),
            file_errhandler: Mutex::new(Errhandler::RETURN),
            tools: Tools::new(),
            config: LazyLock::new(|| Mutex::new(tuning::config())),
            starter: None,
        }
    }

    /// An instance whose rank `starter` makes: for a simulator.
    pub fn started_by(starter: Starter) -> Instance {
        let mut instance = Instance::new();
        instance.starter = Some(starter);
        instance.config = LazyLock::new(Mutex::default);
        instance
    }

    fn start(&self, threading: Threading) -> Result<Rank> {
        let config = *self.config.lock();
        match &self.starter {
            None => crate::start::start(threading, config),
            Some(starter) => starter(threading, config),
        }
    }

    /// The rank that this process is; `None` while neither the World Model nor a session uses it.
    #[inline]
    pub fn rank(&self) -> Option<&Rank> {
        // SAFETY: `join` stored a box that lives as long as the instance.
        unsafe { self.rank.load(Ordering::Acquire).as_ref() }
    }

    /// The rank that this process is or was last: its counts can be read after it has left MPI.
    pub fn latest_rank(&self) -> Option<&Rank> {
        // SAFETY: as in `rank`; who leaves or joins in between keeps the box.
        self.rank().or_else(|| unsafe { self.retired.load(Ordering::Acquire).as_ref() })
    }

    /// The settings in force, or those that the rank will start with.
    pub fn config(&self) -> Config {
        self.latest_rank().map_or_else(|| *self.config.lock(), |rank| rank.process.config.now())
    }

    /// Changes settings. A rank that is there adopts those that may change while it runs.
    pub fn configure(&self, change: impl FnOnce(&mut Config)) {
        let mut config = self.config();
        change(&mut config);
        *self.config.lock() = config;
        if let Some(rank) = self.latest_rank() {
            rank.process.config.adopt(&config);
        }
    }

    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::Acquire) {
            0 => Phase::Before,
            1 => Phase::Running,
            _ => Phase::Finalized,
        }
    }

    /// One more user of the rank. The first one in this process makes it, `threading` then says for how many threads.
    ///
    /// # Errors
    /// Those of [`start::start`](crate::start::start), and in a forked process.
    pub fn join(&self, threading: Threading) -> Result<Joined<'_>> {
        if self.is_forked() {
            bail!(OTHER, "called in a child process that a rank forked, which is no part of the job");
        }
        let mut users = self.users.lock();
        let mut made = false;
        if *users == 0 {
            let kept = self.retired.swap(std::ptr::null_mut(), Ordering::AcqRel);
            // SAFETY: `leave` put it there, which got it from here.
            let rank = match unsafe { kept.as_ref() } {
                Some(rank) => {
                    rank.line().initialised();
                    kept
                }
                None => {
                    made = true;
                    Box::into_raw(Box::new(self.start(threading)?))
                }
            };
            self.rank.store(rank, Ordering::Release);
        }
        *users += 1;
        Ok(Joined { rank: self.rank().expect("it has a user"), made })
    }

    /// One user less. After the last one calls find no rank. It stays in memory: another thread may still be inside a call, peers may
    /// send late answers, and the next session goes on with it.
    pub fn leave(&self, last_words: impl FnOnce(&Rank)) {
        let mut users = self.users.lock();
        *users -= 1;
        if *users > 0 {
            return;
        }
        if let Some(rank) = self.rank() {
            last_words(rank);
        }
        self.retire();
    }

    fn retire(&self) {
        let rank = self.rank.swap(std::ptr::null_mut(), Ordering::AcqRel);
        self.retired.store(rank, Ordering::Release);
    }

    /// The World Model begins, for a user that has joined.
    pub fn world_begins(&self, rank: &Rank, thread: Thread) {
        // A program goes through the World Model once: nothing was set before.
        let _ = self.thread.set(thread);
        rank.set_in_world(true);
        self.phase.store(Phase::Running as u8, Ordering::Release);
    }

    /// The World Model ends; its user is to leave.
    pub fn world_ends(&self, rank: &Rank) {
        rank.set_in_world(false);
        self.phase.store(Phase::Finalized as u8, Ordering::Release);
    }

    /// How `MPI_Init` was called, if it was.
    pub fn thread(&self) -> Option<&Thread> {
        self.thread.get()
    }

    /// In a child that a process has forked: if that was a rank, nothing of it may be touched from here on.
    pub fn forked(&self) {
        let was = self.rank().is_some() || !self.retired.load(Ordering::Acquire).is_null();
        self.forked.store(was, Ordering::Release);
        if self.rank().is_some() {
            self.retire();
        }
    }

    pub fn is_forked(&self) -> bool {
        self.forked.load(Ordering::Acquire)
    }

    /// Sessions were there, and are all finalized.
    pub fn is_between_sessions(&self) -> bool {
        !self.retired.load(Ordering::Acquire).is_null()
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
                // SAFETY: it came from a box in `join`, is in one of the two places only, and nobody has the instance any more.
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
