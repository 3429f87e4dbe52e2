//! Packets as messages of the fabric: 16 bytes of ours, then FM's payload.
//!
//! ```text
//! FM's header (6)   kind (2)   sender (4)   the job's tag (4)   payload
//! ```
//! A provider does not say who has sent something unless it is asked to, and some look it up in a table then; so packets say it. The tag tells
//! jobs apart that use the same addresses one after the other. It is no proof: who can send to an endpoint can also listen.

use fm::{Header, Peer};

/// Bytes in front of the payload.
pub const FRONT: usize = 16;

/// What a message is to this device.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Kind {
    /// FM's.
    Packet = 1,
    /// A connection's first: both sides find out that it carries.
    Hello = 2,
    /// The sender's last.
    Bye = 3,
}

/// What a message begins with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Front {
    pub header: Header,
    pub kind: Kind,
    pub from: Peer,
    pub tag: u32,
}

impl Front {
    #[inline]
    pub fn to_bytes(self) -> [u8; FRONT] {
        let mut bytes = [0; FRONT];
        let word = self.header.to_bits() | (self.kind as u64) << Header::DEVICE_SHIFT;
        bytes[..8].copy_from_slice(&word.to_le_bytes());
        bytes[8..12].copy_from_slice(&self.from.0.to_le_bytes());
        bytes[12..].copy_from_slice(&self.tag.to_le_bytes());
        bytes
    }

    /// `None` when it is none of ours.
    #[inline]
    pub fn parse(message: &[u8]) -> Option<Front> {
        let (word, rest) = message.split_first_chunk()?;
        let (from, rest) = rest.split_first_chunk()?;
        let (tag, _) = rest.split_first_chunk()?;
        let word = u64::from_le_bytes(*word);
        let kind = match (word >> Header::DEVICE_SHIFT) as u16 {
            1 => Kind::Packet,
            2 => Kind::Hello,
            3 => Kind::Bye,
            _ => return None,
        };
        Some(Front { header: Header::from_bits(word), kind, from: Peer(u32::from_le_bytes(*from)), tag: u32::from_le_bytes(*tag) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fm::HandlerId;

    #[test]
    fn a_front_survives_its_bytes_and_nothing_else_is_one() {
        for kind in [Kind::Packet, Kind::Hello, Kind::Bye] {
            let front = Front { header: Header::single(HandlerId(7)).with_credits(9), kind, from: Peer(70_000), tag: 0xdead_beef };
            let bytes = front.to_bytes();
            assert_eq!(Front::parse(&bytes), Some(front));
            assert_eq!(Front::parse(&bytes[..FRONT - 1]), None);
            let mut other = bytes;
            other[6] = 9;
            assert_eq!(Front::parse(&other), None);
        }
        assert_eq!(Front::parse(&[]), None);
    }
}
