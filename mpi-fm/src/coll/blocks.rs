//! Buffers that consist of one block per member.

use super::data::{Data, Held};
use crate::bail;
use crate::buf::Buf;
use crate::datatype::Datatype;
use crate::error::Result;
use std::sync::Arc;

/// An array of counts or displacements.
pub enum Ints {
    /// As the program passed it to a blocking call, 32 or 64 bits wide. It stays as it is until the call returns.
    Narrow(*const i32, usize),
    Wide(*const i64, usize),
    /// A copy, for what outlives the call. A nonblocking call's array stays as it is until the operation is complete (MPI 5.0 section
    /// 6.12), but programs free that of a persistent one between initialisation and start (mpi4py does for `MPI_Reduce_scatter_init`).
    Own(Box<[i64]>),
}

// SAFETY: nobody writes the array during the call.
unsafe impl Send for Ints {}
// SAFETY: as above.
unsafe impl Sync for Ints {}

impl Ints {
    /// # Safety
    /// `addr` points to `len` integers, which nobody changes until [`Ints::own`] or the end of the value; it may be null if `len` is 0.
    pub unsafe fn narrow(addr: *const i32, len: usize) -> Ints {
        Ints::Narrow(addr, len)
    }

    /// # Safety
    /// As for [`Ints::narrow`].
    pub unsafe fn wide(addr: *const i64, len: usize) -> Ints {
        Ints::Wide(addr, len)
    }

    /// The same numbers, independent of the program's array.
    pub fn own(self) -> Ints {
        match self {
            Ints::Own(_) => self,
            Ints::Narrow(..) | Ints::Wide(..) => Ints::Own(self.iter().collect()),
        }
    }

    pub fn len(&self) -> usize {
        match self {
            Ints::Narrow(_, len) | Ints::Wide(_, len) => *len,
            Ints::Own(array) => array.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    #[inline]
    pub fn get(&self, index: usize) -> i64 {
        assert!(index < self.len(), "an array with one entry per member");
        match self {
            // SAFETY: promised at construction.
            Ints::Narrow(addr, _) => unsafe { addr.add(index).read() }.into(),
            // SAFETY: as above.
            Ints::Wide(addr, _) => unsafe { addr.add(index).read() },
            Ints::Own(array) => array[index],
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = i64> + '_ {
        (0..self.len()).map(|index| self.get(index))
    }

    /// Refuses counts below zero.
    ///
    /// # Errors
    /// `MPI_ERR_COUNT`
    pub fn check(&self, name: &str) -> Result<()> {
        match self.iter().position(|count| count < 0) {
            Some(index) => bail!(COUNT, "{name}[{index}] is {}: a count cannot be negative", self.get(index)),
            None => Ok(()),
        }
    }
}

/// Beginning of a buffer that counts and displacements describe. It vouches for the memory as a [`Buf`] does.
#[derive(Clone, Copy)]
pub struct Base(*mut u8);

// SAFETY: as `Buf`.
unsafe impl Send for Base {}
// SAFETY: as `Buf`.
unsafe impl Sync for Base {}

impl Base {
    /// # Safety
    /// As [`Buf::new`], for the blocks that the counts, displacements and types describe with which it is used.
    pub unsafe fn new(addr: *mut u8) -> Base {
        Base(addr)
    }
}

/// Where in a buffer the block of each member is.
pub enum Blocks<'a> {
    /// `len` blocks of `each` items, one after the other.
    Even { whole: Data<'a>, len: usize, each: usize },
    /// All members get the same (neighbourhood allgather).
    Same { data: Data<'a>, len: usize },
    /// Counts and displacements, in items (`v` calls).
    Varying { base: Base, counts: Ints, displs: Ints, ty: Held<'a, Datatype> },
    /// Counts, displacements in bytes and types (`w` calls).
    Typed { base: Base, counts: Ints, displs: Ints, types: Box<[Arc<Datatype>]> },
}

impl<'a> Blocks<'a> {
    pub fn own(self) -> Blocks<'static> {
        match self {
            Blocks::Even { whole, len, each } => Blocks::Even { whole: whole.own(), len, each },
            Blocks::Same { data, len } => Blocks::Same { data: data.own(), len },
            Blocks::Varying { base, counts, displs, ty } => {
                Blocks::Varying { base, counts: counts.own(), displs: displs.own(), ty: ty.own() }
            }
            Blocks::Typed { base, counts, displs, types } => {
                Blocks::Typed { base, counts: counts.own(), displs: displs.own(), types }
            }
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

    pub fn is_even(&self) -> bool {
        matches!(self, Blocks::Even { .. })
    }

    /// The block of member `index`.
    #[inline]
    pub fn block(&self, index: usize) -> Buf<'_> {
        match self {
            Blocks::Even { .. } => self.run(index, 1),
            Blocks::Same { data, .. } => data.buf(),
            Blocks::Varying { base, counts, displs, ty } => {
                let step = displs.get(index) as isize * ty.extent() as isize;
                // SAFETY: promised with the base.
                unsafe { Buf::new(base.0.wrapping_offset(step), counts.get(index) as usize, ty) }
            }
            Blocks::Typed { base, counts, displs, types } => {
                let step = displs.get(index) as isize;
                // SAFETY: as above.
                unsafe { Buf::new(base.0.wrapping_offset(step), counts.get(index) as usize, &types[index]) }
            }
        }
    }

    /// Blocks that lie one after the other, as one buffer: those from `first` on.
    ///
    /// # Panics
    /// When they do not, or are not all there.
    #[inline]
    pub fn run(&self, first: usize, count: usize) -> Buf<'_> {
        let Blocks::Even { whole, each, .. } = self else { panic!("only even blocks lie one after the other") };
        let whole = whole.buf();
        whole.slice(first * each, count * each)
    }

    /// Packed bytes of all blocks.
    pub fn bytes(&self) -> u64 {
        match self {
            Blocks::Even { whole, .. } => whole.buf().bytes(),
            _ => (0..self.len()).fold(0, |sum: u64, index| sum.saturating_add(self.block(index).bytes())),
        }
    }
}
