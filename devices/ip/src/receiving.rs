//! The receiving side of one connection: bytes as they come, taken apart into packets where they lie.

use crate::frame::{self, Frame, HEADER, MAX_PACKET};
use crate::sys::{self, Moved};
use fm::Header;
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Room for two packets, so that a whole one always fits behind what is left of others.
const ROOM: usize = 2 * (HEADER + MAX_PACKET);

pub struct Receiving {
    socket: Arc<OwnedFd>,
    bytes: Box<[u8]>,
    /// What has come and was not taken yet.
    start: usize,
    end: usize,
}

/// What can be taken from a connection.
pub enum Taken<'r> {
    Packet(Header, &'r [u8]),
    Nonsense,
    /// Nothing that is whole.
    Nothing,
}

impl Receiving {
    pub fn new(socket: Arc<OwnedFd>) -> Self {
        Receiving { socket, bytes: vec![0; ROOM].into(), start: 0, end: 0 }
    }

    /// Takes in what the socket has. To be called when nothing whole is left to [`take`](Self::take).
    pub fn fill(&mut self) -> Moved {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.start > 0 && ROOM - self.end < HEADER + MAX_PACKET {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        debug_assert!(self.end < ROOM);
        let moved = sys::receive(&self.socket, &mut self.bytes[self.end..]);
        if let Moved::Bytes(count) = moved {
            self.end += count;
        }
        moved
    }

    /// Whether [`take`](Self::take) would return something.
    pub fn has_whole(&self) -> bool {
        match self.header() {
            Some(Frame::Packet(_, len)) => self.end - self.start >= HEADER + len,
            other => other.is_some(),
        }
    }

    /// Takes the next packet.
    #[inline]
    pub fn take(&mut self) -> Taken<'_> {
        let (frame, len) = match self.header() {
            None => return Taken::Nothing,
            Some(Frame::Packet(_, len)) if self.end - self.start < HEADER + len => return Taken::Nothing,
            Some(Frame::Packet(header, len)) => (Taken::Packet(header, &[]), len),
            Some(Frame::Nonsense) => (Taken::Nonsense, 0),
        };
        let payload = self.start + HEADER;
        self.start = payload + len;
        match frame {
            Taken::Packet(header, _) => Taken::Packet(header, &self.bytes[payload..self.start]),
            other => other,
        }
    }

    #[inline]
    fn header(&self) -> Option<Frame> {
        self.bytes[self.start..self.end].first_chunk().map(|bytes| frame::parse(*bytes))
    }
}
