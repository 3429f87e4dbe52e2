//! Names for processes and handlers, and the header of a packet.

/// A process of the job, numbered from 0 in the order the launcher placed them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Peer(pub u32);

impl Peer {
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Which handler of the receiver a message starts. Sender and receiver agree on the numbers; they may be different
/// programs.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct HandlerId(pub u8);

/// What [`Fm`](crate::Fm) writes before every packet: 48 bits of its own, 16 bits that belong to the device.
///
/// A device may keep the header as one 64-bit word that it publishes with a single store.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header {
    pub handler: HandlerId,
    pub kind: Kind,
    /// Number of the stream among those open from this sender; 0 in a [`Kind::Single`] packet.
    pub stream: u16,
    /// Receive credits that the sender of this packet gives back to its receiver.
    pub credits: u16,
}

/// A packet's place in its message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// No packet: what a device received makes no sense.
    Garbled = 0,
    /// The whole message.
    Single = 1,
    /// First of several; the payload opens with the message's length in bytes as a little-endian u64.
    First = 2,
    Middle = 3,
    Last = 4,
    /// No message: only gives credits back.
    Credits = 5,
}

impl Header {
    pub const SIZE: usize = 8;
    /// The device's bits of the word.
    pub const DEVICE_SHIFT: u32 = 48;

    pub const fn single(handler: HandlerId) -> Self {
        Header { handler, kind: Kind::Single, stream: 0, credits: 0 }
    }

    /// Stands for a packet that cannot be read.
    pub const GARBLED: Self = Header { handler: HandlerId(0), kind: Kind::Garbled, stream: 0, credits: 0 };

    /// The header as a word whose upper 16 bits are zero.
    pub const fn to_bits(self) -> u64 {
        self.handler.0 as u64 | (self.kind as u64) << 8 | (self.stream as u64) << 16 | (self.credits as u64) << 32
    }

    /// Reads the lower 48 bits of `word`; [`GARBLED`](Self::GARBLED) if they are no header.
    pub const fn from_bits(word: u64) -> Self {
        let kind = match (word >> 8) as u8 {
            1 => Kind::Single,
            2 => Kind::First,
            3 => Kind::Middle,
            4 => Kind::Last,
            5 => Kind::Credits,
            _ => return Self::GARBLED,
        };
        Header { handler: HandlerId(word as u8), kind, stream: (word >> 16) as u16, credits: (word >> 32) as u16 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_survives_its_word() {
        let header = Header { handler: HandlerId(200), kind: Kind::Last, stream: 0xbeef, credits: 0x1234 };
        assert_eq!(Header::from_bits(header.to_bits()), header);
        assert_eq!(header.to_bits() >> Header::DEVICE_SHIFT, 0);
        assert_eq!(Header::from_bits(0), Header::GARBLED);
    }
}
