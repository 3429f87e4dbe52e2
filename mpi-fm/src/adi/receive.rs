//! Receiving: posting, matching, delivering (MPI 5.0 section 3.5).

use super::envelope::{Announcement, Envelope, Plane};
use super::matching::Pattern;
use super::send::Mode;
use crate::coll::operation::{self, Heard, SEQUENCE_BITS};
use crate::buf::Buf;
use crate::comm::Comm;
use crate::error::{Class, Error, Result};
use crate::handle::Handle;
use crate::memory::Memory;
use crate::process::Process;
use crate::request::{Inner, Request, State};
use crate::status::{Outcome, Status};
use crate::waiting::Waiting;
use fm::Peer;
use fm::lock::Guard;
use smallvec::SmallVec;

/// A message that waits for its receive.
pub struct Arrived {
    pub from: Peer,
    pub envelope: Envelope,
    pub body: Body,
}

/// What of an unexpected message is here.
pub enum Body {
    /// All of it.
    Whole(SmallVec<[u8; 24]>),
    /// Only its length; the sender's request waits for clearance.
    Announced(Announcement),
}

impl Arrived {
    /// Length of the body in bytes.
    pub fn bytes(&self) -> u64 {
        match &self.body {
            Body::Whole(body) => body.len() as u64,
            Body::Announced(announcement) => announcement.bytes,
        }
    }

    /// What a probe tells of it.
    pub fn status(&self) -> Status {
        status(&self.envelope, self.bytes())
    }
}

/// What a receive wants, and where from.
#[derive(Clone, Copy)]
pub struct From<'c> {
    pub comm: &'c Comm,
    /// `None` is `MPI_ANY_SOURCE`.
    pub rank: Option<usize>,
    /// `None` is `MPI_ANY_TAG`. On the collective plane the operation stands in the upper bits.
    pub tag: Option<i32>,
    pub plane: Plane,
}

impl From<'_> {
    #[inline]
    pub fn pattern(&self) -> Pattern {
        Pattern { source: self.rank.map(|rank| rank as u32), tag: self.tag.map(|tag| matched_tag(self.plane, tag)) }
    }

    /// What a call waits for that wants it.
    pub fn waiting(&self) -> Waiting {
        Waiting::receive(self.comm, self.rank, self.tag)
    }
}

/// The part of a tag that decides the match. Members of a communicator must call the same collectives in the same order; that they do
/// is checked on the operation's number after the match.
#[inline]
pub fn matched_tag(plane: Plane, tag: i32) -> i32 {
    match plane {
        Plane::Collective => tag & ((1 << SEQUENCE_BITS) - 1),
        Plane::PointToPoint | Plane::Partial | Plane::Partitioned => tag,
    }
}

#[inline]
fn status(envelope: &Envelope, bytes: u64) -> Status {
    Status { source: envelope.source as i32, tag: envelope.tag, bytes, cancelled: false }
}

/// Whether a receive with `room` takes a message of `bytes` without an error. A member of a collective call expects a certain length, and
/// a message of the same call.
#[inline]
fn fits(receive: &Inner, envelope: &Envelope, bytes: u64, room: u64) -> bool {
    match envelope.plane {
        Plane::Collective => (envelope.tag ^ receive.outcome.status.tag) >> SEQUENCE_BITS == 0 && bytes == room,
        Plane::PointToPoint | Plane::Partial | Plane::Partitioned => bytes <= room,
    }
}

impl Process {
    /// Starts a receive: takes the oldest message that waits for it, or posts it.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    #[inline]
    pub fn irecv(&self, buf: Buf<'_>, from: From<'_>) -> Result<Handle> {
        self.post(&from, |memory| memory.describe(&buf))
    }

    /// As [`irecv`](Self::irecv), into memory described already.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    #[inline]
    pub fn irecv_into(&self, memory: Memory, from: From<'_>) -> Result<Handle> {
        self.post(&from, |place| place.set(memory))
    }

    /// Starts a receive into the memory that `describe` describes.
    #[inline(always)]
    fn post(&self, from: &From<'_>, describe: impl FnOnce(&mut Memory)) -> Result<Handle> {
        let pattern = from.pattern();
        // Before the request, which in other places is locked under it.
        let mut matcher = from.comm.plane(from.plane).lock();
        let (request, _, mut inner) = self.requests.open(from.comm.handle)?;
        describe(&mut inner.memory);
        inner.outcome.status.tag = from.tag.unwrap_or(crate::constants::ANY_TAG);
        match matcher.take(&pattern) {
            None => inner.state.set(State::Posted { plane: from.plane, number: matcher.post(&pattern, request) }),
            Some(arrived) => {
                drop((inner, matcher));
                self.receive_arrived(request, arrived);
            }
        }
        Ok(request)
    }

    /// Receives and returns when the message is there.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn recv(&self, buf: Buf<'_>, from: From<'_>) -> Result<Outcome> {
        let request = self.irecv(buf, from)?;
        self.wait_done(request, || from.waiting())?;
        let mut status = Status::EMPTY;
        if self.finish_if_done(request, |told| status = *told) {
            return Ok(Outcome { status, error: None });
        }
        self.finish(request)
    }

    /// The oldest message that `from` accepts, if one has arrived.
    pub fn peek(&self, from: &From<'_>) -> Option<Status> {
        from.comm.plane(from.plane).lock().peek(&from.pattern()).map(Arrived::status)
    }

    /// Takes the oldest message that `from` accepts out of the queue (`MPI_Improbe`), if one has arrived.
    pub fn extract_message(&self, from: &From<'_>) -> Option<Arrived> {
        from.comm.plane(from.plane).lock().take(&from.pattern())
    }

    /// Starts the receive of a message that a probe took out of the queue (`MPI_Imrecv`).
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn imrecv(&self, buf: Buf<'_>, comm: Handle, message: Arrived) -> Result<Handle> {
        let request = self.requests.start(State::Idle, Memory::of(&buf), comm)?;
        self.receive_arrived(request, message);
        Ok(request)
    }

    /// A message that waited meets its receive.
    #[inline(never)]
    fn receive_arrived(&self, receive: Handle, arrived: Arrived) {
        let Arrived { from, envelope, body } = arrived;
        match body {
            Body::Whole(bytes) => {
                self.deliver(receive, &envelope, &bytes);
                if from != self.me() {
                    self.owe(from, bytes.len() as u64);
                }
            }
            Body::Announced(announcement) => self.clear(receive, from, &envelope, announcement),
        }
    }

    /// A whole message meets its receive: copies the body and completes the request.
    #[inline(always)]
    pub(crate) fn deliver(&self, receive: Handle, envelope: &Envelope, body: &[u8]) {
        let Some(request) = self.requests.find(receive) else { return };
        let mut inner = request.inner.lock();
        let (bytes, room) = (body.len() as u64, inner.memory.len());
        if !fits(&inner, envelope, bytes, room) {
            return self.deliver_faulty(request, inner, envelope, body);
        }
        inner.outcome.status = status(envelope, bytes);
        inner.memory.fill(body);
        self.requests.end(request, inner);
    }

    /// The message is not what the receive can take.
    #[cold]
    fn deliver_faulty(&self, request: &Request, mut inner: Guard<'_, Inner>, envelope: &Envelope, body: &[u8]) {
        inner.outcome = self.matched(&inner, envelope, body.len() as u64);
        inner.memory.write_at(0, body);
        self.requests.end(request, inner);
    }

    /// How a receive will end that has met a message with this envelope and length. The length that the status tells is that of what was
    /// received, also after truncation.
    pub(crate) fn matched(&self, receive: &Inner, envelope: &Envelope, bytes: u64) -> Outcome {
        let room = receive.memory.len();
        let status = status(envelope, bytes.min(room));
        let error = match envelope.plane {
            _ if fits(receive, envelope, bytes, room) => None,
            Plane::Collective => self.explain_collective_fault(receive, envelope, bytes, room),
            _ => Some(self.truncated(receive, envelope, bytes, room)),
        };
        Outcome { status, error }
    }

    #[cold]
    fn truncated(&self, receive: &Inner, envelope: &Envelope, bytes: u64, room: u64) -> Error {
        let comm = self.describe_comm(receive.comm);
        let text = format!(
            "message truncated: the message from rank {} with tag {} on {comm} has {bytes} bytes, the receive buffer has room for {room}",
            envelope.source, envelope.tag,
        );
        Error::new(Class::TRUNCATE, text)
    }

    /// Why a message of a collective is not the one that this member's call expects.
    #[cold]
    fn explain_collective_fault(&self, receive: &Inner, envelope: &Envelope, bytes: u64, room: u64) -> Option<Error> {
        let comm = self.describe_comm(receive.comm);
        let source = envelope.source;
        operation::explain(&comm, Heard { source, tag: envelope.tag, bytes }, receive.outcome.status.tag, room)
    }

    /// A message to this process itself: never enters the network.
    pub(crate) fn send_to_self(&self, comm: &Comm, envelope: Envelope, memory: Memory, mode: Mode) -> Result<Handle> {
        let state = State::Sending { to: self.me(), envelope };
        let tag = matched_tag(envelope.plane, envelope.tag);
        let bytes = memory.len();
        let mut matcher = comm.plane(envelope.plane).lock();
        if let Some(receive) = matcher.arrive(envelope.source, tag) {
            drop(matcher);
            let send = self.requests.start(state, memory, comm.handle)?;
            self.clear(receive, self.me(), &envelope, Announcement { send, bytes, address: None });
            self.woken();
            return Ok(send);
        }
        let send = if mode == Mode::Standard && bytes <= self.config.eager_bytes_max() as u64 {
            let mut body = SmallVec::from_elem(0, bytes as usize);
            memory.read_at(0, &mut body);
            let send = self.requests.start(state, Memory::EMPTY, comm.handle)?;
            self.requests.complete(send, Outcome::EMPTY);
            matcher.wait_for_receive(envelope.source, tag, Arrived { from: self.me(), envelope, body: Body::Whole(body) });
            send
        } else {
            let send = self.requests.start(state, memory, comm.handle)?;
            let body = Body::Announced(Announcement { send, bytes, address: None });
            matcher.wait_for_receive(envelope.source, tag, Arrived { from: self.me(), envelope, body });
            send
        };
        drop(matcher);
        self.woken();
        Ok(send)
    }
}
