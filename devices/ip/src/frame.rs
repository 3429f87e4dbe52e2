//! Packets as bytes of a connection: FM's header with the payload's length in its upper half, then the payload.
//!
//! That half is the device's bits and those of FM's credits, of which this device counts none. Where it is greater than any length, the
//! device itself has something to say, of its [lanes](crate::lane).

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

/// Upper halves that are no length, and say what the lower half is.
const IS_LANE: u32 = 0xffff_0001;
const IS_NUMBER: u32 = 0xffff_0002;
const IS_COME: u32 = 0xffff_0003;

/// Bytes that tell of a lane: a word with the port, and the token.
pub const LANE: usize = 2 * HEADER;

/// Tells of a lane's end.
pub fn lane(port: u16, token: u64) -> [u8; LANE] {
    let mut bytes = [0; LANE];
    bytes[..HEADER].copy_from_slice(&word(IS_LANE, port.into()));
    bytes[HEADER..].copy_from_slice(&token.to_le_bytes());
    bytes
}

/// Tells the number of the next packet.
pub fn number(number: u32) -> [u8; HEADER] {
    word(IS_NUMBER, number)
}

/// Tells how many packets have come.
pub fn come(count: u32) -> [u8; HEADER] {
    word(IS_COME, count)
}

fn word(is: u32, value: u32) -> [u8; HEADER] {
    (u64::from(is) << LENGTH_SHIFT | u64::from(value)).to_le_bytes()
}

/// Length of a packet with this header, which one of ours has written.
pub fn length(bytes: [u8; HEADER]) -> usize {
    HEADER + (u64::from_le_bytes(bytes) >> LENGTH_SHIFT) as usize
}

/// What the next bytes of a connection are.
#[derive(PartialEq, Eq, Debug)]
pub enum Frame {
    /// A packet with so many bytes of payload behind the header.
    Packet(Header, usize),
    /// The other side's end of a lane has this port; its token is behind the header.
    Lane(u16),
    /// The next packet has this number. It and some behind it may have come by the lane.
    Number(u32),
    /// So many packets have come to the other side.
    Come(u32),
    /// No sender of ours writes this: where the next packet begins is unknown.
    Nonsense,
}

#[inline]
pub fn parse(bytes: [u8; HEADER]) -> Frame {
    let word = u64::from_le_bytes(bytes);
    let len = (word >> LENGTH_SHIFT) as usize;
    match len {
        0..=MAX_PACKET => Frame::Packet(Header::from_bits(word & ((1 << LENGTH_SHIFT) - 1)), len),
        _ => match (len as u32, word as u32) {
            (IS_LANE, port @ 1..=0xffff) => Frame::Lane(port as u16),
            (IS_NUMBER, number) => Frame::Number(number),
            (IS_COME, count) => Frame::Come(count),
            _ => Frame::Nonsense,
        },
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
            assert_eq!(length(header(single, len)), HEADER + len);
        }
        assert_eq!(parse(number(u32::MAX)), Frame::Number(u32::MAX));
        assert_eq!(parse(come(7)), Frame::Come(7));
        let lane = lane(80, 0x1122);
        assert_eq!((parse(*lane.first_chunk().unwrap()), lane[HEADER..] == 0x1122u64.to_le_bytes()), (Frame::Lane(80), true));
        assert_eq!(parse(word(IS_LANE, 0)), Frame::Nonsense);
        assert_eq!(parse([0xff; HEADER]), Frame::Nonsense);
        assert_eq!(parse([0, 1, 0, 0, 1, 0, 2, 0]), Frame::Nonsense);
        assert_eq!(parse([0; HEADER]), Frame::Packet(Header::GARBLED, 0));
    }
}
