//! The receiving side of one connection: bytes as they come, taken apart into packets.
//!
//! Short packets are taken apart where they lie in this side's own memory, many after one read. Of a long one the first bytes come there, too;
//! when they say where the rest belongs, it is [read straight to its place](Sink::land).

use crate::frame::{self, Frame, HEADER};
use crate::sealing::Opening;
use crate::sys::{self, Moved};
use fm::{Header, Landing, Peer, Sink};
use std::os::fd::OwnedFd;
use std::sync::Arc;

/// Read at once, if there is so much. Packets that do not fit are long.
const AHEAD: usize = 16 << 10;

/// The same behind the rest of a long packet: what comes there of the next one has to be copied.
const AHEAD_OF_NEXT: usize = 4 << 10;

/// And after a long packet, which is followed by another one more often than not.
const AHEAD_OF_LONG: usize = 2 << 10;

pub struct Receiving {
    socket: Arc<OwnedFd>,
    /// If what comes is encrypted.
    opening: Option<Opening>,
    /// It was, and does not open.
    forged: bool,
    /// Grows for a long packet whose place is not known.
    bytes: Vec<u8>,
    /// What has come and was not taken yet.
    start: usize,
    end: usize,
    /// The packet that goes to its place, and how much of its payload has come. There is nothing else in `bytes` meanwhile.
    landing: Option<(Landing, usize)>,
    /// How much is read ahead.
    ahead: usize,
    /// Something has come to its place since it was asked last.
    landed: bool,
}

/// What can be taken from a connection.
pub enum Taken<'r> {
    Packet(Header, &'r [u8]),
    Nonsense,
    /// Nothing that is whole.
    Nothing,
}

impl Receiving {
    pub fn new(socket: Arc<OwnedFd>, opening: Option<Opening>) -> Self {
        Receiving { socket, opening, forged: false, bytes: vec![0; AHEAD], start: 0, end: 0, landing: None, ahead: AHEAD, landed: false }
    }

    /// Takes in what the socket has. To be called when nothing whole is left to [`take`](Self::take).
    pub fn fill(&mut self, from: Peer, sink: &mut dyn Sink) -> Moved {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
        if self.opening.is_some() {
            return self.fill_opened();
        }
        self.find_place(from, sink);
        if let Some((landing, at)) = self.landing {
            return self.fill_place(from, landing, at, sink);
        }
        let wanted = match self.header() {
            Some(Frame::Packet(_, len)) => (HEADER + len).max(AHEAD),
            _ => self.ahead,
        };
        if self.bytes.len() - self.start < wanted {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
            self.bytes.resize(wanted.max(self.bytes.len()), 0);
        }
        let until = self.start + wanted;
        debug_assert!(self.end < until);
        let moved = sys::receive(&self.socket, &mut self.bytes[self.end..until]);
        if let Moved::Bytes(count) = moved {
            self.end += count;
            if self.end == until {
                self.ahead = AHEAD;
            }
        }
        moved
    }

    /// The same of a connection that is encrypted: everything comes to this side's memory, where it is decrypted.
    fn fill_opened(&mut self) -> Moved {
        let Receiving { socket, opening: Some(opening), bytes, start, end, .. } = self else { return Moved::Later };
        let moved = sys::receive(&*socket, opening.room());
        let Moved::Bytes(count) = moved else { return moved };
        bytes.copy_within(*start..*end, 0);
        bytes.truncate(*end - *start);
        let opened = opening.open(count, |plain| bytes.extend_from_slice(plain));
        (*start, *end) = (0, bytes.len());
        self.forged = opened.is_err();
        moved
    }

    /// A long packet that has begun goes to its place, if that is known by now.
    fn find_place(&mut self, from: Peer, sink: &mut dyn Sink) {
        let Some(Frame::Packet(header, len)) = self.header() else { return };
        let head = &self.bytes[self.start + HEADER..self.end];
        if self.landing.is_some() || HEADER + len <= AHEAD || head.len() >= len {
            return;
        }
        let Some(landing) = sink.place(from, header, head, len) else { return };
        debug_assert!(landing.skip <= head.len() && landing.len == len);
        let mut at = landing.skip;
        while at < head.len() {
            sink.land(from, landing, at, &mut |room| {
                let here = room.len().min(head.len() - at);
                room[..here].copy_from_slice(&head[at..at + here]);
                at += here;
                here
            });
        }
        (self.start, self.end) = (0, 0);
        self.landing = Some((landing, at));
        self.ahead = AHEAD_OF_LONG;
        self.landed = true;
    }

    /// Takes in more of a packet at its place, and what follows it.
    fn fill_place(&mut self, from: Peer, landing: Landing, at: usize, sink: &mut dyn Sink) -> Moved {
        let Receiving { socket, bytes, end, .. } = self;
        let (mut moved, mut here) = (Moved::Later, 0);
        sink.land(from, landing, at, &mut |room| {
            let wanted = room.len().min(landing.len - at);
            let next = if at + wanted == landing.len { &mut bytes[..AHEAD_OF_NEXT] } else { &mut bytes[..0] };
            moved = sys::receive_apart(&*socket, &mut room[..wanted], next);
            if let Moved::Bytes(count) = moved {
                here = count.min(wanted);
                *end = count - here;
            }
            here
        });
        let at = at + here;
        self.landed |= here > 0;
        self.landing = (at < landing.len).then_some((landing, at));
        moved
    }

    /// Whether something has come to its place since this was asked last.
    pub fn has_landed(&mut self) -> bool {
        std::mem::take(&mut self.landed)
    }

    /// Whether a long packet is on its way: there is probably more of it.
    pub fn awaits_more(&self) -> bool {
        self.landing.is_some() || matches!(self.header(), Some(Frame::Packet(_, len)) if HEADER + len > AHEAD)
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
            Some(Frame::Nonsense) => {
                (self.start, self.end, self.forged) = (0, 0, false);
                return Taken::Nonsense;
            }
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
        if self.forged {
            return Some(Frame::Nonsense);
        }
        self.bytes[self.start..self.end].first_chunk().map(|bytes| frame::parse(*bytes))
    }
}
