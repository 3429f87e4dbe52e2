//! Completing operations (MPI 5.0 section 3.7).

use crate::args::{array, array_mut, get, length, put};
use crate::instance::current;
use crate::rank::Rank;
use crate::status::{store, store_with_error};
use crate::types::{CHandle, MPI_Request, MPI_Status};
use mpi_fm::constants::UNDEFINED;
use mpi_fm::handle::{Handle, Kind, bad_handle};
use mpi_fm::request::complete::Standing;
use mpi_fm::status::{Outcome, Status};
use mpi_fm::{Class, Error, Process, Result, bail};
use std::ffi::c_int;

/// Takes the outcome of a request that is not active any more, and makes its handle null unless it is persistent.
#[inline]
fn take(process: &Process, request: &mut MPI_Request) -> Result<Outcome> {
    let (outcome, persists) = process.finish_and_tell(request.handle())?;
    if !persists {
        *request = MPI_Request::NULL;
    }
    Ok(outcome)
}

/// Ends a call that completed one operation.
///
/// # Safety
/// As [`store`].
unsafe fn conclude(outcome: Outcome, status: *mut MPI_Status) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { store(status, &outcome.status) };
    match outcome.error {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// The statuses of several operations: written one by one, with their errors (MPI 5.0 section 3.7.5).
struct Statuses {
    first: *mut MPI_Status,
    failed: Option<Error>,
}

impl Statuses {
    fn new(first: *mut MPI_Status) -> Statuses {
        Statuses { first, failed: None }
    }

    /// Writes the `at`-th.
    ///
    /// # Safety
    /// `first` is ignored (null), or an array of more than `at` statuses.
    #[inline]
    unsafe fn write(&mut self, at: usize, outcome: Outcome) {
        let code = outcome.error.map_or(0, |error| self.note_failure(error));
        if !self.first.is_null() {
            // SAFETY: the caller's.
            unsafe { store_with_error(self.first.add(at), &outcome.status, code) };
        }
    }

    /// Writes the `at`-th, of an operation without an error.
    ///
    /// # Safety
    /// As for [`write`](Self::write).
    #[inline]
    unsafe fn write_good(&self, at: usize, status: &Status) {
        if !self.first.is_null() {
            // SAFETY: the caller's.
            unsafe { store_with_error(self.first.add(at), status, 0) };
        }
    }

    /// One of the operations has failed: its error code.
    #[cold]
    fn note_failure(&mut self, mut error: Error) -> c_int {
        let code = current().codes.code(&error);
        error.class = Class::IN_STATUS;
        self.failed.get_or_insert(error);
        code
    }

    fn conclude(self) -> Result<()> {
        self.failed.map_or(Ok(()), Err)
    }
}

pub unsafe fn wait(rank: &Rank, request: *mut MPI_Request, status: *mut MPI_Status) -> Result<()> {
    // SAFETY: the caller's.
    let mut handle = unsafe { get("request", request) }?;
    let process = &rank.process;
    // SAFETY: the caller's.
    let tell = |told: &Status| unsafe { store(status, told) };
    if process.finish_if_done(handle.handle(), tell) {
        // SAFETY: the caller's.
        unsafe { request.write(MPI_Request::NULL) };
        return Ok(());
    }
    wait_inactive(process, handle.handle(), &[])?;
    let outcome = take(process, &mut handle)?;
    // SAFETY: the caller's.
    unsafe {
        request.write(handle);
        conclude(outcome, status)
    }
}

/// Waits until the request is not active; for those in `rest`, too, its caller will wait.
#[inline]
fn wait_inactive(process: &Process, handle: Handle, rest: &[MPI_Request]) -> Result<()> {
    if process.standing(handle)? == Standing::Active {
        wait_for(process, handle, rest);
    }
    Ok(())
}

fn wait_for(process: &Process, handle: Handle, rest: &[MPI_Request]) {
    let all = || std::iter::once(handle).chain(rest.iter().map(|request| request.handle()));
    process.wait_until(|| process.waits_for_requests(all(), false), || !matches!(process.standing(handle), Ok(Standing::Active)));
}

/// Whether the request is not active, after a round of progress if need be.
fn tested(process: &Process, handle: Handle) -> Result<bool> {
    if process.standing(handle)? != Standing::Active {
        return Ok(true);
    }
    process.poll(|| process.waits_for_request(handle));
    Ok(process.standing(handle)? != Standing::Active)
}

pub unsafe fn test(
    rank: &Rank,
    request: *mut MPI_Request,
    flag: *mut c_int,
    status: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    let mut handle = unsafe { get("request", request) }?;
    if !tested(&rank.process, handle.handle())? {
        // SAFETY: the caller's.
        return unsafe { put("flag", flag, 0) };
    }
    // SAFETY: the caller's.
    unsafe {
        put("flag", flag, 1)?;
        let outcome = take(&rank.process, &mut handle)?;
        request.write(handle);
        conclude(outcome, status)
    }
}

pub unsafe fn waitall(
    rank: &Rank,
    count: c_int,
    requests: *mut MPI_Request,
    statuses: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    let requests = unsafe { array_mut("array_of_requests", requests, length("count", count)?) }?;
    check_all(&rank.process, requests)?;
    let mut statuses = Statuses::new(statuses);
    let (mut left, mut at) = (requests, 0);
    while let Some((request, rest)) = left.split_first_mut() {
        // SAFETY: the caller's.
        let tell = |status: &Status| unsafe { statuses.write_good(at, status) };
        if rank.process.finish_if_done(request.handle(), tell) {
            *request = MPI_Request::NULL;
        } else {
            wait_inactive(&rank.process, request.handle(), rest)?;
            // SAFETY: the caller's.
            unsafe { statuses.write(at, take(&rank.process, request)?) };
        }
        (left, at) = (rest, at + 1);
    }
    statuses.conclude()
}

/// No handle may be bad before anything is waited for.
fn check_all(process: &Process, requests: &[MPI_Request]) -> Result<()> {
    for (at, request) in requests.iter().enumerate() {
        if process.requests.find(request.handle()).is_none() && *request != MPI_Request::NULL {
            return Err(bad_request(at, requests));
        }
    }
    Ok(())
}

#[cold]
fn bad_request(at: usize, requests: &[MPI_Request]) -> Error {
    let error = bad_handle(Kind::Request, requests[at].handle());
    Error::new(error.class, format!("request {at} of {}: {}", requests.len(), error.text))
}

/// # Safety
/// `statuses` is ignored or as long as `requests`.
unsafe fn take_all(process: &Process, requests: &mut [MPI_Request], statuses: *mut MPI_Status) -> Result<()> {
    let mut statuses = Statuses::new(statuses);
    for (at, request) in requests.iter_mut().enumerate() {
        // SAFETY: the caller's.
        unsafe { statuses.write(at, take(process, request)?) };
    }
    statuses.conclude()
}

pub unsafe fn testall(
    rank: &Rank,
    count: c_int,
    requests: *mut MPI_Request,
    flag: *mut c_int,
    statuses: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    let requests = unsafe { array_mut("array_of_requests", requests, length("count", count)?) }?;
    check_all(&rank.process, requests)?;
    let all = all_inactive(&rank.process, requests)?;
    // SAFETY: the caller's.
    unsafe {
        put("flag", flag, all.into())?;
        if all { take_all(&rank.process, requests, statuses) } else { Ok(()) }
    }
}

fn all_inactive(process: &Process, requests: &[MPI_Request]) -> Result<bool> {
    let all = || requests.iter().all(|request| !matches!(process.standing(request.handle()), Ok(Standing::Active)));
    if !all() {
        process.poll(|| process.waits_for_requests(requests.iter().map(|request| request.handle()), false));
    }
    Ok(all())
}

/// What an array of requests holds.
enum Found {
    /// This one is complete.
    Complete(usize),
    /// Some are active, none is complete.
    Active,
    /// None is active or complete.
    Nothing,
}

fn find_complete(process: &Process, requests: &[MPI_Request]) -> Result<Found> {
    let mut found = Found::Nothing;
    for (at, request) in requests.iter().enumerate() {
        match process.standing(request.handle())? {
            Standing::Complete => return Ok(Found::Complete(at)),
            Standing::Active => found = Found::Active,
            Standing::Inactive => {}
        }
    }
    Ok(found)
}

/// Waits until one of the requests is complete, or none is active.
fn wait_for_one(process: &Process, requests: &[MPI_Request]) -> Result<Found> {
    check_all(process, requests)?;
    if let Found::Active = find_complete(process, requests)? {
        let all = || requests.iter().map(|request| request.handle());
        process.wait_until(|| process.waits_for_requests(all(), true), || !matches!(find_complete(process, requests), Ok(Found::Active)));
    }
    find_complete(process, requests)
}

fn test_for_one(process: &Process, requests: &[MPI_Request]) -> Result<Found> {
    check_all(process, requests)?;
    match find_complete(process, requests)? {
        Found::Active => {
            process.poll(|| process.waits_for_requests(requests.iter().map(|request| request.handle()), true));
            find_complete(process, requests)
        }
        found => Ok(found),
    }
}

pub unsafe fn waitany(
    rank: &Rank,
    count: c_int,
    requests: *mut MPI_Request,
    index: *mut c_int,
    status: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    let requests = unsafe { array_mut("array_of_requests", requests, length("count", count)?) }?;
    let found = wait_for_one(&rank.process, requests)?;
    // SAFETY: the caller's.
    unsafe { take_one(&rank.process, requests, &found, index, status) }
}

pub unsafe fn testany(
    rank: &Rank,
    count: c_int,
    requests: *mut MPI_Request,
    index: *mut c_int,
    flag: *mut c_int,
    status: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    let requests = unsafe { array_mut("array_of_requests", requests, length("count", count)?) }?;
    let found = test_for_one(&rank.process, requests)?;
    // SAFETY: the caller's.
    unsafe {
        put("flag", flag, (!matches!(found, Found::Active)).into())?;
        take_one(&rank.process, requests, &found, index, status)
    }
}

/// # Safety
/// `index` is null or writable, `status` ignored or writable.
unsafe fn take_one(
    process: &Process,
    requests: &mut [MPI_Request],
    found: &Found,
    index: *mut c_int,
    status: *mut MPI_Status,
) -> Result<()> {
    let (at, outcome) = match found {
        Found::Complete(at) => (*at as c_int, Some(take(process, &mut requests[*at])?)),
        Found::Nothing => (UNDEFINED, Some(Outcome::EMPTY)),
        Found::Active => (UNDEFINED, None),
    };
    // SAFETY: the caller's.
    unsafe {
        put("indx", index, at)?;
        outcome.map_or(Ok(()), |outcome| conclude(outcome, status))
    }
}

pub unsafe fn waitsome(
    rank: &Rank,
    count: c_int,
    requests: *mut MPI_Request,
    outcount: *mut c_int,
    indices: *mut c_int,
    statuses: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    let requests = unsafe { array_mut("array_of_requests", requests, length("incount", count)?) }?;
    let found = wait_for_one(&rank.process, requests)?;
    // SAFETY: the caller's.
    unsafe { take_some(&rank.process, requests, &found, outcount, indices, statuses) }
}

pub unsafe fn testsome(
    rank: &Rank,
    count: c_int,
    requests: *mut MPI_Request,
    outcount: *mut c_int,
    indices: *mut c_int,
    statuses: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    let requests = unsafe { array_mut("array_of_requests", requests, length("incount", count)?) }?;
    let found = test_for_one(&rank.process, requests)?;
    // SAFETY: the caller's.
    unsafe { take_some(&rank.process, requests, &found, outcount, indices, statuses) }
}

/// # Safety
/// `outcount` is null or writable, `indices` null or as long as `requests`, `statuses` ignored or as long.
unsafe fn take_some(
    process: &Process,
    requests: &mut [MPI_Request],
    found: &Found,
    outcount: *mut c_int,
    indices: *mut c_int,
    statuses: *mut MPI_Status,
) -> Result<()> {
    if let Found::Nothing = found {
        // SAFETY: the caller's.
        return unsafe { put("outcount", outcount, UNDEFINED) };
    }
    // SAFETY: the caller's.
    let indices = unsafe { array_mut("array_of_indices", indices, requests.len()) }?;
    let mut statuses = Statuses::new(statuses);
    let mut complete = 0;
    for (at, request) in requests.iter_mut().enumerate() {
        if process.standing(request.handle())? == Standing::Complete {
            indices[complete] = at as c_int;
            // SAFETY: the caller's; `complete` is at most `at`.
            unsafe { statuses.write(complete, take(process, request)?) };
            complete += 1;
        }
    }
    // SAFETY: the caller's.
    unsafe { put("outcount", outcount, complete as c_int) }?;
    statuses.conclude()
}

pub unsafe fn start(rank: &Rank, request: *mut MPI_Request) -> Result<()> {
    // SAFETY: the caller's.
    let handle = unsafe { get("request", request) }?;
    start_one(&rank.process, handle.handle())
}

pub unsafe fn startall(rank: &Rank, count: c_int, requests: *mut MPI_Request) -> Result<()> {
    // SAFETY: the caller's.
    let requests = unsafe { array("array_of_requests", requests, length("count", count)?) }?;
    requests.iter().try_for_each(|request| start_one(&rank.process, request.handle()))
}

fn start_one(process: &Process, handle: Handle) -> Result<()> {
    if handle == mpi_fm::request::NULL {
        bail!(REQUEST, "the request is MPI_REQUEST_NULL");
    }
    process.start_persistent(handle)
}

pub unsafe fn free(rank: &Rank, request: *mut MPI_Request) -> Result<()> {
    // SAFETY: the caller's.
    let handle = unsafe { get("request", request) }?;
    if handle == MPI_Request::NULL {
        bail!(REQUEST, "the request is MPI_REQUEST_NULL");
    }
    rank.process.release(handle.handle())?;
    // SAFETY: the caller's.
    unsafe { put("request", request, MPI_Request::NULL) }
}

pub unsafe fn cancel(rank: &Rank, request: *mut MPI_Request) -> Result<()> {
    // SAFETY: the caller's.
    let handle = unsafe { get("request", request) }?;
    if handle == MPI_Request::NULL {
        bail!(REQUEST, "the request is MPI_REQUEST_NULL");
    }
    rank.process.cancel(handle.handle())
}

pub unsafe fn get_status(rank: &Rank, request: MPI_Request, flag: *mut c_int, status: *mut MPI_Status) -> Result<()> {
    let over = tested(&rank.process, request.handle())?;
    // SAFETY: the caller's.
    unsafe {
        put("flag", flag, over.into())?;
        if over {
            store(status, &rank.process.look(request.handle())?.status);
        }
    }
    Ok(())
}

pub unsafe fn get_status_any(
    rank: &Rank,
    count: c_int,
    requests: *const MPI_Request,
    index: *mut c_int,
    flag: *mut c_int,
    status: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    let requests = unsafe { array("array_of_requests", requests, length("count", count)?) }?;
    let found = test_for_one(&rank.process, requests)?;
    let (at, outcome) = match found {
        Found::Complete(at) => (at as c_int, Some(rank.process.look(requests[at].handle())?)),
        Found::Nothing => (UNDEFINED, Some(Outcome::EMPTY)),
        Found::Active => (UNDEFINED, None),
    };
    // SAFETY: the caller's.
    unsafe {
        put("flag", flag, outcome.is_some().into())?;
        put("indx", index, at)?;
        if let Some(outcome) = outcome {
            store(status, &outcome.status);
        }
    }
    Ok(())
}

pub unsafe fn get_status_all(
    rank: &Rank,
    count: c_int,
    requests: *const MPI_Request,
    flag: *mut c_int,
    statuses: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    let requests = unsafe { array("array_of_requests", requests, length("count", count)?) }?;
    check_all(&rank.process, requests)?;
    let all = all_inactive(&rank.process, requests)?;
    // SAFETY: the caller's.
    unsafe { put("flag", flag, all.into()) }?;
    if all && !statuses.is_null() {
        for (at, request) in requests.iter().enumerate() {
            // SAFETY: the caller's: as many statuses as requests.
            unsafe { store(statuses.add(at), &rank.process.look(request.handle())?.status) };
        }
    }
    Ok(())
}

pub unsafe fn get_status_some(
    rank: &Rank,
    count: c_int,
    requests: *const MPI_Request,
    outcount: *mut c_int,
    indices: *mut c_int,
    statuses: *mut MPI_Status,
) -> Result<()> {
    // SAFETY: the caller's.
    let requests = unsafe { array("array_of_requests", requests, length("incount", count)?) }?;
    if let Found::Nothing = test_for_one(&rank.process, requests)? {
        // SAFETY: the caller's.
        return unsafe { put("outcount", outcount, UNDEFINED) };
    }
    // SAFETY: the caller's.
    let indices = unsafe { array_mut("array_of_indices", indices, requests.len()) }?;
    let mut complete = 0;
    for (at, request) in requests.iter().enumerate() {
        if rank.process.standing(request.handle())? == Standing::Complete {
            indices[complete] = at as c_int;
            if !statuses.is_null() {
                // SAFETY: the caller's: as many statuses as requests.
                unsafe { store(statuses.add(complete), &rank.process.look(request.handle())?.status) };
            }
            complete += 1;
        }
    }
    // SAFETY: the caller's.
    unsafe { put("outcount", outcount, complete as c_int) }
}
