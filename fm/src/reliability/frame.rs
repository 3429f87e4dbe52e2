//! A frame on the wire.
//!
//! ```text
//!  0   version, kind, path, words of the bitmap
//!  4   checksum
//!  8   incarnation of the sender
//! 12   incarnation of the receiver, as the sender knows it; 0 if it does not
//! 16   sequence number of the packet; of a probe, when it was sent; of an answer, what was in the probe
//! 20   sequence number that the sender of this frame expects next
//! 24   how many packets from there on it has room for
//! 26   how many packets have come to it more than once (modulo 65,536)
//! 28   bitmap: bit i says that packet `next + 1 + i` has come
//!      packet
//! ```
//! Numbers are little-endian. Every frame acknowledges; only data carries a packet. The checksum is the CRC-32C
//! (RFC 3720) of all the rest: links have checksums of their own, but memory and buses between them have not (Stone and Partridge,
//! "When the CRC and TCP checksum disagree", 2000), and not everything that carries frames has a link's.

use super::{PATHS_MAX, Path, WINDOW_MAX};
use std::ops::Range;

/// What a frame is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// It only acknowledges.
    Acknowledgement = 0,
    Data = 1,
    /// Asks for an answer on the same path, at once.
    Probe = 2,
    Answer = 3,
}

/// The fixed part of a frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Prefix {
    pub kind: Kind,
    /// The one that it was sent on.
    pub path: Path,
    pub from: u32,
    pub to: u32,
    pub sequence: u32,
    pub next: u32,
    pub room: u16,
    pub repeats: u16,
}

/// What has come beyond the packet that is expected next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beyond {
    pub words: [u64; WORDS_MAX],
    /// How many of them are used.
    pub count: usize,
}

/// Words of a bitmap: a window.
pub const WORDS_MAX: usize = WINDOW_MAX as usize / 64;

/// Words of the bitmap in a frame that carries a packet.
pub const DATA_WORDS_MAX: usize = 1;

/// Bytes of a frame that are not the packet's, at most.
pub const OVERHEAD: usize = Prefix::SIZE + 8 * DATA_WORDS_MAX;

const VERSION: u8 = 2;

/// Where it is in a frame.
const CHECKSUM: Range<usize> = 4..8;

impl Prefix {
    pub const SIZE: usize = 28;

    /// Room for any frame without a packet.
    pub const CONTROL_MAX: usize = Self::SIZE + 8 * WORDS_MAX;

    /// Writes a frame into `room`; returns its length.
    pub fn write(&self, beyond: &Beyond, packet: &[u8], room: &mut [u8]) -> usize {
        let start = Self::SIZE + 8 * beyond.count;
        let frame = &mut room[..start + packet.len()];
        frame[0..4].copy_from_slice(&[VERSION, self.kind as u8, self.path.0, beyond.count as u8]);
        frame[8..12].copy_from_slice(&self.from.to_le_bytes());
        frame[12..16].copy_from_slice(&self.to.to_le_bytes());
        frame[16..20].copy_from_slice(&self.sequence.to_le_bytes());
        frame[20..24].copy_from_slice(&self.next.to_le_bytes());
        frame[24..26].copy_from_slice(&self.room.to_le_bytes());
        frame[26..28].copy_from_slice(&self.repeats.to_le_bytes());
        for (bytes, word) in frame[Self::SIZE..start].chunks_exact_mut(8).zip(beyond.words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        frame[start..].copy_from_slice(packet);
        let checksum = checksum(frame);
        frame[CHECKSUM].copy_from_slice(&checksum.to_le_bytes());
        frame.len()
    }

    /// The parts of `frame`; `None` if it cannot be one of ours, or is no longer as it was sent.
    pub fn read(frame: &[u8]) -> Option<(Prefix, Beyond, &[u8])> {
        let (prefix, rest) = frame.split_first_chunk::<{ Self::SIZE }>()?;
        let [VERSION, kind, path, count, ..] = *prefix else { return None };
        let kind = match kind {
            0 => Kind::Acknowledgement,
            1 => Kind::Data,
            2 => Kind::Probe,
            3 => Kind::Answer,
            _ => return None,
        };
        let count = usize::from(count);
        let words_max = if kind == Kind::Data { DATA_WORDS_MAX } else { WORDS_MAX };
        if usize::from(path) >= PATHS_MAX || count > words_max || rest.len() < 8 * count {
            return None;
        }
        let (bitmap, packet) = rest.split_at(8 * count);
        let word = |at: usize| u32::from_le_bytes(prefix[at..at + 4].try_into().expect("four bytes"));
        let half = |at: usize| u16::from_le_bytes(prefix[at..at + 2].try_into().expect("two bytes"));
        if kind != Kind::Data && !packet.is_empty() || word(CHECKSUM.start) != checksum(frame) {
            return None;
        }
        let mut beyond = Beyond { words: [0; WORDS_MAX], count };
        for (word, bytes) in beyond.words.iter_mut().zip(bitmap.chunks_exact(8)) {
            *word = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
        }
        let prefix = Prefix {
            kind,
            path: Path(path),
            from: word(8),
            to: word(12),
            sequence: word(16),
            next: word(20),
            room: half(24),
            repeats: half(26),
        };
        Some((prefix, beyond, packet))
    }
}

impl Beyond {
    pub const NOTHING: Beyond = Beyond { words: [0; WORDS_MAX], count: 0 };

    /// The numbers of the bits that are set.
    pub fn bits(&self) -> impl Iterator<Item = u32> {
        (0..).zip(&self.words[..self.count]).flat_map(|(place, &word)| {
            let mut left = word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(64 * place + bit)
            })
        })
    }
}

/// Of a frame, without the place where it is written.
fn checksum(frame: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&frame[..CHECKSUM.start]), &frame[CHECKSUM.end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: Kind, words: &[u64], packet: &[u8]) -> (Prefix, Beyond, Vec<u8>) {
        let prefix = Prefix { kind, path: Path(3), from: 9, to: u32::MAX, sequence: 5, next: 77, room: 1024, repeats: 300 };
        let mut beyond = Beyond { count: words.len(), ..Beyond::NOTHING };
        beyond.words[..words.len()].copy_from_slice(words);
        let mut room = [0; 512];
        let length = prefix.write(&beyond, packet, &mut room);
        (prefix, beyond, room[..length].to_vec())
    }

    const SOME: [(Kind, &[u64], &[u8]); 5] = [
        (Kind::Data, &[], &[7; 8]),
        (Kind::Data, &[1 << 63 | 5], &[0xa5; 40]),
        (Kind::Acknowledgement, &[u64::MAX; WORDS_MAX], &[]),
        (Kind::Probe, &[], &[]),
        (Kind::Answer, &[1, 2], &[]),
    ];

    #[test]
    fn a_frame_survives_the_wire() {
        for (kind, words, packet) in SOME {
            let (prefix, beyond, frame) = frame(kind, words, packet);
            assert_eq!(Prefix::read(&frame), Some((prefix, beyond, packet)));
        }
    }

    #[test]
    fn no_bit_can_change_on_the_way() {
        for (kind, words, packet) in SOME {
            let (.., mut frame) = frame(kind, words, packet);
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
        assert_eq!(Prefix::read(&[0; OVERHEAD]), None, "no version");
        assert_eq!(Prefix::read(&frame(Kind::Acknowledgement, &[], &[0; 8]).2), None, "an acknowledgement with a payload");
        assert_eq!(Prefix::read(&frame(Kind::Data, &[1, 2], &[0; 8]).2), None, "more bitmap than data carries");
        let (.., data) = frame(Kind::Data, &[], &[0; 8]);
        assert_eq!(Prefix::read(&data[..data.len() - 1]), None, "its end is missing");
        assert_eq!(Prefix::read(&[VERSION; 5]), None);
    }

    #[test]
    fn a_bitmap_is_a_list_of_bits() {
        let (_, beyond, _) = frame(Kind::Answer, &[0b101, 0, 1 << 63], &[]);
        assert_eq!(beyond.bits().collect::<Vec<_>>(), [0, 2, 191]);
    }
}
