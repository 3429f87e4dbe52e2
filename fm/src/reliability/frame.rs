//! A frame on the wire.
//!
//! ```text
//!  0        4          8               12               16          24
//!  version, incarnation sequence        next expected    bitmap      FM header, payload
//!  kind                 of this frame   by its sender    beyond that
//! ```
//! Numbers are little-endian. Every frame acknowledges; only one that carries data has a sequence number.

use crate::packet::Header;

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

impl Prefix {
    pub const SIZE: usize = 24;

    pub fn write(&self, to: &mut [u8]) {
        let kind = if self.sequence.is_some() { CARRIES_DATA } else { ACKNOWLEDGES };
        to[0..4].copy_from_slice(&[VERSION, kind, 0, 0]);
        to[4..8].copy_from_slice(&self.incarnation.to_le_bytes());
        to[8..12].copy_from_slice(&self.sequence.unwrap_or(0).to_le_bytes());
        to[12..16].copy_from_slice(&self.acknowledged.next.to_le_bytes());
        to[16..24].copy_from_slice(&self.acknowledged.beyond.to_le_bytes());
    }

    /// The prefix of `frame` and what follows it; `None` if it cannot be one of ours.
    pub fn read(frame: &[u8]) -> Option<(Prefix, &[u8])> {
        let (prefix, rest) = frame.split_first_chunk::<{ Self::SIZE }>()?;
        let [VERSION, kind, 0, 0, ..] = *prefix else { return None };
        let word = |at: usize| u32::from_le_bytes(prefix[at..at + 4].try_into().expect("four bytes"));
        let sequence = match kind {
            CARRIES_DATA if rest.len() >= Header::SIZE => Some(word(8)),
            ACKNOWLEDGES if rest.is_empty() => None,
            _ => return None,
        };
        let beyond = u64::from_le_bytes(prefix[16..24].try_into().expect("eight bytes"));
        let acknowledged = Acknowledgement { next: word(12), beyond };
        Some((Prefix { incarnation: word(4), sequence, acknowledged }, rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_survives_the_wire() {
        for (sequence, payload) in [(Some(u32::MAX), &[7u8; 8][..]), (None, &[][..])] {
            let prefix = Prefix { incarnation: 9, sequence, acknowledged: Acknowledgement { next: 77, beyond: 1 << 63 | 5 } };
            let mut frame = vec![0; Prefix::SIZE];
            prefix.write(&mut frame);
            frame.extend(payload);
            assert_eq!(Prefix::read(&frame), Some((prefix, payload)));
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let mut frame = vec![0; Prefix::SIZE + Header::SIZE];
        assert_eq!(Prefix::read(&frame), None, "no version");
        frame[0] = VERSION;
        assert_eq!(Prefix::read(&frame), None, "an acknowledgement with a payload");
        frame[1] = CARRIES_DATA;
        assert!(Prefix::read(&frame).is_some());
        assert_eq!(Prefix::read(&frame[..Prefix::SIZE + 7]), None, "data without a whole header");
        assert_eq!(Prefix::read(&frame[..5]), None);
    }
}
