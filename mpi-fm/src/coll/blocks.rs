//! Buffers that consist of one block per member.

use super::data::{Data, Held, check_address};
use crate::bail;
use crate::buf::Buf;
use crate::datatype::Datatype;
use crate::error::Result;
use std::sync::Arc;

/// An array of counts or displacements as the program passed it: `int` or 64 bits wide. The program leaves it alone until the call is
/// complete (MPI 5.0 section 6.12), so it is not copied.
#[derive(Clone, Copy)]
pub struct Ints {
    addr: *const u8,
    wide: bool,
    len: usize,
}

// SAFETY: nobody writes the array during the call.
unsafe impl Send for Ints {}
// SAFETY: as above.
unsafe impl Sync for Ints {}

impl Ints {
    /// # Safety
    /// `addr` points to `len` integers, which nobody changes as long as the value is used; it may be null if `len` is 0.
    pub unsafe fn narrow(addr: *const i32, len: usize) -> Ints {
        Ints { addr: addr.cast(), wide: false, len }
    }

    /// # Safety
    /// As for [`Ints::narrow`].
    pub unsafe fn wide(addr: *const i64, len: usize) -> Ints {
        Ints { addr: addr.cast(), wide: true, len }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    #[inline]
    pub fn get(&self, index: usize) -> i64 {
        assert!(index < self.len, "an array with one entry per member");
        // SAFETY: promised at construction.
        unsafe {
            if self.wide { self.addr.cast::<i64>().add(index).read() } else { self.addr.cast::<i32>().add(index).read().into() }
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        (0..self.len).map(|index| self.get(index))
    }

    /// Refuses counts below zero.
    ///
    /// # Errors
    /// `MPI_ERR_COUNT`, `MPI_ERR_ARG` for a null array.
    pub fn check_counts(&self, name: &str) -> Result<()> {
        self.check_present(name)?;
        match self.iter().position(|count| count < 0) {
            Some(index) => bail!(COUNT, "{name}[{index}] is {}: a count must not be negative", self.get(index)),
            None => Ok(()),
        }
    }

    /// # Errors
    /// `MPI_ERR_ARG` for a null array.
    pub fn check_present(&self, name: &str) -> Result<()> {
        if self.addr.is_null() && self.len > 0 {
            bail!(ARG, "{name} is a null pointer");
        }
        Ok(())
    }
}

/// Where in a buffer the block of each member is.
pub enum Blocks<'a> {
    /// One after the other; the data's count is that of one block.
    Even { data: Data<'a>, len: usize },
    /// All members get the same (neighbourhood allgather).
    Same { data: Data<'a>, len: usize },
    /// Counts and displacements, in items (`v` calls).
    Varying { addr: *mut u8, counts: Ints, displs: Ints, ty: Held<'a, Datatype> },
    /// Counts, displacements in bytes and types (`w` calls).
    Typed { addr: *mut u8, counts: Ints, displs: Ints, types: Box<[Arc<Datatype>]> },
}

// SAFETY: as `Data`.
unsafe impl Send for Blocks<'_> {}
// SAFETY: as above.
unsafe impl Sync for Blocks<'_> {}

impl<'a> Blocks<'a> {
    pub fn own(self) -> Blocks<'static> {
        match self {
            Blocks::Even { data, len } => Blocks::Even { data: data.own(), len },
            Blocks::Same { data, len } => Blocks::Same { data: data.own(), len },
            Blocks::Varying { addr, counts, displs, ty } => Blocks::Varying { addr, counts, displs, ty: ty.own() },
            Blocks::Typed { addr, counts, displs, types } => Blocks::Typed { addr, counts, displs, types },
        }
    }

    /// Number of blocks.
    pub fn len(&self) -> usize {
        match self {
            Blocks::Even { len, .. } | Blocks::Same { len, .. } => *len,
            Blocks::Varying { counts, .. } | Blocks::Typed { counts, .. } => counts.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The block of member `index`.
    #[inline]
    pub fn block(&self, index: usize) -> Buf<'_> {
        debug_assert!(index < self.len());
        match self {
            Blocks::Even { data, .. } => {
                let block = data.buf();
                let step = (index * block.count()) as isize * block.ty().extent() as isize;
                // SAFETY: the buffer holds `len` blocks, as promised where it was described.
                unsafe { Buf::new(block.addr().wrapping_offset(step), block.count(), block.ty()) }
            }
            Blocks::Same { data, .. } => data.buf(),
            Blocks::Varying { addr, counts, displs, ty } => {
                let step = displs.get(index) as isize * ty.extent() as isize;
                // SAFETY: as above.
                unsafe { Buf::new(addr.wrapping_offset(step), counts.get(index) as usize, ty) }
            }
            Blocks::Typed { addr, counts, displs, types } => {
                let step = displs.get(index) as isize;
                // SAFETY: as above.
                unsafe { Buf::new(addr.wrapping_offset(step), counts.get(index) as usize, &types[index]) }
            }
        }
    }

    /// Blocks that lie one after the other, as one buffer: those from `first` on.
    ///
    /// # Panics
    /// When they do not, or are not all there.
    pub fn run(&self, first: usize, count: usize) -> Buf<'_> {
        let Blocks::Even { len, .. } = self else { panic!("only even blocks lie one after the other") };
        assert!(first + count <= *len);
        let block = self.block(first);
        // SAFETY: as above.
        unsafe { block.with_count(block.count() * count) }
    }

    /// Packed bytes of all blocks.
    pub fn bytes(&self) -> u64 {
        match self {
            Blocks::Even { data, len } => data.buf().bytes().saturating_mul(*len as u64),
            _ => (0..self.len()).fold(0, |sum: u64, index| sum.saturating_add(self.block(index).bytes())),
        }
    }

    /// Refuses what cannot be such a buffer.
    ///
    /// # Errors
    /// `MPI_ERR_BUFFER`, `MPI_ERR_COUNT`, `MPI_ERR_ARG`
    pub fn check(&self, name: &str) -> Result<()> {
        match self {
            Blocks::Even { data, .. } | Blocks::Same { data, .. } => data.check(name),
            Blocks::Varying { addr, counts, displs, ty } => {
                counts.check_counts(&format!("the array of counts of {name}"))?;
                displs.check_present(&format!("the array of displacements of {name}"))?;
                let items = counts.iter().fold(0i64, i64::saturating_add);
                if !addr.is_null() { Ok(()) } else { check_address(*addr, items as usize, ty, name) }
            }
            Blocks::Typed { counts, displs, .. } => {
                counts.check_counts(&format!("the array of counts of {name}"))?;
                displs.check_present(&format!("the array of displacements of {name}"))
            }
        }
    }
}
