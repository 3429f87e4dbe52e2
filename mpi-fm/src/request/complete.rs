//! Completing requests: wait, test, free (MPI 5.0 section 3.7.3).

use super::{Inner, NULL, Request, State};
use crate::bail;
use crate::error::Result;
use crate::handle::{Handle, Kind, bad_handle};
use crate::memory::Memory;
use crate::process::Process;
use crate::status::{Outcome, Status};
use fm::lock::Guard;

/// Where a request stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Null, or persistent and not started: completes at once with an empty status.
    Inactive,
    Active,
    Complete,
}

impl Process {
    /// A request of an operation that is over already.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn completed(&self, outcome: Outcome, comm: Handle) -> Result<Handle> {
        let request = self.requests.start(State::Idle, Memory::EMPTY, comm)?;
        self.requests.complete(request, outcome);
        Ok(request)
    }

    /// Where the request stands, without making progress. The null handle is inactive.
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST`
    #[inline]
    pub fn standing(&self, handle: Handle) -> Result<Standing> {
        let Some(request) = self.requests.find(handle) else { return standing_of_none(handle) };
        if request.is_done() {
            return Ok(Standing::Complete);
        }
        self.standing_undone(request)
    }

    #[inline(never)]
    fn standing_undone(&self, request: &Request) -> Result<Standing> {
        let active = match &request.inner.lock().state {
            State::Persistent(persistent) => persistent.active,
            State::Partitioned(partitioned) if !partitioned.active => NULL,
            _ => return Ok(Standing::Active),
        };
        self.standing(active)
    }

    /// Takes the outcome of a complete (or inactive) request. An ordinary one is freed; a persistent one becomes inactive and
    /// keeps its handle.
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST`
    #[inline]
    pub fn finish(&self, handle: Handle) -> Result<Outcome> {
        self.finish_and_tell(handle).map(|(outcome, _)| outcome)
    }

    /// As [`finish`](Self::finish); also tells whether the request keeps its handle.
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST`
    #[inline(always)]
    pub fn finish_and_tell(&self, handle: Handle) -> Result<(Outcome, bool)> {
        let Some(request) = self.requests.find(handle) else { return nothing_to_finish(handle) };
        let mut inner = request.inner.lock();
        if inner.state.is_special() {
            return self.finish_special(handle, request, inner);
        }
        let outcome = inner.outcome.take();
        if inner.buffered {
            inner.held = false; // the message is still on its way
        } else {
            self.requests.free_locked(request, inner);
        }
        Ok((outcome, false))
    }

    /// Ends an ordinary request that is complete and without an error, handing its status to `tell`. Others stay as they are, and what is
    /// to be done about them is for [`standing`](Self::standing) and [`finish`](Self::finish) to find out; then it returns `false`.
    #[inline(always)]
    pub fn finish_if_done(&self, handle: Handle, tell: impl FnOnce(&Status)) -> bool {
        let Some(request) = self.requests.find(handle).filter(|request| request.is_done()) else { return false };
        let inner = request.inner.lock();
        if inner.state.is_special() || inner.buffered || inner.outcome.error.is_some() {
            return false;
        }
        tell(&inner.outcome.status);
        self.requests.free_ended(request, inner);
        true
    }

    #[inline(never)]
    fn finish_special(&self, handle: Handle, request: &Request, mut inner: Guard<'_, Inner>) -> Result<(Outcome, bool)> {
        match &mut inner.state {
            State::Persistent(persistent) => {
                let active = std::mem::replace(&mut persistent.active, NULL);
                drop(inner);
                Ok((self.finish(active)?, true))
            }
            State::Partitioned(partitioned) => {
                partitioned.active = false;
                request.set_done(false);
                Ok((std::mem::replace(&mut inner.outcome, Outcome::EMPTY), true))
            }
            State::Generalized(operation) => {
                let mut status = Status::EMPTY;
                let queried = operation.query(&mut status);
                let freed = operation.free();
                drop(inner);
                self.requests.free(handle);
                Ok((Outcome { status, error: queried.and(freed).err() }, false))
            }
            _ => unreachable!("no special request"),
        }
    }

    /// The outcome of a complete request that stays as it is (`MPI_Request_get_status`).
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST`
    pub fn look(&self, handle: Handle) -> Result<Outcome> {
        if handle == NULL {
            return Ok(Outcome::EMPTY);
        }
        let request = self.requests.get(handle)?;
        let mut inner = request.inner.lock();
        match &mut inner.state {
            State::Persistent(persistent) => {
                let active = persistent.active;
                drop(inner);
                self.look(active)
            }
            State::Generalized(operation) => {
                let mut status = Status::EMPTY;
                let error = operation.query(&mut status).err();
                Ok(Outcome { status, error })
            }
            _ => Ok(inner.outcome.clone()),
        }
    }

    /// Waits until the request is not active.
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST`
    pub fn wait(&self, handle: Handle) -> Result<Outcome> {
        if self.standing(handle)? == Standing::Active {
            self.wait_until(|| self.waits_for_request(handle), || !matches!(self.standing(handle), Ok(Standing::Active)));
        }
        self.finish(handle)
    }

    /// Starts a round of a persistent operation.
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST` when the request is not persistent, or active already; those of the operation.
    pub fn start_persistent(&self, handle: Handle) -> Result<()> {
        let request = self.requests.get(handle)?;
        let mut inner = request.inner.lock();
        if let State::Partitioned(_) = inner.state {
            drop(inner);
            return self.start_partitioned(handle);
        }
        let State::Persistent(persistent) = &mut inner.state else {
            bail!(REQUEST, "the request is not persistent, so it cannot be started");
        };
        if persistent.active != NULL {
            bail!(REQUEST, "the persistent request is active already: complete it before the next start");
        }
        persistent.active = (persistent.start)(self)?;
        Ok(())
    }

    /// Lets a request go: it is freed when its operation is complete (MPI 5.0 section 3.7.3).
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST`
    pub fn release(&self, handle: Handle) -> Result<()> {
        let request = self.requests.get(handle)?;
        let mut inner = request.inner.lock();
        if let State::Persistent(persistent) = &mut inner.state {
            let active = std::mem::replace(&mut persistent.active, NULL);
            drop(inner);
            if active != NULL {
                self.release(active)?;
            }
            self.requests.free(handle);
            return Ok(());
        }
        if let State::Partitioned(_) = inner.state {
            return self.release_partitioned(handle, request, inner);
        }
        if let State::Generalized(operation) = &mut inner.state
            && request.is_done()
        {
            let freed = operation.free();
            drop(inner);
            self.requests.free(handle);
            return freed;
        }
        inner.held = false;
        let on_its_way = inner.buffered;
        let over = request.is_done() && !on_its_way;
        drop(inner);
        if over {
            self.requests.free(handle);
        }
        Ok(())
    }

    /// Lets a message go whose buffer must not be touched any more: what arrives for it is thrown away, what it has not sent is copied.
    pub(crate) fn abandon(&self, handle: Handle) {
        let Some(request) = self.requests.find(handle) else { return };
        if !request.is_done() {
            self.end_help(handle);
        }
        {
            let mut inner = request.inner.lock();
            if !request.is_done() {
                let sending = matches!(inner.state, State::Sending { .. });
                inner.memory = if sending { inner.memory.to_owned() } else { Memory::EMPTY };
            }
        }
        // The handle was live a moment ago, and it is this owner's only.
        let _ = self.release(handle);
    }
}

#[cold]
fn standing_of_none(handle: Handle) -> Result<Standing> {
    if handle == NULL { Ok(Standing::Inactive) } else { Err(bad_handle(Kind::Request, handle)) }
}

#[cold]
fn nothing_to_finish(handle: Handle) -> Result<(Outcome, bool)> {
    if handle == NULL { Ok((Outcome::EMPTY, false)) } else { Err(bad_handle(Kind::Request, handle)) }
}
