//! The sending side towards one peer: making the connection, and the bytes that wait to go.
//!
//! ```text
//!           something to send                 connected              "welcome"
//!   Idle ──────────────────────▶ Connecting ────────────▶ Greeting ────────────▶ Open
//!     │                                                      │ "calling"           ▲
//!     │                                                      ▼                     │
//!     └──────────────── the peer's call ───────────────▶ Expecting ────────────────┘
//! ```
//! From everywhere a broken connection leads to `Gone`, and so does leaving. What is sent there goes nowhere: the peer is
//! dead, or through with the job.

use crate::frame::{FAREWELL, HEADER, MAX_PACKET};
use crate::greeting::{self, ANSWER, BUSY, WELCOME};
use crate::shared::Shared;
use crate::sys::{self, Flags, Moved, READ, READ_WRITE, WRITE};
use fm::Peer;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

/// Bytes that may wait for a connection: enough for the kernel to have a large piece at hand whenever it wants one.
const ROOM: usize = 256 << 10;

const _: () = assert!(ROOM >= HEADER + MAX_PACKET);

pub struct Sending {
    peer: Peer,
    state: State,
    /// What waits to go, from `start` on.
    queue: Vec<u8>,
    start: usize,
    /// A packet was refused for want of room, and there is none yet.
    refused: bool,
    /// There has been since.
    freed: bool,
    /// What the poller looks for.
    watched: Flags,
    /// The peer's last word was read.
    heard_farewell: bool,
    /// Ours waits to go, or is gone.
    said_farewell: bool,
    ended: bool,
}

enum State {
    Idle,
    Connecting(OwnedFd),
    /// We said who we are, and have so many bytes of the answer.
    Greeting(OwnedFd, [u8; ANSWER], usize),
    Expecting,
    Open(Arc<OwnedFd>),
    Gone,
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
            refused: false,
            freed: false,
            watched: Flags::empty(),
            heard_farewell: false,
            said_farewell: false,
            ended: false,
        }
    }

    /// Whether a packet of `len` bytes may go now; if not, it is noted that somebody waits for room.
    #[inline]
    pub fn has_room(&mut self, shared: &Shared, len: usize) -> bool {
        if self.freed {
            self.freed = false;
            shared.freed.fetch_sub(1, Relaxed);
        }
        if self.waiting() + HEADER + len > ROOM {
            self.flush(shared);
        }
        self.refused = self.waiting() + HEADER + len > ROOM;
        !self.refused
    }

    /// Sends a packet, header and all, for which there was room.
    #[inline]
    pub fn send(&mut self, shared: &Shared, packet: &[u8]) {
        match &self.state {
            State::Gone => {}
            _ if self.said_farewell => {}
            State::Open(socket) if self.queue.is_empty() => match sys::send(socket, packet) {
                Moved::Bytes(count) if count == packet.len() => {}
                Moved::Bytes(count) => self.wait_with(shared, &packet[count..]),
                Moved::Later => self.wait_with(shared, packet),
                Moved::End => self.lose(shared, "it takes nothing any more"),
                Moved::Broken(errno) => self.lose(shared, &errno.to_string()),
            },
            _ => self.wait_with(shared, packet),
        }
    }

    #[cold]
    fn wait_with(&mut self, shared: &Shared, bytes: &[u8]) {
        // What has gone makes place before the queue grows.
        if self.start > 0 && self.queue.len() + bytes.len() > self.queue.capacity() {
            self.queue.drain(..self.start);
            self.start = 0;
        }
        self.queue.extend_from_slice(bytes);
        match self.state {
            State::Open(_) => self.watch(shared),
            State::Idle => self.call(shared),
            // The other side hears of us the sooner.
            State::Connecting(_) => self.answered(shared),
            _ => {}
        }
    }

    fn waiting(&self) -> usize {
        self.queue.len() - self.start
    }

    /// Hands to the connection what it takes.
    pub fn flush(&mut self, shared: &Shared) {
        let State::Open(socket) = &self.state else { return };
        while self.start < self.queue.len() {
            match sys::send(socket, &self.queue[self.start..]) {
                Moved::Bytes(count) => self.start += count,
                Moved::Later => break,
                Moved::End => return self.lose(shared, "it takes nothing any more"),
                Moved::Broken(errno) => return self.lose(shared, &errno.to_string()),
            }
        }
        if self.start == self.queue.len() {
            self.queue.clear();
            self.start = 0;
            if self.said_farewell && !self.ended {
                self.ended = true;
                sys::end_sending(socket);
            }
        }
        self.watch(shared);
        self.note_room(shared);
    }

    /// Looks for what can happen next at an open connection.
    fn watch(&mut self, shared: &Shared) {
        let State::Open(socket) = &self.state else { return };
        let wanted = match (self.heard_farewell, self.waiting() > 0) {
            (false, false) => READ,
            (false, true) => READ_WRITE,
            (true, true) => WRITE,
            (true, false) => Flags::empty(),
        };
        if wanted != self.watched && shared.poller.change(socket, shared.token(self.peer), wanted).is_ok() {
            self.watched = wanted;
        }
    }

    fn note_room(&mut self, shared: &Shared) {
        if self.refused && ROOM - self.waiting() >= HEADER + MAX_PACKET {
            self.refused = false;
            self.freed = true;
            shared.freed.fetch_add(1, Relaxed);
        }
    }
}

/// Making the connection.
impl Sending {
    fn call(&mut self, shared: &Shared) {
        let address = &shared.addresses[self.peer.index()];
        let called = sys::call(address).and_then(|socket| {
            shared.poller.add(&socket, shared.token(self.peer), WRITE)?;
            Ok(socket)
        });
        match called {
            Ok(socket) => {
                self.state = State::Connecting(socket);
                self.answered(shared);
            }
            Err(errno) => self.lose(shared, &format!("{address} cannot be called: {errno}")),
        }
    }

    /// Goes on with our call, if there is one and something has happened.
    pub fn answered(&mut self, shared: &Shared) {
        if let State::Connecting(socket) = &self.state {
            match sys::connected(socket) {
                Ok(false) => return,
                Ok(true) => self.greet(shared),
                Err(errno) => {
                    let address = shared.addresses[self.peer.index()];
                    self.lose(shared, &format!("{address} does not answer: {errno}"));
                }
            }
        }
        let State::Greeting(socket, answer, heard) = &mut self.state else { return };
        match sys::receive(&*socket, &mut answer[*heard..]) {
            Moved::Bytes(count) => *heard += count,
            Moved::Later => return,
            Moved::End => return self.lose(shared, "it hung up without a word"),
            Moved::Broken(errno) => return self.lose(shared, &errno.to_string()),
        }
        match (*heard, &*answer) {
            (ANSWER, &WELCOME) => {
                let State::Greeting(socket, ..) = std::mem::replace(&mut self.state, State::Gone) else { return };
                self.open(shared, socket);
            }
            (ANSWER, &BUSY) if self.peer < shared.me => {
                shared.poller.remove(&*socket);
                self.state = State::Expecting;
            }
            (ANSWER, _) => self.lose(shared, "it does not speak this device's protocol"),
            _ => {}
        }
    }

    fn greet(&mut self, shared: &Shared) {
        let State::Connecting(socket) = std::mem::replace(&mut self.state, State::Gone) else { return };
        let hello = greeting::hello(&shared.key, shared.me, self.peer);
        // An empty socket takes that many bytes at once.
        let said = matches!(sys::send(&socket, &hello), Moved::Bytes(count) if count == hello.len());
        let watched = shared.poller.change(&socket, shared.token(self.peer), READ);
        self.state = State::Greeting(socket, [0; ANSWER], 0);
        if !said || watched.is_err() {
            self.lose(shared, "it hung up at once");
        }
    }

    /// The connection is there, already watched for reading.
    fn open(&mut self, shared: &Shared, socket: OwnedFd) {
        self.watched = READ;
        self.state = State::Open(Arc::new(socket));
        self.flush(shared);
    }

    /// The peer calls us.
    pub fn admit(&mut self, shared: &Shared, socket: OwnedFd) -> Admission {
        let admission = match &self.state {
            State::Connecting(_) | State::Greeting(..) if shared.me < self.peer => Admission::Busy,
            State::Idle | State::Expecting | State::Connecting(_) | State::Greeting(..) => Admission::Welcome,
            State::Open(_) => Admission::Busy,
            State::Gone => Admission::Refused,
        };
        if admission == Admission::Refused {
            return admission;
        }
        let answer = if admission == Admission::Welcome { WELCOME } else { BUSY };
        let said = matches!(sys::send(&socket, &answer), Moved::Bytes(ANSWER));
        if admission == Admission::Welcome {
            self.hang_up(shared);
            if said && shared.poller.add(&socket, shared.token(self.peer), READ).is_ok() {
                self.open(shared, socket);
            } else {
                self.lose(shared, "it hung up at once");
            }
        }
        admission
    }

    /// The open connection, to be read from.
    pub fn socket(&self) -> Option<&Arc<OwnedFd>> {
        match &self.state {
            State::Open(socket) => Some(socket),
            _ => None,
        }
    }
}

/// The end.
impl Sending {
    /// The connection broke, or could not be made.
    pub fn lose(&mut self, shared: &Shared, what: &str) {
        self.hang_up(shared);
        self.state = State::Gone;
        self.queue = Vec::new();
        self.start = 0;
        self.note_room(shared);
        if !shared.leaving.load(Relaxed) {
            shared.losses.note(self.peer, what.to_owned());
        }
    }

    fn hang_up(&mut self, shared: &Shared) {
        match &self.state {
            State::Connecting(socket) | State::Greeting(socket, ..) => shared.poller.remove(socket),
            State::Open(socket) => shared.poller.remove(socket),
            State::Idle | State::Expecting | State::Gone => {}
        }
    }

    /// The peer sends no packet any more.
    pub fn heard_farewell(&mut self, shared: &Shared) {
        self.heard_farewell = true;
        self.watch(shared);
    }

    /// The connection has ended at the peer's side: well, if it has said farewell.
    pub fn ended_by_peer(&mut self, shared: &Shared, what: &str) {
        if !self.heard_farewell {
            self.lose(shared, what);
        }
    }

    /// No packet will be committed any more. Returns whether everything has left and the peer has said the same.
    pub fn leave(&mut self, shared: &Shared) -> bool {
        match self.state {
            State::Idle => self.state = State::Gone,
            State::Open(_) => {
                if !self.said_farewell {
                    self.said_farewell = true;
                    self.queue.extend_from_slice(&FAREWELL);
                }
                self.flush(shared);
                if self.ended && self.heard_farewell {
                    self.hang_up(shared);
                    self.state = State::Gone;
                }
            }
            // A call under way is brought to its end: the peer may be waiting for it.
            _ => {}
        }
        matches!(self.state, State::Gone)
    }
}
