//! The sending side towards one peer: making the connection, and the bytes that wait to go.
//!
//! ```text
//!           something to send             "welcome"
//!   Idle ──────────────────────▶ Calling ────────────▶ Open
//!     │                             │ "calling"          ▲
//!     │                             ▼                    │
//!     └──── the peer's call ──▶ Expecting ───────────────┘
//! ```
//! From everywhere the end of the connection leads to `Gone`, if it is a writer who finds it by way of `Mute`. What is sent there goes nowhere: the peer is dead, or through with
//! the job.

use crate::calling::{Call, Reply};
use crate::frame::{HEADER, MAX_PACKET};
use crate::gather::{self, Pace};
use crate::greeting::{self, ANSWER, BUSY, WELCOME};
use crate::lane::{self, Lane, Wanted};
use crate::sealing::{Ciphers, Opening, Sealing};
use crate::shared::Shared;
use crate::strangers::Heard;
use crate::sys::{self, Flags, Moved, READ, READ_WRITE};
use fm::Peer;
use rustix::io::Errno;
use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Bytes that may wait for a connection: enough for the kernel to have a large piece at hand whenever it wants one.
const ROOM: usize = 256 << 10;

const _: () = assert!(ROOM >= HEADER + MAX_PACKET);

pub struct Sending {
    peer: Peer,
    state: State,
    /// What waits to go, from `start` on.
    queue: Vec<u8>,
    start: usize,
    /// Where it is encrypted, what goes before it; and what the receiving side has not taken over yet.
    sealing: Option<Sealing>,
    opening: Option<Opening>,
    /// A packet was refused for want of room: it goes when at most so many bytes wait, which is not yet.
    refused: Option<usize>,
    /// There has been since.
    freed: bool,
    /// We are among those of [`Shared::unsent`].
    counted: bool,
    /// What the poller looks for.
    watched: Flags,
    pub pace: Pace,
    /// Where short packets go that follow an answer.
    pub lane: Lane,
    /// How many packets have come from the peer, counted by the receiving side.
    pub come: Arc<AtomicU32>,
    /// So many more calls may be dropped at once.
    tries: u32,
}

/// Calls that are made in a row, when each is dropped at once.
const TRIES: u32 = 20;

enum State {
    Idle,
    Calling(Box<Call>),
    Expecting,
    Open(Arc<OwnedFd>),
    /// The peer reads no more. What it had sent before may still be here.
    Mute(Arc<OwnedFd>),
    Gone,
}

/// A new connection.
pub struct Connection {
    pub socket: OwnedFd,
    /// If its bytes are encrypted.
    pub ciphers: Option<Box<Ciphers>>,
}

/// What becomes of a call to us.
#[derive(PartialEq, Eq, Debug)]
pub enum Admission {
    /// It is the connection from now on.
    Welcome,
    /// Our own call counts.
    Busy,
    /// There is nothing to talk about any more.
    Refused,
}

impl Sending {
    pub fn new(peer: Peer) -> Self {
        Sending {
            peer,
            state: State::Idle,
            queue: Vec::new(),
            start: 0,
            sealing: None,
            opening: None,
            refused: None,
            freed: false,
            counted: false,
            watched: Flags::empty(),
            pace: Pace::new(),
            lane: Lane::new(),
            come: Arc::default(),
            tries: TRIES,
        }
    }

    /// Whether a packet of `bytes`, header and all, may go now; if not, it is noted that somebody waits for room.
    #[inline]
    pub fn has_room(&mut self, shared: &Shared, bytes: usize) -> bool {
        self.has_place(shared, bytes, ROOM)
    }

    /// The same for one that is best taken from where it lies: a long one had better wait than be copied to those that wait.
    pub fn takes(&mut self, shared: &Shared, bytes: usize) -> bool {
        let most = if bytes < gather::MOST || self.pace.gathering { ROOM } else { bytes };
        self.has_place(shared, bytes, most)
    }

    /// Whether `bytes` and those that wait are at most `most`.
    #[inline]
    fn has_place(&mut self, shared: &Shared, bytes: usize, most: usize) -> bool {
        if self.freed {
            self.freed = false;
            shared.freed.fetch_sub(1, Relaxed);
        }
        if self.waiting() + bytes > most {
            self.flush(shared);
        }
        let place = self.waiting() + bytes <= most;
        self.refused = if place { None } else { Some(most - bytes) };
        place
    }

    /// Sends the parts of a packet, for which there was room.
    #[inline]
    pub fn send(&mut self, shared: &Shared, parts: [&[u8]; 3]) {
        match &self.state {
            State::Gone | State::Mute(_) => {}
            State::Open(_) if self.pace.gathering || self.waiting() == 0 => {
                let bytes: usize = parts.iter().map(|part| part.len()).sum();
                if bytes < gather::MOST && self.gathers(shared) {
                    self.leave_lane();
                    parts.iter().for_each(|part| self.queue.extend_from_slice(part));
                    if self.waiting() >= gather::MOST || !self.pace.is_quick(shared) {
                        self.flush(shared);
                    }
                } else if self.lane.takes(bytes) && self.lane.send(parts, self.come.load(Relaxed)) {
                    self.pace.wrote(shared);
                    shared.kept.note(shared, self.peer, &mut self.lane);
                } else {
                    self.leave_lane();
                    self.write_in_turn(shared, parts, bytes);
                }
            }
            _ => {
                self.leave_lane();
                self.wait_with(shared, parts);
            }
        }
    }

    /// A packet is to go by the connection.
    #[inline]
    fn leave_lane(&mut self) {
        if self.queued() == 0 {
            self.queue.clear();
            self.start = 0;
        }
        self.lane.leaves(&mut self.queue);
    }

    /// Hands a packet to the connection that does not gather, and says there what a lane needs.
    fn write_in_turn(&mut self, shared: &Shared, parts: [&[u8]; 3], bytes: usize) {
        let wanted = match &self.state {
            State::Open(socket) if bytes <= lane::LONGEST && !shared.encrypt => {
                self.lane.wants(shared, socket, self.come.load(Relaxed))
            }
            _ => None,
        };
        if let Some(Wanted::Told(come)) = &wanted {
            self.queue.extend_from_slice(come);
        }
        self.write(shared, parts);
        if let Some(Wanted::Offer(offer)) = wanted {
            self.say(shared, &offer);
        }
    }

    /// Says something of the device's own.
    fn say(&mut self, shared: &Shared, bytes: &[u8]) {
        self.queue.extend_from_slice(bytes);
        self.flush(shared);
    }

    /// What the lane keeps goes by the connection, because its answer takes too long.
    #[cold]
    pub fn send_kept(&mut self, shared: &Shared) {
        self.lane.has_lost();
        self.lane.rejoin(&mut self.queue);
        self.flush(shared);
    }

    /// The peer offers its end of a lane.
    #[cold]
    pub fn offered(&mut self, shared: &Shared, end: (u16, u64)) {
        if let State::Open(socket) = &self.state
            && !shared.encrypt
            && let Some(ours) = self.lane.offered(shared, self.peer, socket, end)
        {
            self.say(shared, &ours);
        }
    }

    /// Whether a short packet goes to those that gather.
    #[inline]
    fn gathers(&mut self, shared: &Shared) -> bool {
        if self.pace.gathering {
            return true;
        }
        let begins = self.pace.is_quick(shared) && self.pace.begin(shared, self.peer);
        if begins {
            self.counted = true;
            shared.unsent.fetch_add(1, Relaxed);
        }
        begins
    }

    /// Hands the parts of a packet to the connection, behind what has gathered.
    fn write(&mut self, shared: &Shared, parts: [&[u8]; 3]) {
        let State::Open(socket) = &self.state else { return };
        if self.sealing.is_some() {
            parts.iter().for_each(|part| self.queue.extend_from_slice(part));
            return self.flush(shared);
        }
        let [a, b, c] = parts;
        let moved = match () {
            () if self.queued() == 0 && b.is_empty() => sys::send(socket, a),
            () => sys::send_all_of(socket, &[&self.queue[self.start..], a, b, c].map(IoSlice::new)),
        };
        let mut gone = match moved {
            Moved::Bytes(count) => count,
            Moved::Later => 0,
            Moved::End => return self.give_up(shared),
            Moved::Broken(errno) => return self.unheard(shared, errno),
        };
        let of_queue = gone.min(self.queued());
        self.start += of_queue;
        gone -= of_queue;
        let left = parts.map(|part| {
            let (_, left) = part.split_at(gone.min(part.len()));
            gone -= part.len() - left.len();
            left
        });
        self.pace.wrote(shared);
        if self.counted || left.iter().any(|part| !part.is_empty()) {
            self.wait_with(shared, left);
        }
    }

    #[cold]
    fn wait_with(&mut self, shared: &Shared, parts: [&[u8]; 3]) {
        // What has gone makes place before the queue grows.
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        if self.start > 0 && (self.queued() == 0 || self.queue.len() + bytes > self.queue.capacity()) {
            self.queue.drain(..self.start);
            self.start = 0;
        }
        parts.iter().for_each(|part| self.queue.extend_from_slice(part));
        self.note_waiting(shared);
        match self.state {
            State::Open(_) => self.watch(shared),
            State::Idle => self.call(shared),
            // The other side hears of us the sooner.
            State::Calling(ref call) if call.is_connecting() => self.answered(shared),
            _ => {}
        }
    }

    fn waiting(&self) -> usize {
        self.queued() + self.sealing.as_ref().map_or(0, |sealing| sealing.waiting().len())
    }

    fn queued(&self) -> usize {
        self.queue.len() - self.start
    }

    /// Hands to the connection what it takes.
    pub fn flush(&mut self, shared: &Shared) {
        let State::Open(socket) = &self.state else { return };
        loop {
            let queued = &self.queue[self.start..];
            let bytes = match &mut self.sealing {
                None => queued,
                Some(sealing) => {
                    if sealing.waiting().is_empty() {
                        self.start += sealing.seal(queued);
                    }
                    sealing.waiting()
                }
            };
            if bytes.is_empty() {
                break;
            }
            match sys::send(socket, bytes) {
                Moved::Bytes(count) => match &mut self.sealing {
                    None => self.start += count,
                    Some(sealing) => sealing.gone(count),
                },
                Moved::Later => break,
                Moved::End => return self.give_up(shared),
                Moved::Broken(errno) => return self.unheard(shared, errno),
            }
        }
        if self.start == self.queue.len() {
            self.queue.clear();
            self.start = 0;
        }
        self.pace.wrote(shared);
        self.watch(shared);
        self.note_waiting(shared);
    }

    /// Whether the kernel has nothing that it could not send yet.
    pub fn is_under_way(&self) -> bool {
        !matches!(&self.state, State::Open(socket) if sys::unsent(socket) > 0)
    }

    /// Looks for what can happen next at an open connection.
    fn watch(&mut self, shared: &Shared) {
        let State::Open(socket) = &self.state else { return };
        let wanted = if self.waiting() > 0 { READ_WRITE } else { READ };
        if wanted != self.watched && shared.poller.change(socket, shared.token(self.peer), wanted).is_ok() {
            self.watched = wanted;
        }
    }

    /// What waits has changed.
    fn note_waiting(&mut self, shared: &Shared) {
        let counted = self.waiting() > 0;
        match (counted, std::mem::replace(&mut self.counted, counted)) {
            (true, false) => drop(shared.unsent.fetch_add(1, Relaxed)),
            (false, true) => drop(shared.unsent.fetch_sub(1, Relaxed)),
            _ => {}
        }
        if self.refused.is_some_and(|most| self.waiting() <= most) {
            self.refused = None;
            self.freed = true;
            shared.freed.fetch_add(1, Relaxed);
        }
    }
}

/// Making the connection.
impl Sending {
    fn call(&mut self, shared: &Shared) {
        match Call::new(shared, self.peer) {
            Ok(call) => {
                self.state = State::Calling(Box::new(call));
                self.answered(shared);
            }
            Err(errno) => self.lose(shared, &format!("{} cannot be called: {errno}", shared.addresses[self.peer.index()])),
        }
    }

    /// Goes on with our call, if there is one and something has happened.
    pub fn answered(&mut self, shared: &Shared) {
        let State::Calling(call) = &mut self.state else { return };
        match call.go_on(shared) {
            Reply::NotYet => {}
            Reply::Welcome => {
                let State::Calling(call) = std::mem::replace(&mut self.state, State::Gone) else { return };
                let connection = call.into_connection(shared);
                self.open(shared, connection);
            }
            Reply::Calling => {
                self.hang_up(shared);
                self.state = State::Expecting;
            }
            Reply::Dropped if self.tries > 0 => {
                self.tries -= u32::from(call.is_young());
                self.hang_up(shared);
                self.call(shared);
            }
            Reply::Ended | Reply::Dropped => self.give_up(shared),
            Reply::Lost(what) => self.lose(shared, &what),
        }
    }

    /// The connection is there, already watched for reading.
    fn open(&mut self, shared: &Shared, connection: Connection) {
        self.watched = READ;
        self.tries = TRIES;
        sys::fit_buffer(&connection.socket);
        self.state = State::Open(Arc::new(connection.socket));
        (self.sealing, self.opening) = connection.ciphers.map(|ciphers| (ciphers.sealing, ciphers.opening)).unzip();
        self.flush(shared);
    }

    /// The peer calls us.
    pub fn admit(&mut self, shared: &Shared, heard: Heard) -> Admission {
        let admission = match &self.state {
            State::Calling(_) if shared.me < self.peer => Admission::Busy,
            State::Idle | State::Expecting | State::Calling(_) => Admission::Welcome,
            State::Open(_) | State::Mute(_) => Admission::Busy,
            State::Gone => Admission::Refused,
        };
        if admission == Admission::Refused {
            return admission;
        }
        let word = if admission == Admission::Welcome { WELCOME } else { BUSY };
        let Heard { socket, challenge, said: hello } = heard;
        let answer = greeting::answer(&shared.key, &challenge, &hello, &word);
        let said = matches!(sys::send(&socket, &answer), Moved::Bytes(ANSWER));
        if admission == Admission::Welcome {
            self.hang_up(shared);
            if said && shared.poller.add(&socket, shared.token(self.peer), READ).is_ok() {
                let ciphers = shared.encrypt.then(|| {
                    let [theirs, ours] = greeting::secrets(&shared.key, &challenge, &hello);
                    Ciphers::new(ours, theirs)
                });
                self.open(shared, Connection { socket, ciphers });
            } else {
                self.give_up(shared);
            }
        }
        admission
    }

    /// The open connection, to be read from.
    pub fn socket(&self) -> Option<&Arc<OwnedFd>> {
        match &self.state {
            State::Open(socket) | State::Mute(socket) => Some(socket),
            _ => None,
        }
    }

    /// What opens its records, if they are encrypted; once.
    pub fn take_opening(&mut self) -> Option<Opening> {
        self.opening.take()
    }
}

/// The end.
impl Sending {
    /// The network does not carry to the peer any more, or never did.
    pub fn lose(&mut self, shared: &Shared, what: &str) {
        self.give_up(shared);
        shared.losses.note(self.peer, what.to_owned());
    }

    /// The connection has ended.
    pub fn give_up(&mut self, shared: &Shared) {
        self.hang_up(shared);
        self.forget(shared);
    }

    /// What waits goes nowhere.
    fn forget(&mut self, shared: &Shared) {
        self.queue = Vec::new();
        self.start = 0;
        self.sealing = None;
        self.note_waiting(shared);
    }

    /// A write has failed. What the peer sent before it left is there all the same, and whoever reads it will find the end.
    fn unheard(&mut self, shared: &Shared, errno: Errno) {
        match (errno, std::mem::replace(&mut self.state, State::Gone)) {
            (Errno::CONNRESET | Errno::PIPE, State::Open(socket)) => {
                if self.watched != READ && shared.poller.change(&socket, shared.token(self.peer), READ).is_ok() {
                    self.watched = READ;
                }
                self.state = State::Mute(socket);
                self.lane.end_with_connection(shared);
                self.forget(shared);
            }
            (_, state) => {
                self.state = state;
                self.broken(shared, errno);
            }
        }
    }

    fn hang_up(&mut self, shared: &Shared) {
        match std::mem::replace(&mut self.state, State::Gone) {
            State::Calling(call) => call.hang_up(shared),
            State::Open(socket) | State::Mute(socket) => {
                shared.poller.remove(socket);
                self.lane.end_with_connection(shared);
            }
            State::Idle | State::Expecting | State::Gone => {}
        }
    }

    /// A socket's error. Those that a peer's death brings about are its launcher's to tell.
    pub fn broken(&mut self, shared: &Shared, errno: Errno) {
        match errno {
            Errno::CONNRESET | Errno::PIPE => self.give_up(shared),
            _ => self.lose(shared, &errno.to_string()),
        }
    }
}
