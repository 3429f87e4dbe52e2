//! Requests: operations under way, and how they ended.

pub mod complete;
pub mod describe;

use crate::adi::envelope::{Envelope, Plane};
use crate::arena::Arena;
use crate::error::{Class, Error, Result};
use crate::handle::{self, Handle, Kind, bad_handle};
use crate::memory::Memory;
use crate::part::Partitioned;
use crate::status::{Outcome, Status};
use fm::lock::Guard;
use fm::{Peer, ThreadLock, Threading};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Handle of no request (`MPI_REQUEST_NULL`).
pub const NULL: Handle = 0x180;

/// What a request is doing.
pub enum State {
    /// Nothing: not started, or done.
    Idle,
    /// A message on its way. Kept after completion, for a cancellation that comes late.
    Sending { to: Peer, envelope: Envelope },
    /// A receive that waits for its message: its number in the matcher.
    Posted { plane: Plane, number: u32 },
    /// A receive that has its message and waits for the rest of the body.
    Receiving { left: u64 },
    /// A collective operation, which the progress engine drives.
    Collective,
    /// A persistent operation: how to start it, and the request of the round under way.
    Persistent(Box<Persistent>),
    /// A partitioned operation: persistent, and the request of its own rounds.
    Partitioned(Box<Partitioned>),
    /// The user's own operation (MPI 5.0 section 13.2).
    Generalized(Box<dyn Generalized>),
}

impl State {
    /// The request lasts or ends in its own way: not one of a single message or collective.
    #[inline]
    fn is_special(&self) -> bool {
        matches!(self, State::Persistent(_) | State::Partitioned(_) | State::Generalized(_))
    }

    /// Becomes `state`; the present one is not special.
    #[inline]
    pub fn set(&mut self, state: State) {
        debug_assert!(!self.is_special());
        std::mem::forget(std::mem::replace(self, state));
    }

    /// Becomes idle. The states that own nothing, which are those of most requests, are not dropped one by one.
    #[inline]
    fn clear(&mut self) {
        if self.is_special() {
            *self = State::Idle;
        } else {
            self.set(State::Idle);
        }
    }
}

/// Starts one round of a persistent operation and returns its request.
pub type Start = Box<dyn Fn(&crate::Process) -> Result<Handle> + Send>;

/// A persistent request's template (MPI 5.0 section 3.9).
pub struct Persistent {
    pub start: Start,
    /// The round under way, or [`NULL`].
    pub active: Handle,
}

/// Callbacks of a generalized request.
pub trait Generalized: Send {
    fn query(&mut self, status: &mut Status) -> Result<()>;
    fn free(&mut self) -> Result<()>;
    fn cancel(&mut self, complete: bool) -> Result<()>;
}

/// What the lock of a request guards.
pub struct Inner {
    pub state: State,
    pub memory: Memory,
    pub outcome: Outcome,
    /// Handle of the communicator whose error handler hears of an error.
    pub comm: Handle,
    /// The user (or a waiting call) holds the request; if not, completion frees it.
    pub held: bool,
    /// The receiver has been asked to give the message back: the operation completes with its answer.
    pub cancelling: bool,
    /// A send whose body its receiver has yet to get: counted in [`Requests::has_bodies`].
    pub announced: bool,
    /// A buffered send that is under way: done for the user from the start.
    pub buffered: bool,
}

/// One request, at an address that stays; in two cache lines.
#[repr(align(64))]
pub struct Request {
    handle: AtomicU32,
    done: AtomicBool,
    pub inner: ThreadLock<Inner>,
}

impl Request {
    /// The operation is complete: its outcome is there.
    #[inline]
    pub fn is_done(&self) -> bool {
        self.done.load(Ordering::Acquire)
    }

    /// Says that the outcome is there, or (a cancellation is under way) not yet.
    pub fn set_done(&self, done: bool) {
        self.done.store(done, Ordering::Release);
    }
}

const _: () = assert!(size_of::<Request>() == 128);

/// Set in the handle of a slot that nobody uses.
const VACANT: u32 = 1 << 31;

/// All requests of a process.
pub struct Requests {
    slots: Arena<Request>,
    /// Announced sends that are not complete.
    bodies: AtomicU32,
}

impl Requests {
    pub fn new(threading: Threading) -> Requests {
        let vacant = move || Request {
            handle: AtomicU32::new(VACANT),
            done: AtomicBool::new(false),
            inner: ThreadLock::new(
                threading,
                Inner {
                    state: State::Idle,
                    memory: Memory::EMPTY,
                    outcome: Outcome::EMPTY,
                    comm: 0,
                    held: false,
                    cancelling: false,
                    announced: false,
                    buffered: false,
                },
            ),
        };
        Requests { slots: Arena::new(threading, vacant), bodies: AtomicU32::new(0) }
    }

    /// A new request, held by the caller.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM` when 4 million are alive.
    #[inline]
    pub fn start(&self, state: State, memory: Memory, comm: Handle) -> Result<Handle> {
        let (handle, _, mut inner) = self.open(comm)?;
        inner.state.set(state);
        inner.memory.set(memory);
        Ok(handle)
    }

    /// A new request, idle and without memory; nobody else looks at it before the guard is dropped.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM` when 4 million are alive.
    #[inline(always)]
    pub fn open(&self, comm: Handle) -> Result<(Handle, &Request, Guard<'_, Inner>)> {
        let Some((index, slot)) = self.slots.take().filter(|(index, _)| *index < handle::INDEX_LIMIT) else { return Err(too_many()) };
        let handle = handle::successor(Kind::Request, slot.handle.load(Ordering::Relaxed), index);
        let mut inner = slot.inner.lock();
        // What was freed is idle, has no memory and no error.
        inner.outcome.status = Status::EMPTY;
        inner.comm = comm;
        inner.held = true;
        inner.cancelling = false;
        inner.buffered = false;
        slot.done.store(false, Ordering::Relaxed);
        slot.handle.store(handle, Ordering::Release);
        Ok((handle, slot, inner))
    }

    /// A new request of an operation that is over, and tells nothing (MPI 5.0 section 3.7.3 for sends).
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM` when 4 million are alive.
    #[inline(always)]
    pub fn completed(&self, comm: Handle, state: impl FnOnce() -> State) -> Result<Handle> {
        let (handle, request, mut inner) = self.open(comm)?;
        inner.state.set(state());
        request.set_done(true);
        Ok(handle)
    }

    /// A new request of a send whose body the receiver has to ask for, or to fetch.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM` when 4 million are alive.
    pub fn announced(&self, state: State, memory: Memory, comm: Handle) -> Result<Handle> {
        let (handle, _, mut inner) = self.open(comm)?;
        inner.state.set(state);
        inner.memory.set(memory);
        inner.announced = true;
        self.bodies.fetch_add(1, Ordering::Relaxed);
        Ok(handle)
    }

    /// Whether bodies of this process wait to be sent or fetched.
    pub fn has_bodies(&self) -> bool {
        self.bodies.load(Ordering::Relaxed) > 0
    }

    /// The live request that `handle` names.
    #[inline]
    pub fn find(&self, handle: Handle) -> Option<&Request> {
        let slot = self.slots.get(handle::index(handle))?;
        (slot.handle.load(Ordering::Acquire) == handle).then_some(slot)
    }

    /// # Errors
    /// `MPI_ERR_REQUEST` when `handle` names no live request.
    #[inline]
    pub fn get(&self, handle: Handle) -> Result<&Request> {
        self.find(handle).ok_or_else(|| bad_handle(Kind::Request, handle))
    }

    /// Records how an operation ended. A request that its owner let go is freed. The caller must not hold its lock.
    #[inline]
    pub fn complete(&self, handle: Handle, outcome: Outcome) {
        let Some(request) = self.find(handle) else { return };
        let inner = request.inner.lock();
        // A peer that answers once more does no harm.
        if !request.is_done() || inner.buffered {
            self.complete_locked(request, inner, outcome);
        }
    }

    /// As [`complete`](Self::complete), for who holds the request's lock.
    #[inline]
    pub fn complete_locked(&self, request: &Request, mut inner: Guard<'_, Inner>, outcome: Outcome) {
        if std::mem::take(&mut inner.announced) {
            self.bodies.fetch_sub(1, Ordering::Relaxed);
        }
        if inner.cancelling {
            inner.memory.clear();
            return;
        }
        inner.outcome = outcome;
        self.end(request, inner);
    }

    /// The operation is over, and its outcome is there already.
    #[inline(always)]
    pub fn end(&self, request: &Request, mut inner: Guard<'_, Inner>) {
        debug_assert!(!request.is_done() || inner.buffered, "a request completes twice");
        inner.buffered = false;
        inner.memory.clear();
        if inner.outcome.error.is_none() && inner.held {
            request.set_done(true);
        } else {
            self.end_otherwise(request, inner);
        }
    }

    #[inline(never)]
    fn end_otherwise(&self, request: &Request, mut inner: Guard<'_, Inner>) {
        let Inner { outcome, comm, .. } = &mut *inner;
        if let Some(error) = &mut outcome.error {
            error.comm.get_or_insert(*comm);
        }
        if inner.held {
            request.set_done(true);
        } else {
            self.free_locked(request, inner);
        }
    }

    /// Gives the slot of a request back that is complete, or was never active.
    #[inline]
    pub fn free(&self, handle: Handle) {
        let Some(request) = self.find(handle) else { return };
        self.free_locked(request, request.inner.lock());
    }

    /// As [`free`](Self::free), for who holds the request's lock.
    #[inline(always)]
    pub fn free_locked(&self, request: &Request, mut inner: Guard<'_, Inner>) {
        inner.state.clear();
        inner.memory.clear();
        inner.outcome.error = None;
        self.give_back(request, inner);
    }

    /// As [`free_locked`](Self::free_locked), of one that has ended without an error and is not special.
    #[inline(always)]
    fn free_ended(&self, request: &Request, mut inner: Guard<'_, Inner>) {
        debug_assert!(inner.memory.is_empty());
        inner.state.set(State::Idle);
        self.give_back(request, inner);
    }

    #[inline(always)]
    fn give_back(&self, request: &Request, inner: Guard<'_, Inner>) {
        debug_assert!(!inner.announced && !inner.buffered, "nothing is under way");
        drop(inner);
        let handle = request.handle.load(Ordering::Relaxed);
        request.handle.store(handle | VACANT, Ordering::Release);
        self.slots.give_back(handle::index(handle));
    }

    /// Requests that somebody holds.
    pub fn iter(&self) -> impl Iterator<Item = (Handle, &Request)> {
        self.slots.iter().filter_map(|(_, slot)| {
            let handle = slot.handle.load(Ordering::Acquire);
            (handle & VACANT == 0).then_some((handle, slot))
        })
    }
}

#[cold]
fn too_many() -> Error {
    Error::new(Class::NO_MEM, format!("more than {} requests are alive", handle::INDEX_LIMIT))
}
