//! A frame on the wire.
//!
//! ```text
//!  0        4          8            12              16              20          28
//!  version, checksum   incarnation  sequence        next expected   bitmap      FM header, payload
//!  kind                             of this frame   by its sender   beyond that
//! ```
//! Numbers are little-endian. Every frame acknowledges; only one that carries data has a sequence number. The checksum is the CRC-32C
//! (RFC 3720) of all the rest: links have checksums of their own, but memory and buses between them have not (Stone and Partridge,
//! "When the CRC and TCP checksum disagree", 2000), and not everything that carries frames has a link's.

use crate::packet::Header;
use std::ops::Range;

/// The prefix of every frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix {
    /// Tells the sender from an earlier process in its place.
    pub incarnation: u32,
    /// Of a frame with data.
    pub sequence: Option<u32>,
    pub acknowledged: Acknowledgement,
}

/// What a receiver has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Acknowledgement {
    /// The lowest sequence number that has not arrived.
    pub next: u32,
    /// Bit `i`: `next + 1 + i` has arrived.
    pub beyond: u64,
}

const VERSION: u8 = 1;
const ACKNOWLEDGES: u8 = 0;
const CARRIES_DATA: u8 = 1;

/// Where it is in a frame.
const CHECKSUM: Range<usize> = 4..8;

impl Prefix {
    pub const SIZE: usize = 28;

    /// Writes the prefix of `frame` before the packet that is there already.
    pub fn write(&self, frame: &mut [u8]) {
        let kind = if self.sequence.is_some() { CARRIES_DATA } else { ACKNOWLEDGES };
        frame[0..4].copy_from_slice(&[VERSION, kind, 0, 0]);
        frame[8..12].copy_from_slice(&self.incarnation.to_le_bytes());
        frame[12..16].copy_from_slice(&self.sequence.unwrap_or(0).to_le_bytes());
        frame[16..20].copy_from_slice(&self.acknowledged.next.to_le_bytes());
        frame[20..28].copy_from_slice(&self.acknowledged.beyond.to_le_bytes());
        let checksum = checksum(frame);
        frame[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
    }

    /// The prefix of `frame` and what follows it; `None` if it cannot be one of ours, or is no longer as it was sent.
    pub fn read(frame: &[u8]) -> Option<(Prefix, &[u8])> {
        let (prefix, rest) = frame.split_first_chunk::<{ Self::SIZE }>()?;
        let [VERSION, kind, 0, 0, ..] = *prefix else { return None };
        let word = |at: usize| u32::from_le_bytes(prefix[at..at + 4].try_into().expect("four bytes"));
        if word(CHECKSUM.start) != checksum(frame) {
            return None;
        }
        let sequence = match kind {
            CARRIES_DATA if rest.len() >= Header::SIZE => Some(word(12)),
            ACKNOWLEDGES if rest.is_empty() => None,
            _ => return None,
        };
        let beyond = u64::from_le_bytes(prefix[20..28].try_into().expect("eight bytes"));
        let acknowledged = Acknowledgement { next: word(16), beyond };
        Some((Prefix { incarnation: word(8), sequence, acknowledged }, rest))
    }
}

/// Of a frame, without the place where it is written.
fn checksum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[..CHECKSUM.start]), &frame[CHECKSUM.end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(sequence: Option<u32>, packet: &[u8]) -> (Prefix, Vec<u8>) {
        let prefix = Prefix { incarnation: 9, sequence, acknowledged: Acknowledgement { next: 77, beyond: 1 << 63 | 5 } };
        let mut frame = [&[0; Prefix::SIZE][..], packet].concat();
        prefix.write(&mut frame);
        (prefix, frame)
    }

    #[test]
    fn a_prefix_survives_the_wire() {
        for (sequence, packet) in [(Some(u32::MAX), &[7u8; 8][..]), (None, &[][..])] {
            let (prefix, frame) = frame(sequence, packet);
            assert_eq!(Prefix::read(&frame), Some((prefix, packet)));
        }
    }

    #[test]
    fn no_bit_can_change_on_the_way() {
        for (sequence, packet) in [(Some(1), &[0xa5u8; 40][..]), (None, &[][..])] {
            let (_, mut frame) = frame(sequence, packet);
            for bit in 0..8 * frame.len() {
                frame[bit / 8] ^= 1 << (bit % 8);
                assert_eq!(Prefix::read(&frame), None, "bit {bit}");
                frame[bit / 8] ^= 1 << (bit % 8);
            }
            assert!(Prefix::read(&frame).is_some());
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        assert_eq!(Prefix::read(&[0; Prefix::SIZE + Header::SIZE]), None, "no version");
        assert_eq!(Prefix::read(&frame(None, &[0; 8]).1), None, "an acknowledgement with a payload");
        assert_eq!(Prefix::read(&frame(Some(3), &[0; 7]).1), None, "data without a whole header");
        assert!(Prefix::read(&frame(Some(3), &[0; 8]).1).is_some());
        assert_eq!(Prefix::read(&frame(Some(3), &[0; 8]).1[..Prefix::SIZE + 7]), None, "its end is missing");
        assert_eq!(Prefix::read(&[VERSION; 5]), None);
    }
}
