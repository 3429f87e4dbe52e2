//! Packets as bytes of a connection: FM's header with the payload's length in its upper half, then the payload.
//!
//! That half is the device's bits and those of FM's credits, of which this device counts none.

use fm::Header;

/// Bytes before the payload.
pub const HEADER: usize = Header::SIZE;

/// Largest payload.
pub const MAX_PACKET: usize = 128 << 10;

const LENGTH_SHIFT: u32 = 32;

/// The header of a packet of `len` bytes.
#[inline]
pub fn header(header: Header, len: usize) -> [u8; HEADER] {
    debug_assert!(len <= MAX_PACKET && header.credits() == 0);
    (header.to_bits() | (len as u64) << LENGTH_SHIFT).to_le_bytes()
}

/// What the next bytes of a connection are.
#[derive(PartialEq, Eq, Debug)]
pub enum Frame {
    /// A packet with so many bytes of payload behind the header.
    Packet(Header, usize),
    /// No sender of ours writes this: where the next packet begins is unknown.
    Nonsense,
}

#[inline]
pub fn parse(bytes: [u8; HEADER]) -> Frame {
    let word = u64::from_le_bytes(bytes);
    let len = (word >> LENGTH_SHIFT) as usize;
    match len {
        0..=MAX_PACKET => Frame::Packet(Header::from_bits(word & ((1 << LENGTH_SHIFT) - 1)), len),
        _ => Frame::Nonsense,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fm::HandlerId;

    #[test]
    fn headers_carry_their_length() {
        let single = Header::single(HandlerId(9));
        for len in [0, 1, 4096, MAX_PACKET] {
            assert_eq!(parse(header(single, len)), Frame::Packet(single, len));
        }
        assert_eq!(parse([0xff; HEADER]), Frame::Nonsense);
        assert_eq!(parse([0, 1, 0, 0, 1, 0, 2, 0]), Frame::Nonsense);
        assert_eq!(parse([0; HEADER]), Frame::Packet(Header::GARBLED, 0));
    }
}
