//! Packing, unpacking and copying: the operations that the rest of the engine calls.

use super::Datatype;
use super::copy::{Each, Gather, Scatter};
use super::walk::{Sink, at, walk_loop};

/// Between two layouts of which neither is contiguous, data passes through a buffer of this size: it fits the first-level
/// cache next to both ends.
const COPY_CHUNK: usize = 8 << 10;

impl Datatype {
    /// Walks packed bytes `offset .. offset + take` of `count` items at `addr`.
    ///
    /// # Safety
    /// The memory of that range is valid for what the sink does.
    #[inline]
    unsafe fn visit(&self, addr: *mut u8, offset: u64, take: usize, sink: &mut impl Sink) {
        let origin = addr.wrapping_offset(self.layout.disp as isize);
        // SAFETY: the caller's promise; the layout's places are those of the datatype.
        unsafe {
            if self.is_contiguous() {
                sink.run(at(origin, offset, 1), take);
            } else {
                walk_loop(&self.layout.node, self.extent(), origin, offset, take as u64, sink);
            }
        }
    }

    /// How many bytes a transfer at `offset` through a buffer of `room` bytes has.
    #[inline]
    fn span(&self, count: usize, offset: u64, room: usize) -> usize {
        let total = self.size().saturating_mul(count as u64);
        total.saturating_sub(offset).min(room as u64) as usize
    }

    /// Copies packed bytes from `offset` on, of `count` items at `addr`, to `out`; returns how many: fewer than `out` has
    /// only at the end of the data. `offset` may be any, inside a basic element too.
    ///
    /// # Safety
    /// `count` items of this type at `addr` are readable and do not overlap `out`.
    #[inline]
    pub unsafe fn pack(&self, addr: *const u8, count: usize, offset: u64, out: &mut [u8]) -> usize {
        let take = self.span(count, offset, out.len());
        if take > 0 {
            // SAFETY: the range lies within `count` items, which are readable; Gather writes `take` bytes.
            unsafe { self.visit(addr.cast_mut(), offset, take, &mut Gather { to: out.as_mut_ptr() }) };
        }
        take
    }

    /// Copies packed bytes `data`, the first of which is number `offset`, to `count` items at `addr`; returns how many
    /// there was room for.
    ///
    /// # Safety
    /// `count` items of this type at `addr` are writable and do not overlap `data`.
    #[inline]
    pub unsafe fn unpack(&self, addr: *mut u8, count: usize, offset: u64, data: &[u8]) -> usize {
        let take = self.span(count, offset, data.len());
        if take > 0 {
            // SAFETY: the range lies within `count` items, which are writable; Scatter reads `take` bytes.
            unsafe { self.visit(addr, offset, take, &mut Scatter { from: data.as_ptr() }) };
        }
        take
    }

    /// Calls `piece(address, length)` for the contiguous pieces of memory that hold packed bytes
    /// `offset .. offset + len`, in order. For devices that read or write user memory themselves.
    #[allow(clippy::not_unsafe_ptr_arg_deref)] // It is only an address here.
    pub fn for_each_piece(
        &self,
        addr: *mut u8,
        count: usize,
        offset: u64,
        len: usize,
        piece: impl FnMut(*mut u8, usize),
    ) {
        let take = self.span(count, offset, len);
        if take > 0 {
            // SAFETY: nothing is read or written here, only addresses are computed.
            unsafe { self.visit(addr, offset, take, &mut Each(piece)) };
        }
    }
}

/// Copies from one typed buffer to another what fits both, and returns the bytes.
///
/// # Safety
/// `from` is readable and `to` writable as described, and they do not overlap.
pub unsafe fn copy(from: (&Datatype, *const u8, usize), to: (&Datatype, *mut u8, usize)) -> u64 {
    let ((from_ty, from_addr, from_count), (to_ty, to_addr, to_count)) = (from, to);
    let total = from_ty
        .size()
        .saturating_mul(from_count as u64)
        .min(to_ty.size().saturating_mul(to_count as u64));
    if total == 0 {
        return 0;
    }
    let from_start = from_addr.wrapping_offset(from_ty.true_lb() as isize);
    let to_start = to_addr.wrapping_offset(to_ty.true_lb() as isize);
    // SAFETY: contiguous ends are `total` bytes from the true lower bound on, within the caller's buffers; the buffers do not
    // overlap each other, nor the chunk.
    unsafe {
        if from_ty.is_contiguous_for(from_count) {
            let data = std::slice::from_raw_parts(from_start, total as usize);
            to_ty.unpack(to_addr, to_count, 0, data);
        } else if to_ty.is_contiguous_for(to_count) {
            let out = std::slice::from_raw_parts_mut(to_start, total as usize);
            from_ty.pack(from_addr, from_count, 0, out);
        } else {
            let mut chunk = [0; COPY_CHUNK];
            let mut offset = 0;
            while offset < total {
                let n = (total - offset).min(COPY_CHUNK as u64) as usize;
                from_ty.pack(from_addr, from_count, offset, &mut chunk[..n]);
                to_ty.unpack(to_addr, to_count, offset, &chunk[..n]);
                offset += n as u64;
            }
        }
    }
    total
}
