//! A user's buffer: an address, a count and a datatype.

use std::sync::Arc;

use crate::datatype::{self, Datatype};
use fm::copying::copy_bytes;

/// `count` items of type `ty` at `addr`. The address may be null (MPI_BOTTOM) where the type holds absolute ones.
///
/// A `Buf` vouches for the memory: [`Buf::new`] is unsafe, so that using one is not.
#[derive(Clone, Copy, Debug)]
pub struct Buf<'a> {
    pub(crate) addr: *mut u8,
    pub(crate) count: usize,
    pub(crate) ty: &'a Arc<Datatype>,
    /// Packed size.
    bytes: u64,
}

// SAFETY: a `Buf` is a name for memory that the MPI program has handed over for the time of an operation
// (MPI 5.0 section 3.7.2); whichever thread makes progress may move the bytes.
unsafe impl Send for Buf<'_> {}
// SAFETY: as above.
unsafe impl Sync for Buf<'_> {}

impl<'a> Buf<'a> {
    /// # Safety
    /// Until the operation that gets this buffer is complete, the memory that `count` items of `ty` at `addr` describe
    /// is readable, and writable if the operation receives into it; nobody else changes what is read, or touches what
    /// is written. This is what the MPI standard asks of the caller, and what cannot be checked.
    #[inline]
    pub unsafe fn new(addr: *mut u8, count: usize, ty: &'a Arc<Datatype>) -> Buf<'a> {
        Buf { addr, count, ty, bytes: packed_size(ty, count) }
    }

    pub fn addr(&self) -> *mut u8 {
        self.addr
    }

    pub fn count(&self) -> usize {
        self.count
    }

    pub fn ty(&self) -> &'a Arc<Datatype> {
        self.ty
    }

    /// Packed size.
    #[inline]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The same type and address, with another count.
    ///
    /// # Safety
    /// As for [`Buf::new`] if `count` is larger.
    pub unsafe fn with_count(&self, count: usize) -> Buf<'a> {
        Buf { count, bytes: packed_size(self.ty, count), ..*self }
    }

    /// Some of the items.
    ///
    /// # Panics
    /// When they are not all among those of this buffer.
    #[inline]
    pub fn slice(&self, first: usize, count: usize) -> Buf<'a> {
        assert!(first + count <= self.count, "items {first} .. {} of {}", first + count, self.count);
        let addr = self.addr.wrapping_offset(first as isize * self.ty.extent() as isize);
        Buf { addr, count, ty: self.ty, bytes: packed_size(self.ty, count) }
    }

    /// Whether data of both begins at the same byte. Buffers may overlap without it: that costs more to find out.
    pub fn begins_with(&self, other: &Buf<'_>) -> bool {
        let first = |buf: &Buf<'_>| buf.addr.wrapping_offset(buf.ty.true_lb() as isize);
        self.bytes().min(other.bytes()) > 0 && first(self) == first(other)
    }

    /// Where the data is, if packed and memory order are the same.
    #[inline]
    pub fn as_contiguous(&self) -> Option<*mut [u8]> {
        let start = self.addr.wrapping_offset(self.ty.true_lb() as isize);
        let contiguous = self.ty.is_contiguous_for(self.count);
        contiguous.then(|| std::ptr::slice_from_raw_parts_mut(start, self.bytes() as usize))
    }

    /// The message, if it is one piece.
    #[inline]
    pub fn as_bytes(&self) -> Option<&[u8]> {
        let bytes = self.as_contiguous()?;
        // SAFETY: the memory is readable by the promise made at `new`, for as long as the `Buf` lives; what is empty may be nowhere.
        Some(if bytes.is_empty() { &[] } else { unsafe { &*bytes } })
    }

    /// Reads packed bytes from `offset` on into `out`; returns how many there were.
    #[inline]
    pub fn read_at(&self, offset: u64, out: &mut [u8]) -> usize {
        // SAFETY: the memory is readable by the promise made at `new`.
        unsafe { self.ty.pack(self.addr, self.count, offset, out) }
    }

    /// Reads it from its beginning into `out`: all of it, if there is room.
    #[inline]
    pub fn read(&self, out: &mut [u8]) {
        if !self.ty.is_contiguous_for(self.count) {
            self.read_at(0, out);
            return;
        }
        let start = self.addr.wrapping_offset(self.ty.true_lb() as isize);
        // SAFETY: `bytes` lie there in one piece, and are readable by the promise made at `new`.
        unsafe { copy_bytes(start, out.as_mut_ptr(), out.len().min(self.bytes as usize)) };
    }

    /// Writes packed bytes `data` from `offset` on; returns how many there was room for.
    #[inline]
    pub fn write_at(&self, offset: u64, data: &[u8]) -> usize {
        // SAFETY: the memory is writable by the promise made at `new`.
        unsafe { self.ty.unpack(self.addr, self.count, offset, data) }
    }

    /// Copies what fits both into `to`; returns the bytes. For messages to self and a collective's own part.
    pub fn copy_to(&self, to: &Buf<'_>) -> u64 {
        // SAFETY: by the promise made at `new` the one is readable, the other writable and touched by nobody else.
        unsafe { datatype::copy((self.ty, self.addr, self.count), (to.ty, to.addr, to.count)) }
    }

    /// The contiguous pieces of packed bytes `offset .. offset + len`, in order.
    pub fn for_each_piece(&self, offset: u64, len: usize, piece: impl FnMut(*mut u8, usize)) {
        self.ty.for_each_piece(self.addr, self.count, offset, len, piece);
    }
}

#[inline]
fn packed_size(ty: &Datatype, count: usize) -> u64 {
    ty.size().saturating_mul(count as u64)
}

/// Goes through a buffer from its beginning, in pieces of any size. Finding a packed offset costs O(depth · log n), so
/// the position is all it has to remember.
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'a> {
    buf: Buf<'a>,
    offset: u64,
}

impl<'a> Cursor<'a> {
    pub fn new(buf: Buf<'a>) -> Cursor<'a> {
        Cursor { buf, offset: 0 }
    }

    pub fn offset(&self) -> u64 {
        self.offset
    }

    pub fn left(&self) -> u64 {
        self.buf.bytes() - self.offset
    }

    /// Fills `out` with the bytes that follow; returns how many there were.
    pub fn read(&mut self, out: &mut [u8]) -> usize {
        let n = self.buf.read_at(self.offset, out);
        self.offset += n as u64;
        n
    }

    /// Writes `data` to the places that follow; returns how many bytes there was room for.
    pub fn write(&mut self, data: &[u8]) -> usize {
        let n = self.buf.write_at(self.offset, data);
        self.offset += n as u64;
        n
    }
}
