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
/// It is one word on its whole way, and taken apart only where a part is asked for: a device may publish it with a single store, and who
/// looks for one kind of message compares once.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Header(u64);

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

    /// Stands for a packet that cannot be read.
    pub const GARBLED: Self = Header(0);

    /// Of a packet of stream `stream` among those open from this sender; 0 in a [`Kind::Single`] packet.
    pub const fn new(handler: HandlerId, kind: Kind, stream: u16) -> Self {
        Header(handler.0 as u64 | (kind as u64) << 8 | (stream as u64) << 16)
    }

    pub const fn single(handler: HandlerId) -> Self {
        Header::new(handler, Kind::Single, 0)
    }

    /// The same, giving back so many receive credits to the receiver of this packet.
    #[must_use]
    pub const fn with_credits(self, credits: u16) -> Self {
        Header(self.0 & !(0xffff << 32) | (credits as u64) << 32)
    }

    pub const fn handler(self) -> HandlerId {
        HandlerId(self.0 as u8)
    }

    pub const fn kind(self) -> Kind {
        match (self.0 >> 8) as u8 {
            1 => Kind::Single,
            2 => Kind::First,
            3 => Kind::Middle,
            4 => Kind::Last,
            5 => Kind::Credits,
            _ => Kind::Garbled,
        }
    }

    /// Whether it is [`kind`](Self::kind) [`Kind::Single`].
    #[inline]
    pub const fn is_single(self) -> bool {
        (self.0 >> 8) as u8 == Kind::Single as u8
    }

    /// Whether it is [`kind`](Self::kind) [`Kind::Garbled`].
    pub const fn is_garbled(self) -> bool {
        matches!(self.kind(), Kind::Garbled)
    }

    pub const fn stream(self) -> u16 {
        (self.0 >> 16) as u16
    }

    /// Receive credits that the sender of this packet gives back to its receiver.
    pub const fn credits(self) -> u16 {
        (self.0 >> 32) as u16
    }

    /// The header as a word whose upper 16 bits are zero.
    pub const fn to_bits(self) -> u64 {
        self.0
    }

    /// Reads the lower 48 bits of `word`; any are a header, perhaps one of [`Kind::Garbled`].
    pub const fn from_bits(word: u64) -> Self {
        Header(word & ((1 << Self::DEVICE_SHIFT) - 1))
    }
}

impl std::fmt::Debug for Header {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Header")
            .field("handler", &self.handler())
            .field("kind", &self.kind())
            .field("stream", &self.stream())
            .field("credits", &self.credits())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn header_survives_its_word() {
        let header = Header::new(HandlerId(200), Kind::Last, 0xbeef).with_credits(7).with_credits(0x1234);
        assert_eq!((header.handler(), header.kind(), header.stream(), header.credits()), (HandlerId(200), Kind::Last, 0xbeef, 0x1234));
        assert_eq!(Header::from_bits(header.to_bits() | 0xffff << Header::DEVICE_SHIFT), header);
        assert_eq!(header.to_bits() >> Header::DEVICE_SHIFT, 0);
        assert!(Header::single(HandlerId(1)).is_single() && !header.is_single());
        assert_eq!((Header::from_bits(0), Header::from_bits(9 << 8).kind()), (Header::GARBLED, Kind::Garbled));
    }
}
