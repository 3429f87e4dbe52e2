//! The words of the protocol: handlers and the layouts of their messages. All numbers are little-endian.

use fm::HandlerId;
use fm::claims::Ticket;
use std::ops::Range;

/// A message's body follows its envelope.
pub const EAGER: HandlerId = HandlerId(1);
/// A message announces itself: envelope, [`Announcement`].
pub const READY_TO_SEND: HandlerId = HandlerId(2);
/// The receive is there, send the body: [`Clearance`].
pub const CLEAR_TO_SEND: HandlerId = HandlerId(3);
/// A piece of a body: [`Piece`], then bytes.
pub const DATA: HandlerId = HandlerId(4);
/// Unexpected-message budget comes back: [`Budget`].
pub const BUDGET: HandlerId = HandlerId(5);
/// The sender wants a message back: envelope, request of the sender.
pub const CANCEL: HandlerId = HandlerId(6);
/// Answer to a cancellation: request of the sender, 1 if the message had not been matched.
pub const CANCELLED: HandlerId = HandlerId(7);
/// The receiver has read the body out of the sender's memory: request of the sender.
pub const FETCHED: HandlerId = HandlerId(8);

/// The sender may write part of the body into the receiver's memory: [`Invitation`].
pub const HELP: HandlerId = HandlerId(9);
/// The sender has written what it took of the body: [`Help`].
pub const HELPED: HandlerId = HandlerId(10);

/// Names of the handlers in traces.
pub const HANDLERS: [(HandlerId, &str); 10] = [
    (EAGER, "eager"),
    (READY_TO_SEND, "ready_to_send"),
    (CLEAR_TO_SEND, "clear_to_send"),
    (DATA, "data"),
    (BUDGET, "budget"),
    (CANCEL, "cancel"),
    (CANCELLED, "cancelled"),
    (FETCHED, "fetched"),
    (HELP, "help"),
    (HELPED, "helped"),
];

/// The separate spaces of messages of one communicator.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u32)]
pub enum Plane {
    PointToPoint = 0,
    Collective = 1,
    /// Calls that are collective over some members only, told apart by the user's tag (`MPI_Comm_create_group`).
    Partial = 2,
    /// Where the requests of partitioned communication meet.
    Partitioned = 3,
}

impl Plane {
    pub const COUNT: usize = 4;
    const BITS: u32 = 2;

    const fn from_bits(bits: u32) -> Option<Plane> {
        match bits {
            0 => Some(Plane::PointToPoint),
            1 => Some(Plane::Collective),
            2 => Some(Plane::Partial),
            3 => Some(Plane::Partitioned),
            _ => None,
        }
    }
}

/// What a message is matched by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// The receiver's number for the communicator: index and generation of its handle.
    pub comm: u32,
    pub plane: Plane,
    pub tag: i32,
    /// The sender's rank in the communicator.
    pub source: u32,
    /// Counts the sender's messages to this receiver, wrapping: names the message in a cancellation.
    pub sequence: u32,
}

impl Envelope {
    pub const SIZE: usize = 16;

    #[inline]
    pub fn write(&self, to: &mut [u8]) {
        to[..Envelope::SIZE].copy_from_slice(&self.to_bytes());
    }

    /// In two words of 64 bits, since it is copied so: a load of what several stores have left waits until they are done.
    #[inline]
    pub fn to_bytes(&self) -> [u8; Envelope::SIZE] {
        let pair = |low: u32, high: u32| (u64::from(low) | u64::from(high) << 32).to_le_bytes();
        let mut bytes = [0; Envelope::SIZE];
        bytes[..8].copy_from_slice(&pair(self.comm << Plane::BITS | self.plane as u32, self.tag as u32));
        bytes[8..].copy_from_slice(&pair(self.source, self.sequence));
        bytes
    }

    /// Reads the envelope and what follows it; `None` if the message is too short or names no plane.
    #[inline]
    pub fn read(from: &[u8]) -> Option<(Envelope, &[u8])> {
        let (head, rest) = from.split_at_checked(Envelope::SIZE)?;
        let context = get(head, 0);
        let envelope = Envelope {
            comm: context >> Plane::BITS,
            plane: Plane::from_bits(context & ((1 << Plane::BITS) - 1))?,
            tag: get(head, 4) as i32,
            source: get(head, 8),
            sequence: get(head, 12),
        };
        Some((envelope, rest))
    }
}

fn put(to: &mut [u8], at: usize, value: u32) {
    to[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn get(from: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(from[at..at + 4].try_into().expect("four bytes"))
}

/// A fixed-size message of two 32-bit words and a 64-bit one, whose meaning depends on the handler.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Words {
    pub a: u32,
    pub b: u32,
    pub long: u64,
}

impl Words {
    pub const SIZE: usize = 16;

    pub fn to_bytes(self) -> [u8; Words::SIZE] {
        let mut bytes = [0; Words::SIZE];
        put(&mut bytes, 0, self.a);
        put(&mut bytes, 4, self.b);
        bytes[8..].copy_from_slice(&self.long.to_le_bytes());
        bytes
    }

    pub fn read(from: &[u8]) -> Option<(Words, &[u8])> {
        let (head, rest) = from.split_at_checked(Words::SIZE)?;
        let long = u64::from_le_bytes(head[8..].try_into().expect("eight bytes"));
        Some((Words { a: get(head, 0), b: get(head, 4), long }, rest))
    }
}

/// After the envelope of [`READY_TO_SEND`]: what there is to be had, and where.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// The sender's request.
    pub send: u32,
    /// Length of the body, below 2^48.
    pub bytes: u64,
    /// Where the body lies in the sender's memory, as one piece; `None` if it does not.
    pub address: Option<u64>,
}

impl Announcement {
    const HALF: u32 = 48;

    /// Length and address share 96 bits. An address that does not fit its half is not told.
    pub fn words(self) -> Words {
        let address = self.address.filter(|address| address >> Self::HALF == 0).unwrap_or(0);
        Words { a: self.send, b: (address >> 16) as u32, long: self.bytes | address << Self::HALF }
    }

    pub fn of(words: Words) -> Announcement {
        let address = u64::from(words.b) << 16 | words.long >> Self::HALF;
        let bytes = words.long & ((1 << Self::HALF) - 1);
        Announcement { send: words.a, bytes, address: (address != 0).then_some(address) }
    }
}

/// [`CLEAR_TO_SEND`]: the sender's request, the receiver's (the token that [`DATA`] names), and how many bytes it takes.
pub struct Clearance;

impl Clearance {
    pub const fn words(send: u32, receive: u32, bytes: u64) -> Words {
        Words { a: send, b: receive, long: bytes }
    }
}

/// Before the bytes of [`DATA`]: the receiver's request, and the offset of the bytes in the body.
pub struct Piece;

impl Piece {
    pub const fn words(receive: u32, offset: u64) -> Words {
        Words { a: receive, b: 0, long: offset }
    }
}

/// [`BUDGET`]: messages and bytes that have been matched.
pub struct Budget;

impl Budget {
    pub const fn words(messages: u32, bytes: u64) -> Words {
        Words { a: messages, b: 0, long: bytes }
    }
}

/// [`HELP`]: which body, and where it goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Invitation {
    /// The sender's request.
    pub send: u32,
    /// Of the receiver's buffer, and how many bytes of the body it takes.
    pub address: u64,
    pub bytes: u64,
    pub ticket: Ticket,
}

impl Invitation {
    pub const SIZE: usize = 2 * Words::SIZE;

    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let Ticket(ticket) = self.ticket;
        let mut bytes = [0; Self::SIZE];
        let (first, second) = bytes.split_at_mut(Words::SIZE);
        first.copy_from_slice(&Words { a: self.send, b: (ticket >> 32) as u32, long: self.address }.to_bytes());
        second.copy_from_slice(&Words { a: ticket as u32, b: 0, long: self.bytes }.to_bytes());
        bytes
    }

    pub fn read(from: &[u8]) -> Option<Invitation> {
        let (first, rest) = Words::read(from)?;
        let (second, _) = Words::read(rest)?;
        let ticket = Ticket(u64::from(first.b) << 32 | u64::from(second.a));
        Some(Invitation { send: first.a, address: first.long, bytes: second.long, ticket })
    }
}

/// [`HELPED`]: the receiver's ticket, and the bytes that the sender had taken and could not write, usually none.
pub struct Help;

impl Help {
    pub fn to_bytes(Ticket(ticket): Ticket, left: Range<u64>) -> [u8; 2 * Words::SIZE] {
        let mut bytes = [0; 2 * Words::SIZE];
        let (first, second) = bytes.split_at_mut(Words::SIZE);
        first.copy_from_slice(&Words { a: ticket as u32, b: (ticket >> 32) as u32, long: left.start }.to_bytes());
        second.copy_from_slice(&Words { a: 0, b: 0, long: left.end }.to_bytes());
        bytes
    }

    pub fn read(from: &[u8]) -> Option<(Ticket, Range<u64>)> {
        let (first, rest) = Words::read(from)?;
        let (second, _) = Words::read(rest)?;
        Some((Ticket(u64::from(first.b) << 32 | u64::from(first.a)), first.long..second.long))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_survive_the_wire() {
        let envelope =
            Envelope { comm: 0x7ff_ffff, plane: Plane::Partial, tag: -2, source: 1 << 31, sequence: u32::MAX };
        let mut bytes = [0; Envelope::SIZE + 3];
        envelope.write(&mut bytes);
        assert_eq!(Envelope::read(&bytes), Some((envelope, &[0u8, 0, 0][..])));
        assert_eq!(Envelope::read(&bytes[..15]), None);
        for address in [None, Some(0x7fff_ffff_f123), Some(1)] {
            let announcement = Announcement { send: 7, bytes: (1 << 48) - 1, address };
            assert_eq!(Announcement::of(announcement.words()), announcement);
        }
        let words = Words { a: 1, b: u32::MAX, long: u64::MAX - 1 };
        assert_eq!(Words::read(&words.to_bytes()), Some((words, &[][..])));
        let ticket = Ticket((1 << 40) - 3);
        let invitation = Invitation { send: 7, address: 0x7fff_ffff_f123, bytes: 1 << 47, ticket };
        assert_eq!(Invitation::read(&invitation.to_bytes()), Some(invitation));
        assert_eq!(Help::read(&Help::to_bytes(ticket, 1 << 40..1 << 41)), Some((ticket, 1 << 40..1 << 41)));
    }
}
