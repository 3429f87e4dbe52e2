//! The receiving side of one connection: bytes as they come, taken apart into packets.
//!
//! Short packets are taken apart where they lie in this side's own memory, many after one read. Of a long one the first bytes come there, too;
//! when they say where the rest belongs, it is [read straight to its place](Sink::land).

use crate::frame::{self, Frame, HEADER, LANE};
use crate::lane;
use crate::sealing::Opening;
use crate::sys::{self, Moved};
use fm::{Header, Landing, Peer, Sink};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

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
    /// How many packets have come, whichever way; and the number of the next one here, which may have come by the lane.
    come: Arc<AtomicU32>,
    next: u32,
    lane: Option<Box<LaneEnd>>,
    /// The last packet came by the lane.
    by_lane: bool,
}

/// Where datagrams come to.
struct LaneEnd {
    end: lane::End,
    room: [u8; lane::ROOM],
}

/// What a datagram says: how many packets have come to the peer, and the next packet, if it is that.
type Datagram<'r> = (u32, Option<(Header, &'r [u8])>);

/// What can be taken from a connection.
pub enum Taken<'r> {
    Packet(Header, &'r [u8]),
    /// The peer's end of a lane: its port and token.
    Lane((u16, u64)),
    /// So many packets have come to the peer.
    Come(u32),
    Nonsense,
    /// Nothing that is whole.
    Nothing,
}

impl Receiving {
    /// `come` is counted here.
    pub fn new(socket: Arc<OwnedFd>, opening: Option<Opening>, come: Arc<AtomicU32>) -> Self {
        let next = come.load(Relaxed);
        Receiving {
            socket,
            opening,
            forged: false,
            bytes: vec![0; AHEAD],
            start: 0,
            end: 0,
            landing: None,
            ahead: AHEAD,
            landed: false,
            come,
            next,
            lane: None,
            by_lane: false,
        }
    }

    /// There is a lane from now on.
    pub fn set_lane(&mut self, end: lane::End) {
        self.lane = Some(Box::new(LaneEnd { end, room: [0; lane::ROOM] }));
    }

    /// Whether the last packet came by the lane.
    pub fn is_by_lane(&self) -> bool {
        self.by_lane
    }

    /// Whether there is another way than the one by which the last packet came.
    pub fn has_lane(&self) -> bool {
        self.lane.is_some()
    }

    /// What has come by the lane.
    pub fn take_datagram(&mut self) -> Option<Datagram<'_>> {
        let LaneEnd { end, room } = &mut **self.lane.as_mut()?;
        let datagram = end.receive(room)?;
        let next = self.come.load(Relaxed);
        if datagram.number != next {
            return Some((datagram.come, None));
        }
        self.come.store(next.wrapping_add(1), Relaxed);
        // What may follow here says its number.
        self.by_lane = true;
        Some((datagram.come, Some((datagram.header, datagram.body))))
    }

    /// The next packet here is whole, or at its place. Returns whether it is new.
    fn is_new(&mut self) -> bool {
        let come = self.come.load(Relaxed);
        let new = self.next == come;
        self.next = self.next.wrapping_add(1);
        if new {
            self.come.store(self.next, Relaxed);
        }
        new
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
            self.by_lane = false;
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
        if self.landing.is_some() || HEADER + len <= AHEAD || head.len() >= len || self.next != self.come.load(Relaxed) {
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
        if self.landing.is_none() {
            // Not earlier: what comes by the lane meanwhile would pass it by.
            self.is_new();
        }
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
            Some(Frame::Lane(_)) => self.end - self.start >= LANE,
            other => other.is_some(),
        }
    }

    /// Takes the next packet.
    #[inline]
    pub fn take(&mut self) -> Taken<'_> {
        loop {
            let here = self.end - self.start;
            match self.header() {
                Some(Frame::Packet(header, len)) if here >= HEADER + len => {
                    let payload = self.start + HEADER;
                    self.start = payload + len;
                    if self.is_new() {
                        return Taken::Packet(header, &self.bytes[payload..payload + len]);
                    }
                }
                None | Some(Frame::Packet(..)) => return Taken::Nothing,
                Some(Frame::Nonsense) => {
                    (self.start, self.end, self.forged) = (0, 0, false);
                    return Taken::Nonsense;
                }
                Some(other) => match self.said(other) {
                    None => {}
                    Some(taken) => return taken,
                },
            }
        }
    }

    /// What the peer's device says of itself. `None` if only this side needs to know.
    #[cold]
    fn said(&mut self, frame: Frame) -> Option<Taken<'static>> {
        match frame {
            Frame::Lane(_) if self.end - self.start < LANE => return Some(Taken::Nothing),
            Frame::Lane(port) => {
                let token = std::array::from_fn(|at| self.bytes[self.start + HEADER + at]);
                self.start += LANE;
                return Some(Taken::Lane((port, u64::from_le_bytes(token))));
            }
            Frame::Come(count) => {
                self.start += HEADER;
                return Some(Taken::Come(count));
            }
            Frame::Number(number) => {
                self.start += HEADER;
                self.next = number;
            }
            Frame::Packet(..) | Frame::Nonsense => {}
        }
        None
    }

    #[inline]
    fn header(&self) -> Option<Frame> {
        if self.forged {
            return Some(Frame::Nonsense);
        }
        self.bytes[self.start..self.end].first_chunk().map(|bytes| frame::parse(*bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fm::HandlerId;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    const LEN: usize = 60_000;

    /// Everything long lands here.
    struct Ground(Vec<u8>);

    impl Sink for Ground {
        fn packet(&mut self, _: Peer, _: Header, _: &[u8]) {
            panic!("nothing else was sent");
        }

        fn place(&mut self, _: Peer, _: Header, _: &[u8], len: usize) -> Option<Landing> {
            Some(Landing { place: 0, skip: 0, len, offset: 0 })
        }

        fn land(&mut self, _: Peer, _: Landing, at: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize) {
            fill(&mut self.0[at..]);
        }
    }

    /// Otherwise a datagram with the next number would pass it by.
    #[test]
    fn a_long_packet_has_come_when_it_is_whole() {
        let (mut there, here) = UnixStream::pair().unwrap();
        here.set_nonblocking(true).unwrap();
        let come = Arc::new(AtomicU32::new(0));
        let mut receiving = Receiving::new(Arc::new(here.into()), None, Arc::clone(&come));
        let mut ground = Ground(vec![0; LEN]);
        let body: Vec<u8> = (0..LEN).map(|at| at as u8).collect();
        there.write_all(&frame::header(Header::single(HandlerId(9)), LEN)).unwrap();
        for (half, whole) in body.chunks(LEN / 2).zip([false, true]) {
            there.write_all(half).unwrap();
            for _ in 0..8 {
                receiving.fill(Peer(1), &mut ground);
            }
            assert_eq!(come.load(Relaxed), u32::from(whole));
        }
        assert_eq!(ground.0, body);
    }
}
