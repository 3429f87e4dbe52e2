//! Generalized requests (MPI 5.0 section 13.2): operations that the program carries out and MPI calls complete.

use crate::args::put;
use crate::rank::Rank;
use crate::types::{
    CHandle, MPI_Grequest_cancel_function, MPI_Grequest_free_function, MPI_Grequest_query_function, MPI_Request,
    MPI_Status,
};
use mpi_fm::memory::Memory;
use mpi_fm::request::{Generalized, State};
use mpi_fm::status::{Outcome, Status};
use mpi_fm::{Class, Error, Result, bail};
use std::ffi::{c_int, c_void};

/// The program's functions and their state.
struct Operation {
    query: MPI_Grequest_query_function,
    free: MPI_Grequest_free_function,
    cancel: MPI_Grequest_cancel_function,
    extra_state: *mut c_void,
}

// SAFETY: the program gives the pointer for its functions, which any thread that completes the request may call.
unsafe impl Send for Operation {}

/// What a callback returned.
fn told(code: c_int, function: &str) -> Result<()> {
    match code {
        0 => Ok(()),
        _ => Err(Error::new(Class(code), format!("the {function} function of a generalized request returned error code {code}"))),
    }
}

impl Generalized for Operation {
    fn query(&mut self, status: &mut Status) -> Result<()> {
        let mut shown = MPI_Status::from_engine(status, 0);
        // SAFETY: the program's function, with the arguments the standard gives it.
        let code = unsafe { (self.query)(self.extra_state, &mut shown) };
        *status = shown.to_engine();
        told(code, "query")
    }

    fn free(&mut self) -> Result<()> {
        // SAFETY: as above; called once, when the request goes.
        told(unsafe { (self.free)(self.extra_state) }, "free")
    }

    fn cancel(&mut self, complete: bool) -> Result<()> {
        // SAFETY: as above.
        told(unsafe { (self.cancel)(self.extra_state, complete.into()) }, "cancel")
    }
}

pub unsafe fn start(
    rank: &Rank,
    query_fn: Option<MPI_Grequest_query_function>,
    free_fn: Option<MPI_Grequest_free_function>,
    cancel_fn: Option<MPI_Grequest_cancel_function>,
    extra_state: *mut c_void,
    request: *mut MPI_Request,
) -> Result<()> {
    crate::args::check("request", request)?;
    let (Some(query), Some(free), Some(cancel)) = (query_fn, free_fn, cancel_fn) else {
        bail!(ARG, "a function of the generalized request is a null pointer");
    };
    let operation = Operation { query, free, cancel, extra_state };
    let state = State::Generalized(Box::new(operation));
    let handle = rank.process.requests.start(state, Memory::EMPTY, mpi_fm::comm::SELF)?;
    // SAFETY: the caller's.
    unsafe { put("request", request, MPI_Request::from_handle(handle)) }
}

pub unsafe fn complete(rank: &Rank, request: MPI_Request) -> Result<()> {
    let handle = request.handle();
    let found = rank.process.requests.get(handle)?;
    let freed = {
        let mut inner = found.inner.lock();
        let held = inner.held;
        match &mut inner.state {
            // The program let the request go: nobody else will free the operation.
            State::Generalized(operation) if !held => operation.free(),
            State::Generalized(_) => Ok(()),
            _ => bail!(REQUEST, "the request is not a generalized one (MPI_Grequest_start)"),
        }
    };
    rank.process.requests.complete(handle, Outcome::EMPTY);
    rank.process.woken();
    freed
}
