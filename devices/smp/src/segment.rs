//! The segment as this process sees it: typed access to what [`layout`](crate::layout) places in it.

use crate::atomics::Native;
use crate::layout::{Control, Layout, PairRing};
use crate::pool::{self, CellIndex};
use crate::ring::{CELL_SIZE, Cell};
use crate::sys::Mapping;
use std::io;
use std::ops::Deref;
use std::os::fd::BorrowedFd;
use std::ptr::NonNull;
use std::sync::Arc;

pub struct Segment {
    mapping: Mapping,
    layout: Layout,
}

impl Segment {
    pub fn map(memory: BorrowedFd<'_>, layout: Layout) -> io::Result<Segment> {
        Ok(Segment { mapping: Mapping::new(memory, layout.size())?, layout })
    }

    pub fn ranks(&self) -> usize {
        self.layout.ranks()
    }

    pub fn control(&self, rank: usize) -> &Control {
        assert!(rank < self.ranks());
        let page = self.mapping.at(self.layout.control(rank), size_of::<Control>());
        // SAFETY: the layout keeps this page for the control page of `rank` and nothing else; a `Control` is made of atomics,
        // for which any bytes are valid.
        unsafe { page.cast().as_ref() }
    }

    pub fn ring(&self, from: usize, to: usize) -> &PairRing {
        assert!(from < self.ranks() && to < self.ranks());
        let cells = self.layout.ring_cells();
        let pages = self.mapping.at(self.layout.ring(from, to), (1 + cells) * CELL_SIZE);
        let ring = NonNull::slice_from_raw_parts(pages.cast::<Cell<Native>>(), cells).as_ptr() as *const PairRing;
        // SAFETY: the layout keeps these pages for this ring: its head's line and `cells` cells. It is made of atomics and of bytes
        // behind an `UnsafeCell`, for which any bytes are valid.
        unsafe { &*ring }
    }

    /// Cells in each ring.
    pub fn ring_cells(&self) -> usize {
        self.layout.ring_cells()
    }

    /// The address of a large cell in the pool of `owner`, if `bits` name one that holds `len` bytes.
    #[inline]
    pub fn large_cell(&self, owner: usize, bits: u32, len: usize) -> Option<NonNull<u8>> {
        assert!(owner < self.ranks());
        let offset = pool::locate(bits, len)?;
        Some(self.mapping.at(self.layout.pool(owner) + offset, len))
    }

    /// The region of `owner`, which boards divide among them.
    pub fn region(&self, owner: usize) -> NonNull<[u8]> {
        assert!(owner < self.ranks());
        let size = self.layout.region_size();
        NonNull::slice_from_raw_parts(self.mapping.at(self.layout.region(owner), size), size)
    }

    /// The address of our own `cell`.
    pub fn own_cell(&self, owner: usize, cell: CellIndex, len: usize) -> NonNull<u8> {
        self.large_cell(owner, cell.to_bits(), len).expect("the pool lends only cells that fit")
    }
}

/// A part of the segment, found once and kept: the hot paths do no arithmetic and no checks.
pub struct Part<T: ?Sized> {
    at: NonNull<T>,
    _segment: Arc<Segment>,
}

// SAFETY: a part is a shared reference into the segment that keeps the segment alive.
unsafe impl<T: Sync + ?Sized> Send for Part<T> {}
// SAFETY: as above.
unsafe impl<T: Sync + ?Sized> Sync for Part<T> {}

impl<T: ?Sized> Part<T> {
    pub fn new(segment: &Arc<Segment>, find: impl FnOnce(&Segment) -> &T) -> Self {
        Part { at: NonNull::from(find(segment)), _segment: segment.clone() }
    }
}

impl<T: ?Sized> Deref for Part<T> {
    type Target = T;
    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: made from a reference into the segment, which stays mapped while we hold it.
        unsafe { self.at.as_ref() }
    }
}
