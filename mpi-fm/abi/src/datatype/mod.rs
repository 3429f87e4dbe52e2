//! Datatypes (MPI 5.0 chapter 5): [`make`], [`query`], [`pack`].

pub mod make;
pub mod pack;
pub mod query;

use crate::args::put;
use crate::rank::Rank;
use crate::types::{CHandle, MPI_Datatype};
use mpi_fm::{Datatype, Result};
use std::sync::Arc;

/// Gives a new datatype its handle.
///
/// # Safety
/// If not null, `newtype` is writable.
unsafe fn hand_out(rank: &Rank, newtype: *mut MPI_Datatype, ty: Result<Arc<Datatype>>) -> Result<()> {
    let ty = ty?;
    crate::args::check("newtype", newtype)?;
    let handle = rank.types.register(&ty)?;
    // SAFETY: the caller's.
    unsafe { put("newtype", newtype, MPI_Datatype::from_handle(handle)) }
}
