//! What this process is to MPI: before initialisation, while it is a rank, and after finalisation.

use mpi_fm::errcode::ErrorCodes;
use crate::enter::Call;
use crate::rank::Rank;
use hpvm_wire::calls;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU16, Ordering};

/// One program's MPI library. Production has one, [`current`] always; a simulator has one for each of its ranks.
pub struct Instance {
    /// Null unless between initialisation and finalisation.
    rank: AtomicPtr<Rank>,
    finalized: AtomicBool,
    last_call: AtomicU16,
    pub codes: ErrorCodes,
}

impl Instance {
    pub const fn new() -> Instance {
        Instance {
            rank: AtomicPtr::new(std::ptr::null_mut()),
            finalized: AtomicBool::new(false),
            last_call: AtomicU16::new(calls::NONE),
            codes: ErrorCodes::new(),
        }
    }

    /// The rank that this process is; `None` before initialisation and after finalisation.
    #[inline]
    pub fn rank(&self) -> Option<&Rank> {
        // SAFETY: `initialize` stored a leaked box, which `finalize` does not free.
        unsafe { self.rank.load(Ordering::Acquire).as_ref() }
    }

    /// From here on calls find `rank`. It stays in memory for good: another thread may still be inside a call when the process
    /// finalizes.
    pub fn initialize(&self, rank: Box<Rank>) {
        self.rank.store(Box::into_raw(rank), Ordering::Release);
    }

    pub fn finalize(&self) {
        self.rank.store(std::ptr::null_mut(), Ordering::Release);
        self.finalized.store(true, Ordering::Release);
    }

    pub fn is_finalized(&self) -> bool {
        self.finalized.load(Ordering::Acquire)
    }

    /// Notes that `call` was entered, for reports.
    #[inline]
    pub fn note(&self, call: Call) {
        self.last_call.store(call.index(), Ordering::Relaxed);
    }

    /// Name of the call entered last.
    pub fn last_call(&self) -> Option<&'static str> {
        calls::name(self.last_call.load(Ordering::Relaxed))
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
pub fn switch(instance: &'static Instance) -> &'static Instance {
    let before = CURRENT.swap((&raw const *instance).cast_mut(), Ordering::Relaxed);
    // SAFETY: as in `current`.
    unsafe { &*before }
}
