//! A user's buffer as a pending operation keeps it.

use crate::buf::Buf;
use crate::datatype::Datatype;
use fm::copying::copy_bytes;
use std::sync::Arc;

/// Where a message's bytes come from or go to, until the operation is complete. By MPI's rules the user keeps the buffer alive
/// and leaves it alone for as long (MPI 5.0 section 3.7.2); the datatype may be freed earlier.
pub enum Memory {
    /// Bytes at an address.
    Bytes { addr: *mut u8, len: u64 },
    /// Elements of a datatype with holes.
    Typed { addr: *mut u8, count: usize, ty: Arc<Datatype>, bytes: u64 },
    /// The engine's own copy of a message.
    Owned(Box<[u8]>),
}

// SAFETY: the pointers are only followed on behalf of the operation, which the user started for any thread to complete.
unsafe impl Send for Memory {}

impl Memory {
    pub const EMPTY: Memory = Memory::Bytes { addr: std::ptr::null_mut(), len: 0 };

    #[inline]
    pub fn of(buf: &Buf<'_>) -> Memory {
        match buf.as_contiguous() {
            Some(bytes) => Memory::Bytes { addr: bytes.cast(), len: bytes.len() as u64 },
            None => {
                Memory::Typed { addr: buf.addr(), count: buf.count(), ty: Arc::clone(buf.ty()), bytes: buf.bytes() }
            }
        }
    }

    /// Becomes `memory`; the present one is empty and of [`Memory::Bytes`], as that of a new request.
    #[inline]
    pub fn set(&mut self, memory: Memory) {
        debug_assert!(matches!(self, Memory::Bytes { .. }));
        std::mem::forget(std::mem::replace(self, memory));
    }

    /// Becomes [`of`](Self::of) `buf`, under the same condition.
    #[inline(always)]
    pub fn describe(&mut self, buf: &Buf<'_>) {
        match buf.as_contiguous() {
            Some(bytes) => self.set(Memory::Bytes { addr: bytes.cast(), len: bytes.len() as u64 }),
            None => self.describe_typed(buf),
        }
    }

    #[inline(never)]
    fn describe_typed(&mut self, buf: &Buf<'_>) {
        self.set(Memory::of(buf));
    }

    /// Becomes empty.
    #[inline]
    pub fn clear(&mut self) {
        match self {
            // What is of no length is nowhere.
            Memory::Bytes { len, .. } => *len = 0,
            Memory::Typed { .. } | Memory::Owned(_) => *self = Memory::EMPTY,
        }
    }

    /// Length of the message it holds or has room for, in packed bytes.
    #[inline]
    pub fn len(&self) -> u64 {
        match self {
            Memory::Bytes { len, .. } => *len,
            Memory::Typed { bytes, .. } => *bytes,
            Memory::Owned(bytes) => bytes.len() as u64,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the message lies as one piece, if it does.
    pub fn address(&self) -> Option<u64> {
        match self {
            Memory::Bytes { addr, .. } => Some(addr.addr() as u64),
            Memory::Owned(bytes) => Some(bytes.as_ptr().addr() as u64),
            Memory::Typed { .. } => None,
        }
    }

    /// Room for `len` bytes at `offset`, if it is one piece: to be written by who copies from elsewhere.
    pub fn room_at(&mut self, offset: u64, len: usize) -> Option<&mut [u8]> {
        if offset.checked_add(len as u64)? > self.len() {
            return None;
        }
        match self {
            // SAFETY: the user's buffer has room for that much, and nobody else touches it until the operation is complete.
            Memory::Bytes { addr, .. } => Some(unsafe { std::slice::from_raw_parts_mut(addr.add(offset as usize), len) }),
            Memory::Owned(bytes) => Some(&mut bytes[offset as usize..][..len]),
            Memory::Typed { .. } => None,
        }
    }

    /// `len` bytes at `offset`, if they are one piece: to be copied elsewhere.
    pub fn piece_at(&self, offset: u64, len: usize) -> Option<&[u8]> {
        if offset.checked_add(len as u64)? > self.len() {
            return None;
        }
        match self {
            // SAFETY: the user's buffer has that much, and nobody writes it until the operation is complete.
            Memory::Bytes { addr, .. } => Some(unsafe { std::slice::from_raw_parts(addr.add(offset as usize), len) }),
            Memory::Owned(bytes) => Some(&bytes[offset as usize..][..len]),
            Memory::Typed { .. } => None,
        }
    }

    /// Copies packed bytes from `offset` on into `out`, which must not reach past the end.
    pub fn read_at(&self, offset: u64, out: &mut [u8]) {
        assert!(offset + out.len() as u64 <= self.len(), "reading past the end of a message");
        match self {
            Memory::Bytes { addr, .. } => {
                // SAFETY: the user's buffer has `len` bytes, of which the assertion keeps us; nobody writes it (see the type).
                unsafe { addr.add(offset as usize).copy_to_nonoverlapping(out.as_mut_ptr(), out.len()) }
            }
            Memory::Typed { addr, count, ty, .. } => {
                // SAFETY: the user's buffer holds `count` elements of the type.
                unsafe { ty.pack(*addr, *count, offset, out) };
            }
            Memory::Owned(bytes) => out.copy_from_slice(&bytes[offset as usize..][..out.len()]),
        }
    }

    /// Copies `data` to its beginning, which has room for it.
    #[inline(always)]
    pub fn fill(&mut self, data: &[u8]) {
        match self {
            Memory::Bytes { addr, len } if data.len() as u64 <= *len => {
                // SAFETY: the user's buffer has room for `len` bytes; nobody reads it meanwhile.
                unsafe { copy_bytes(data.as_ptr(), *addr, data.len()) }
            }
            _ => self.write_at(0, data),
        }
    }

    /// Copies `data` to packed offset `offset`; what reaches past the end is dropped.
    pub fn write_at(&mut self, offset: u64, data: &[u8]) {
        let Some(room) = self.len().checked_sub(offset) else { return };
        let data = &data[..data.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        match self {
            Memory::Bytes { addr, .. } => {
                // SAFETY: the user's buffer has room for `len` bytes, to which `data` was cut; nobody reads it meanwhile.
                unsafe { addr.add(offset as usize).copy_from_nonoverlapping(data.as_ptr(), data.len()) }
            }
            Memory::Typed { addr, count, ty, .. } => {
                // SAFETY: the user's buffer has room for `count` elements of the type.
                unsafe { ty.unpack(*addr, *count, offset, data) };
            }
            Memory::Owned(bytes) => bytes[offset as usize..][..data.len()].copy_from_slice(data),
        }
    }

    /// A copy of the message.
    pub fn to_owned(&self) -> Memory {
        let mut bytes = vec![0; self.len() as usize].into_boxed_slice();
        self.read_at(0, &mut bytes);
        Memory::Owned(bytes)
    }

    /// Copies the message in `from` here, cut to the room there is. Returns the bytes copied.
    pub fn copy_from(&mut self, from: &Memory) -> u64 {
        let len = self.len().min(from.len());
        match from {
            Memory::Owned(bytes) => self.write_at(0, &bytes[..len as usize]),
            Memory::Bytes { addr, .. } => {
                // SAFETY: the sender's buffer holds `len` bytes; it does not overlap the receiver's (MPI 5.0 section 3.2.4).
                let bytes = unsafe { slice(*addr, len as usize) };
                self.write_at(0, bytes);
            }
            Memory::Typed { .. } => {
                let mut piece = vec![0; len.min(PIECE) as usize];
                let mut offset = 0;
                while offset < len {
                    let piece = &mut piece[..(len - offset).min(PIECE) as usize];
                    from.read_at(offset, piece);
                    self.write_at(offset, piece);
                    offset += piece.len() as u64;
                }
            }
        }
        len
    }
}

/// Bytes packed at a time when both sides may have holes.
const PIECE: u64 = 16 << 10;

/// # Safety
/// As [`std::slice::from_raw_parts`], but `addr` may be null when `len` is 0.
unsafe fn slice<'a>(addr: *const u8, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    // SAFETY: the caller's.
    unsafe { std::slice::from_raw_parts(addr, len) }
}
