//! This device's 16 bits of a cell's word: the ring's lap bit, whether the payload is elsewhere, and its length if not.

use fm::Header;

/// The payload is in a large cell, named by a [`Reference`] in the ring's cell.
const LARGE: u64 = 1 << 62;
const LEN_SHIFT: u32 = Header::DEVICE_SHIFT;
const LEN_MASK: u64 = (1 << (62 - LEN_SHIFT)) - 1;

/// No message, but that the writer goes on at the ring's start.
pub const SKIP: u64 = LARGE | LEN_MASK << LEN_SHIFT;

/// Names a large cell of the sender's pool.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Reference {
    pub cell: u32,
    pub len: u32,
}

#[inline]
pub fn inline(header: Header, len: usize) -> u64 {
    header.to_bits() | (len as u64) << LEN_SHIFT
}

#[inline]
pub fn large(header: Header) -> u64 {
    header.to_bits() | LARGE
}

/// Where a word says its payload is.
pub enum Place {
    /// In the ring: this many bytes. Any length may be claimed.
    Inline(usize),
    Large,
    Skip,
}

#[inline]
pub fn place(word: u64) -> Place {
    let len = (word >> LEN_SHIFT & LEN_MASK) as usize;
    if word & LARGE == 0 {
        Place::Inline(len)
    } else if word == SKIP {
        Place::Skip
    } else {
        Place::Large
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fm::HandlerId;

    #[test]
    fn words_say_what_was_put_in() {
        let header = Header::single(HandlerId(7));
        assert!(matches!(place(inline(header, 5000)), Place::Inline(5000)));
        assert!(matches!(place(inline(header, 0)), Place::Inline(0)));
        assert!(matches!(place(large(header)), Place::Large));
        assert!(matches!(place(SKIP), Place::Skip));
        assert_eq!(Header::from_bits(inline(header, 56)), header);
        assert_eq!((inline(header, 56) | large(header) | SKIP) >> 63, 0, "the lap bit is the ring's");
    }
}
