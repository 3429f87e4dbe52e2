//! Copying what is mostly short.

#![allow(unsafe_code)] // Copies between addresses; each step is explained.

/// Copies `len` bytes. Few of them, as in most messages, take two moves that may overlap, and no call.
///
/// # Safety
/// They are readable at `from`, writable at `to`, and do not overlap.
#[inline(always)]
pub unsafe fn copy_bytes(from: *const u8, to: *mut u8, len: usize) {
    /// # Safety
    /// As for [`copy_bytes`], of at least `N` and at most `2 * N` bytes.
    #[inline(always)]
    unsafe fn both_ends<const N: usize>(from: *const u8, to: *mut u8, len: usize) {
        // SAFETY: both blocks are within the `len` bytes; what is read of them is read before anything is written.
        unsafe {
            let (first, last) = (from.cast::<[u8; N]>().read_unaligned(), from.add(len - N).cast::<[u8; N]>().read_unaligned());
            to.cast::<[u8; N]>().write_unaligned(first);
            to.add(len - N).cast::<[u8; N]>().write_unaligned(last);
        }
    }
    // SAFETY: each as the caller vouches for, of a length for which it is made.
    unsafe {
        match len {
            8..=16 => both_ends::<8>(from, to, len),
            17..=32 => both_ends::<16>(from, to, len),
            4..=7 => both_ends::<4>(from, to, len),
            0 => {}
            _ => std::ptr::copy_nonoverlapping(from, to, len),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn just_so_many_bytes_are_copied() {
        let from: Vec<u8> = (1..=100).collect();
        for len in 0..=from.len() {
            let mut to = vec![0; from.len() + 1];
            // SAFETY: both are longer, and apart.
            unsafe { copy_bytes(from.as_ptr(), to.as_mut_ptr(), len) };
            assert_eq!(to[..len], from[..len]);
            assert!(to[len..].iter().all(|byte| *byte == 0), "{len} bytes");
        }
    }
}
