//! Statuses (MPI 5.0 sections 3.2.5, 3.8.4, 5.1.11, 13.3): the C struct, and the functions that read and write it.
//!
//! The struct's private integers hold the length of the message in packed bytes and whether the operation was cancelled; an element
//! count is worked out when it is asked for.

use crate::args::{get, put};
use crate::count::Count;
use crate::instance::Instance;
use crate::rank::Rank;
use crate::types::{MPI_Datatype, MPI_F08_status, MPI_Fint, MPI_Status};
use mpi_fm::constants::UNDEFINED;
use mpi_fm::status::Status;
use mpi_fm::{Result, bail};
use std::ffi::c_int;

/// Places of the private integers.
const BYTES_LOW: usize = 0;
const BYTES_HIGH: usize = 1;
const CANCELLED: usize = 2;

impl MPI_Status {
    fn bytes(&self) -> u64 {
        self.internal[BYTES_LOW] as u32 as u64 | (self.internal[BYTES_HIGH] as u32 as u64) << 32
    }

    fn set_bytes(&mut self, bytes: u64) {
        self.internal[BYTES_LOW] = bytes as u32 as c_int;
        self.internal[BYTES_HIGH] = (bytes >> 32) as u32 as c_int;
    }

    /// What the engine knows of a status; the error field is apart.
    pub fn to_engine(&self) -> Status {
        Status {
            source: self.MPI_SOURCE,
            tag: self.MPI_TAG,
            bytes: self.bytes(),
            cancelled: self.internal[CANCELLED] != 0,
        }
    }

    /// Everything but the error field.
    pub fn from_engine(status: &Status, error: c_int) -> MPI_Status {
        let mut to = MPI_Status { MPI_SOURCE: status.source, MPI_TAG: status.tag, MPI_ERROR: error, internal: [0; 5] };
        to.set_bytes(status.bytes);
        to.internal[CANCELLED] = status.cancelled.into();
        to
    }
}

/// Stores a status where the program wants one. The error field stays as it is: only the calls that return several statuses set it
/// (MPI 5.0 section 3.2.5); but that of an empty status is `MPI_SUCCESS` (section 3.7.3).
///
/// # Safety
/// `to` is `MPI_STATUS_IGNORE` or points to a status.
#[inline]
pub unsafe fn store(to: *mut MPI_Status, status: &Status) {
    if !to.is_null() {
        // SAFETY: the caller's. The error field may not have been written yet, so it is not made into a reference.
        unsafe {
            let error = if *status == Status::EMPTY { 0 } else { (&raw const (*to).MPI_ERROR).read() };
            to.write(MPI_Status::from_engine(status, error));
        }
    }
}

/// Stores a status with its error code.
///
/// # Safety
/// As for [`store`].
#[inline]
pub unsafe fn store_with_error(to: *mut MPI_Status, status: &Status, error: c_int) {
    if !to.is_null() {
        // SAFETY: the caller's.
        unsafe { to.write(MPI_Status::from_engine(status, error)) };
    }
}

/// A status that the program passes: `MPI_STATUS_IGNORE` has nothing to tell.
unsafe fn given(status: *const MPI_Status) -> Result<MPI_Status> {
    // SAFETY: the caller's.
    unsafe { get("status", status) }
}

/// A count for the program: `MPI_UNDEFINED` where there is none, or none that fits (MPI 5.0 section 3.2.5).
fn count_or_undefined<N: Count>(count: Option<u64>) -> N {
    let fitting = count.and_then(|count| N::fit(i64::try_from(count).ok()?));
    fitting.or_else(|| N::fit(UNDEFINED.into())).expect("MPI_UNDEFINED fits an int")
}

pub unsafe fn get_count<N: Count>(
    rank: &Rank,
    status: *const MPI_Status,
    datatype: MPI_Datatype,
    count: *mut N,
) -> Result<()> {
    // SAFETY: the caller's.
    let bytes = unsafe { given(status) }?.bytes();
    let items = rank.datatype(datatype)?.items(bytes);
    // SAFETY: the caller's.
    unsafe { put("count", count, count_or_undefined(items)) }
}

pub unsafe fn get_elements<N: Count>(
    rank: &Rank,
    status: *const MPI_Status,
    datatype: MPI_Datatype,
    count: *mut N,
) -> Result<()> {
    // SAFETY: the caller's.
    let bytes = unsafe { given(status) }?.bytes();
    let elements = rank.datatype(datatype)?.elements(bytes);
    // SAFETY: the caller's.
    unsafe { put("count", count, count_or_undefined(elements)) }
}

pub unsafe fn set_elements<N: Count>(
    rank: &Rank,
    status: *mut MPI_Status,
    datatype: MPI_Datatype,
    count: N,
) -> Result<()> {
    let elements = crate::args::count(count)?;
    let ty = rank.datatype(datatype)?;
    let Some(bytes) = ty.bytes_of_elements(elements as u64) else {
        bail!(COUNT, "{elements} basic elements are not what items of {} have", ty.describe())
    };
    // SAFETY: the caller's.
    unsafe { change(status, |status| status.set_bytes(bytes)) }
}

pub unsafe fn set_cancelled(_: &Rank, status: *mut MPI_Status, flag: c_int) -> Result<()> {
    // SAFETY: the caller's.
    unsafe { change(status, |status| status.internal[CANCELLED] = (flag != 0).into()) }
}

pub unsafe fn test_cancelled(_: &Rank, status: *const MPI_Status, flag: *mut c_int) -> Result<()> {
    // SAFETY: the caller's.
    let cancelled = unsafe { given(status) }?.internal[CANCELLED];
    // SAFETY: the caller's.
    unsafe { put("flag", flag, (cancelled != 0).into()) }
}

unsafe fn change(status: *mut MPI_Status, change: impl FnOnce(&mut MPI_Status)) -> Result<()> {
    // SAFETY: the caller's.
    let mut changed = unsafe { given(status) }?;
    change(&mut changed);
    // SAFETY: the caller's.
    unsafe { put("status", status, changed) }
}

macro_rules! fields {
    ($($getter:ident $setter:ident $field:ident)*) => {$(
        pub unsafe fn $getter(_: &Rank, status: *const MPI_Status, to: *mut c_int) -> Result<()> {
            // SAFETY: the caller's.
            let value = unsafe { given(status) }?.$field;
            // SAFETY: the caller's.
            unsafe { put("the result", to, value) }
        }

        pub unsafe fn $setter(_: &Rank, status: *mut MPI_Status, value: c_int) -> Result<()> {
            // SAFETY: the caller's.
            unsafe { change(status, |status| status.$field = value) }
        }
    )*};
}

fields! {
    get_source set_source MPI_SOURCE
    get_tag set_tag MPI_TAG
    get_error set_error MPI_ERROR
}

/// C, `mpif.h` and `mpi_f08` have the same eight integers in the same order (MPI 5.0 section 20.3).
unsafe fn same<A: Copy, B>(from: *const A, to: *mut B) -> Result<()> {
    const { assert!(size_of::<MPI_Status>() == size_of::<[MPI_Fint; 8]>()) };
    if from.is_null() {
        bail!(ARG, "the status is MPI_STATUS_IGNORE, which has no contents to convert");
    }
    // SAFETY: the caller's: both are statuses, as a struct or as 8 integers.
    let status = unsafe { from.cast::<MPI_Status>().read() };
    // SAFETY: the caller's.
    unsafe { put("the converted status", to.cast::<MPI_Status>(), status) }
}

macro_rules! conversions {
    ($($name:ident $from:ident $to:ident)*) => {$(
        pub unsafe fn $name(_: &Instance, from: *const $from, to: *mut $to) -> Result<()> {
            // SAFETY: the caller's.
            unsafe { same(from, to) }
        }
    )*};
}

conversions! {
    c2f MPI_Status MPI_Fint
    f2c MPI_Fint MPI_Status
    c2f08 MPI_Status MPI_F08_status
    f082c MPI_F08_status MPI_Status
    f2f08 MPI_Fint MPI_F08_status
    f082f MPI_F08_status MPI_Fint
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_survives_the_c_struct() {
        let status = Status { source: 3, tag: -2, bytes: 0x1234_5678_9abc_def0, cancelled: true };
        assert_eq!(MPI_Status::from_engine(&status, 15).to_engine(), status);
        let mut c = MPI_Status::from_engine(&Status::EMPTY, 15);
        // SAFETY: a status of ours.
        unsafe { store(&mut c, &status) };
        assert_eq!((c.MPI_ERROR, c.to_engine()), (15, status), "the error field is left alone");
    }

    #[test]
    fn counts_that_do_not_fit_are_undefined() {
        assert_eq!(count_or_undefined::<c_int>(Some(7)), 7);
        assert_eq!(count_or_undefined::<c_int>(Some(1 << 31)), UNDEFINED);
        assert_eq!(count_or_undefined::<i64>(Some(1 << 31)), 1 << 31);
        assert_eq!(count_or_undefined::<i64>(None), i64::from(UNDEFINED));
    }
}
