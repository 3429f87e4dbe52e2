//! Short packets beside the connection, as datagrams (UDP).
//!
//! TCP takes about a third longer than UDP to carry a few bytes to the next host: its timers, copies and acknowledgements are for streams. So where
//! two processes speak in turn, their short packets go by a *lane*, a pair of sockets beside their connection. Everything that TCP is for
//! stays with the connection:
//!
//! - Packets of a direction are numbered, whichever way they take. Who sends keeps what went by the lane until the other side says that it has come,
//!   which each datagram does of the opposite direction. What waits for that longer than [`PATIENCE`], or is to be followed by something that goes by the connection,
//!   goes there once more, and is thrown away by who has it already. So datagrams may be lost, repeated and overtake each other, and nobody needs to ask for one.
//! - A packet goes by the lane when everything before it has come, but for a few others there. So nothing on the connection is ever overtaken.
//! - A lane on which too many are lost in a row is left.
//!
//! The lane's ends are told over the connection ([`Frame::Lane`](crate::frame::Frame)): a port, and a token that each datagram to it begins with. Who has not heard it,
//! on the connection, can send nothing there. Encrypted connections have no lane.
//!
//! ```text
//! token (8) │ number of the packet (4) │ how many have come from you (4) │ the packet as on a connection
//! ```

use crate::frame::{self, Frame, HEADER, LANE};
use crate::shared::Shared;
use crate::sys::{self, Moved, READ};
use fm::{Header, Peer, ThreadLock, Threading};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Longest packet, header and all, that goes by a lane: with what is before it, it fits the packets of any network.
pub const LONGEST: usize = 1100;

/// What a datagram begins with.
const HEAD: usize = 16;

/// Longest datagram.
pub const ROOM: usize = HEAD + LONGEST;

/// For so long the answer of who has got a datagram may take.
pub const PATIENCE: Duration = Duration::from_millis(1);

/// So many packets are kept at most.
const KEPT: u32 = 8;

/// After so many short packets that followed an answer a lane is offered.
const TURNS: u32 = 16;

/// So many that had to go once more, one after the other: datagrams do not get through, or nobody answers.
const LOST: u32 = 8;

/// So many lanes of a process at most: each is a descriptor.
const LANES: usize = 64;

/// One side's socket, and what datagrams to it begin with.
#[derive(Clone)]
pub struct End {
    pub socket: Arc<OwnedFd>,
    token: u64,
}

enum Way {
    None,
    /// The other side does not know of it, or has not answered.
    Offered(End),
    /// Datagrams to the other side begin with this token.
    Open(End, u64),
    /// There is to be none.
    Never,
}

/// The sending side's part of a lane.
pub struct Lane {
    way: Way,
    /// Where a datagram is put together.
    datagram: Vec<u8>,
    /// Packets so far, whichever way they went.
    sent: u32,
    /// So many of them have come, as the other side says.
    come: u32,
    /// How many there were when the last one went by the connection.
    by_connection: u32,
    /// The last ones, which went by the lane and of which that is not said yet.
    kept: Vec<u8>,
    count: u32,
    /// Some have gone by the lane since the last one that went by the connection, whose receiver does not know the next one's number.
    apart: bool,
    since: Instant,
    listed: bool,
    /// Short packets that followed an answer, up to [`TURNS`].
    turns: u32,
    lost: u32,
}

impl Lane {
    pub fn new() -> Self {
        let (sent, come, by_connection, count, turns, lost) = (0, 0, 0, 0, 0, 0);
        let (datagram, kept) = (Vec::new(), Vec::new());
        Lane { way: Way::None, datagram, sent, come, by_connection, kept, count, apart: false, since: Instant::now(), listed: false, turns, lost }
    }

    /// What datagrams come to.
    pub fn end(&self) -> Option<&End> {
        match &self.way {
            Way::Offered(end) | Way::Open(end, _) => Some(end),
            Way::None | Way::Never => None,
        }
    }

    /// A packet, of so many bytes, that is short and follows an answer: whether it goes by the lane.
    #[inline]
    pub fn takes(&self, bytes: usize) -> bool {
        let all_come = self.come.wrapping_sub(self.by_connection) as i32 >= 0;
        matches!(self.way, Way::Open(..)) && bytes <= LONGEST && all_come && self.count < KEPT && self.lost < LOST
    }

    /// Sends a packet that the lane [takes](Self::takes); `come` packets have come from there. Returns whether it is on its way.
    pub fn send(&mut self, parts: [&[u8]; 3], come: u32) -> bool {
        let Way::Open(end, token) = &self.way else { return false };
        let datagram = &mut self.datagram;
        datagram.clear();
        datagram.extend_from_slice(&token.to_le_bytes());
        datagram.extend_from_slice(&self.sent.to_le_bytes());
        datagram.extend_from_slice(&come.to_le_bytes());
        parts.iter().for_each(|part| datagram.extend_from_slice(part));
        if !matches!(sys::send(&end.socket, datagram), Moved::Bytes(sent) if sent == datagram.len()) {
            return false;
        }
        if self.count == 0 {
            self.since = Instant::now();
        }
        self.kept.extend_from_slice(&datagram[HEAD..]);
        self.count += 1;
        self.apart = true;
        self.sent = self.sent.wrapping_add(1);
        true
    }

    /// The other side says that so many packets have come.
    pub fn acknowledged(&mut self, come: u32) {
        let missing = self.sent.wrapping_sub(come);
        if missing > self.sent.wrapping_sub(self.come) {
            return;
        }
        self.come = come;
        if self.count <= missing {
            return;
        }
        self.lost = 0;
        self.since = Instant::now();
        let mut at = 0;
        while self.count > missing {
            self.count -= 1;
            at += self.kept[at..].first_chunk().map_or(0, |header| frame::length(*header));
        }
        self.kept.drain(..at);
    }

    /// A packet goes by the connection. What has to go before it, if anything has, is appended to `queue`.
    #[inline]
    pub fn leaves(&mut self, queue: &mut Vec<u8>) {
        if self.apart {
            self.rejoin(queue);
        }
        self.sent = self.sent.wrapping_add(1);
        self.by_connection = self.sent;
    }

    /// What is kept goes by the connection: nobody needs to keep it then.
    pub fn rejoin(&mut self, queue: &mut Vec<u8>) {
        queue.extend_from_slice(&frame::number(self.sent.wrapping_sub(self.count)));
        queue.append(&mut self.kept);
        (self.count, self.apart) = (0, false);
        self.by_connection = self.sent;
    }

    /// The answer to what is kept has taken too long.
    pub fn is_overdue(&self, patience: Duration) -> bool {
        self.count > 0 && self.since.elapsed() >= patience
    }

    pub fn has_lost(&mut self) {
        self.lost += 1;
    }

    /// A short packet that follows an answer has to go by the connection. Returns what is to be said there, for the next one to go by the lane:
    /// that so many packets have come, when there is a lane, and after a few times the offer of one.
    pub fn wants(&mut self, shared: &Shared, connection: &OwnedFd, come: u32) -> Option<Wanted> {
        match &self.way {
            Way::Open(..) if self.lost < LOST => Some(Wanted::Told(frame::come(come))),
            Way::None if self.turns < TURNS => {
                self.turns += 1;
                None
            }
            Way::None => self.offer(shared, connection).map(Wanted::Offer),
            Way::Offered(_) | Way::Open(..) | Way::Never => None,
        }
    }

    /// Makes our end of a lane. Returns what tells the other side of it.
    fn offer(&mut self, shared: &Shared, connection: &OwnedFd) -> Option<[u8; LANE]> {
        self.way = Way::Never;
        if !shared.gatherings.may_keep() {
            return None;
        }
        let made = || {
            let (socket, port) = sys::datagrams(connection).ok()?;
            Some((socket, port, u64::from_le_bytes(*sys::nonce().ok()?.first_chunk()?)))
        };
        let room = shared.kept.lanes.fetch_add(1, SeqCst) < LANES;
        let Some((socket, port, token)) = room.then(made).flatten() else {
            shared.kept.lanes.fetch_sub(1, SeqCst);
            return None;
        };
        self.way = Way::Offered(End { socket: Arc::new(socket), token });
        Some(frame::lane(port, token))
    }

    /// The other side's end. Returns what tells it of ours, if it does not know yet.
    pub fn offered(&mut self, shared: &Shared, peer: Peer, connection: &OwnedFd, (port, token): (u16, u64)) -> Option<[u8; LANE]> {
        let told = if matches!(self.way, Way::None) { self.offer(shared, connection) } else { None };
        let Way::Offered(end) = &self.way else { return None };
        let end = end.clone();
        // Nobody's datagrams but the other side's wake us, and those only when they are read.
        if sys::lead_to(&end.socket, connection, port) && shared.poller.add(&end.socket, shared.lane_token(peer), READ).is_ok() {
            self.way = Way::Open(end, token);
        } else {
            shared.poller.remove(&end.socket);
            shared.kept.lanes.fetch_sub(1, SeqCst);
            self.way = Way::Never;
        }
        told
    }

    /// The connection has ended.
    pub fn end_with_connection(&mut self, shared: &Shared) {
        if let Some(end) = self.end() {
            shared.poller.remove(&end.socket);
            shared.kept.lanes.fetch_sub(1, SeqCst);
        }
        self.way = Way::Never;
        (self.kept, self.count) = (Vec::new(), 0);
    }
}

/// What the other side is to be told.
pub enum Wanted {
    Told([u8; HEADER]),
    Offer([u8; LANE]),
}

/// A datagram of the other side.
pub struct Datagram<'d> {
    pub number: u32,
    /// So many of ours have come there.
    pub come: u32,
    pub header: Header,
    pub body: &'d [u8],
}

impl End {
    /// Reads a datagram. What makes no sense is from nobody.
    pub fn receive<'d>(&self, room: &'d mut [u8; ROOM]) -> Option<Datagram<'d>> {
        let Moved::Bytes(count) = sys::receive(&self.socket, room) else { return None };
        parse(self.token, &room[..count])
    }
}

pub fn parse(token: u64, bytes: &[u8]) -> Option<Datagram<'_>> {
    let (said, rest) = bytes.split_first_chunk::<8>()?;
    let (number, rest) = rest.split_first_chunk()?;
    let (come, rest) = rest.split_first_chunk()?;
    let (header, body) = rest.split_first_chunk()?;
    if u64::from_le_bytes(*said) != token {
        return None;
    }
    match frame::parse(*header) {
        Frame::Packet(header, len) if len == body.len() => {
            Some(Datagram { number: u32::from_le_bytes(*number), come: u32::from_le_bytes(*come), header, body })
        }
        _ => None,
    }
}

/// The peers for whom something is kept, or was, of one process; the [flusher](crate::gather) looks at them.
pub struct Kept {
    list: ThreadLock<Vec<Peer>>,
    count: AtomicUsize,
    lanes: AtomicUsize,
}

impl Kept {
    pub fn new() -> Self {
        // The flusher is a thread more than the program has.
        Kept { list: ThreadLock::new(Threading::Multiple, Vec::new()), count: AtomicUsize::new(0), lanes: AtomicUsize::new(0) }
    }

    /// Something is kept for `peer`, whose lane this is.
    #[inline]
    pub fn note(&self, shared: &Shared, peer: Peer, lane: &mut Lane) {
        if !std::mem::replace(&mut lane.listed, true) {
            self.list.lock().push(peer);
            self.count.fetch_add(1, SeqCst);
        }
        shared.gatherings.keeps();
    }

    /// Has everything that is kept for so long go by the connections.
    #[cold]
    pub fn look(&self, shared: &Shared, patience: Duration) {
        let peers = std::mem::take(&mut *self.list.lock());
        for peer in &peers {
            let mut sending = shared.peers[peer.index()].lock();
            sending.lane.listed = false;
            if sending.lane.is_overdue(patience) {
                sending.send_kept(shared);
            } else if sending.lane.count > 0 {
                self.note(shared, *peer, &mut sending.lane);
            }
        }
        // Only now: whoever sees none knows that nothing is on its way there either.
        self.count.fetch_sub(peers.len(), SeqCst);
    }

    /// Whether there may be any.
    pub fn is_any(&self) -> bool {
        self.count.load(SeqCst) > 0
    }
}

#[cfg(test)]
mod tests;
