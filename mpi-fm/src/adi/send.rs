//! Sending: eager while the receiver's budget lasts, rendezvous beyond (MPI 5.0 section 3.4 leaves the choice to us).
//!
//! A message of at most [`eager_bytes_max`](crate::config::Config), or what the device says, leaves with its envelope in one packet. Otherwise only the
//! envelope goes, and [`rendezvous`](super::rendezvous) sends the body once the receive is there. A synchronous send always takes the
//! second way: the receiver's clearance is the proof of the match.

use super::envelope::{Announcement, EAGER, Envelope, Plane, READY_TO_SEND};
use super::peer::{Limit, Outgoing, PeerState, Queued};
use crate::buf::Buf;
use crate::comm::Comm;
use crate::config::Config;
use crate::error::Result;
use crate::handle::Handle;
use crate::memory::Memory;
use crate::process::Process;
use crate::request::State;
use crate::waiting::Waiting;
use fm::{Peer, Threading};
use fm::lock::Guard;

/// How a send is to complete (MPI 5.0 section 3.4). Ready sends are standard ones, buffered ones are standard sends of a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mode {
    Standard,
    Synchronous,
}

/// A message's way: to whom, on which plane of which communicator, under which tag.
#[derive(Clone, Copy)]
pub struct Address<'c> {
    pub comm: &'c Comm,
    /// Rank of the receiver in the communicator.
    pub rank: usize,
    pub tag: i32,
    pub plane: Plane,
}

/// What became of a send that was started.
enum Started {
    /// The message has left: the buffer may be used again.
    Gone { to: Peer, envelope: Envelope },
    Pending(Handle),
}

impl Process {
    /// Sends and returns when the buffer may be used again.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    #[inline(always)]
    pub fn send(&self, buf: Buf<'_>, to: Address<'_>, mode: Mode) -> Result<()> {
        match self.start_send(buf, &to, mode)? {
            Started::Gone { .. } => Ok(()),
            Started::Pending(request) => self.wait_sent(request, to),
        }
    }

    #[inline(never)]
    fn wait_sent(&self, request: Handle, to: Address<'_>) -> Result<()> {
        self.wait_done(request, || Waiting::send(to.comm, to.rank, to.tag))?;
        self.requests.free(request);
        Ok(())
    }

    /// Starts a send. The request completes when the buffer may be used again.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    #[inline(always)]
    pub fn isend(&self, buf: Buf<'_>, to: Address<'_>, mode: Mode) -> Result<Handle> {
        match self.start_send(buf, &to, mode)? {
            // A request whose message has left already.
            Started::Gone { to: peer, envelope } => self.requests.completed(to.comm.handle, || State::Sending { to: peer, envelope }),
            Started::Pending(request) => Ok(request),
        }
    }

    // Always, so that no structure is written that is read back by its fields at once: who does so waits until the stores are done, that to
    // the other process's cell among them.
    #[inline(always)]
    fn start_send(&self, buf: Buf<'_>, to: &Address<'_>, mode: Mode) -> Result<Started> {
        let (peer, context) = to.comm.target(to.rank);
        if mode == Mode::Standard && peer != self.me() {
            let state = self.peer(peer);
            let mut out = state.out.lock();
            let envelope = Envelope { sequence: out.sequence, ..envelope(to, context) };
            if out.queue.is_empty() && self.try_eager(state, &mut out, peer, envelope, &buf) {
                drop(out);
                self.took_room();
                return Ok(Started::Gone { to: peer, envelope });
            }
        }
        self.start_pending(buf, to, mode).map(Started::Pending)
    }

    /// A message has left at once, perhaps in room for which another thread sleeps.
    #[inline]
    fn took_room(&self) {
        if self.fm.threading() == Threading::Multiple && self.has_work_to_push() {
            self.woken();
        }
    }

    /// Starts a send that cannot leave at once: by its kind, or for want of room or budget.
    #[cold]
    fn start_pending(&self, buf: Buf<'_>, to: &Address<'_>, mode: Mode) -> Result<Handle> {
        let (peer, context) = to.comm.target(to.rank);
        let mut envelope = envelope(to, context);
        if peer == self.me() {
            envelope.sequence = self.next_to_self(buf.bytes());
            return self.send_to_self(to.comm, envelope, Memory::of(&buf), mode);
        }
        let out = self.peer(peer).out.lock();
        self.enqueue(out, peer, envelope, Memory::of(&buf), to.comm.handle, mode)
    }

    /// Sends a message that the engine owns: it need not wait for the user's buffer.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn isend_owned(&self, bytes: Box<[u8]>, to: Address<'_>, mode: Mode) -> Result<Handle> {
        let (peer, context) = to.comm.target(to.rank);
        let mut envelope = envelope(&to, context);
        if peer == self.me() {
            envelope.sequence = self.next_to_self(bytes.len() as u64);
            return self.send_to_self(to.comm, envelope, Memory::Owned(bytes), mode);
        }
        let out = self.peer(peer).out.lock();
        let request = self.enqueue(out, peer, envelope, Memory::Owned(bytes), to.comm.handle, mode)?;
        if self.push(peer) {
            self.woken();
        }
        Ok(request)
    }

    /// Puts a message behind those that wait: whole if the receiver's budget allows, otherwise announced.
    fn enqueue(
        &self,
        mut out: Guard<'_, Outgoing>,
        peer: Peer,
        mut envelope: Envelope,
        memory: Memory,
        comm: Handle,
        mode: Mode,
    ) -> Result<Handle> {
        let bytes = memory.len();
        if mode == Mode::Synchronous || !self.travels_whole(&mut out, peer, bytes, || memory.address().is_none()) || !out.charge(bytes) {
            return self.announce(out, peer, envelope, memory, comm);
        }
        envelope.sequence = out.next_sequence();
        let request = self.requests.start(State::Sending { to: peer, envelope }, memory, comm)?;
        self.peer(peer).sent.eager.count(bytes);
        out.queue.push_back(Queued::Eager { envelope, request });
        self.list(peer, &mut out);
        Ok(request)
    }

    /// Numbers and counts a message of this process to itself.
    fn next_to_self(&self, bytes: u64) -> u32 {
        let own = self.peer(self.me());
        let mut out = own.out.lock();
        own.sent.eager.count(bytes);
        out.next_sequence()
    }

    /// Sends the message, whose envelope has the next number, in one packet, if it fits, the receiver's budget allows and the network has room.
    #[inline(always)]
    fn try_eager(
        &self,
        state: &PeerState,
        out: &mut Outgoing,
        peer: Peer,
        envelope: Envelope,
        buf: &Buf<'_>,
    ) -> bool {
        let bytes = buf.bytes();
        if !self.travels_whole(out, peer, bytes, || buf.as_contiguous().is_none()) || !out.charge(bytes) {
            return false;
        }
        let head = envelope.to_bytes();
        let as_it_lies = bytes <= SHORT_MAX || bytes >= IN_PLACE_MIN && self.fm.sends_in_place(peer);
        let in_place = if as_it_lies { buf.as_bytes() } else { None };
        let sent = match in_place {
            Some(body) => self.fm.try_send_from(peer, EAGER, &head, body),
            None => self.fm.try_send(peer, EAGER, Envelope::SIZE + bytes as usize, |packet| {
                let (front, body) = packet.split_at_mut(Envelope::SIZE);
                front.copy_from_slice(&head);
                buf.read(body);
            }),
        };
        if sent {
            out.next_sequence();
            state.sent.eager.count(bytes);
        } else {
            out.refund(1, bytes);
        }
        sent
    }

    /// Sends the envelope alone; the body waits for the receiver's clearance.
    fn announce(
        &self,
        mut out: Guard<'_, Outgoing>,
        peer: Peer,
        mut envelope: Envelope,
        memory: Memory,
        comm: Handle,
    ) -> Result<Handle> {
        envelope.sequence = out.next_sequence();
        let (bytes, address) = (memory.len(), memory.address());
        let request = self.requests.announced(State::Sending { to: peer, envelope }, memory, comm)?;
        self.peer(peer).sent.rendezvous.count(bytes);
        let announcement = Announcement { send: request, bytes, address };
        self.control(&mut out, peer, READY_TO_SEND, envelope, announcement.words());
        Ok(request)
    }

    /// Whether a message of `bytes` to `peer` travels with its envelope; `scattered`: its body is not one piece of memory.
    #[inline]
    fn travels_whole(&self, out: &mut Outgoing, peer: Peer, bytes: u64, scattered: impl FnOnce() -> bool) -> bool {
        if out.limit.version != self.config.version() {
            out.limit = self.eager_limit(peer, out.sequence);
        }
        bytes <= out.limit.bytes || bytes <= out.limit.scattered_bytes && scattered()
    }

    /// A long message that the peer can read out of our memory does not travel whole: what we can do there, it can do here; and if it
    /// cannot, it says so.
    #[cold]
    fn eager_limit(&self, peer: Peer, sent: u32) -> Limit {
        let version = self.config.version();
        let eager = match self.config.eager_bytes_max() {
            Config::EAGER_BYTES_MAX => Config::EAGER_BYTES_MAX.max(self.fm.unasked_max(peer)),
            // Somebody has set it, and means it.
            eager => eager,
        };
        let whole = eager.min(self.fm.max_message(peer) - Envelope::SIZE) as u64;
        let can_read = self.fm.can_read(peer);
        // A peer may not have begun yet, and be read later: after the first messages it is asked again.
        let is_settled = can_read || sent >= FIRST || self.fm.sends_in_place(peer);
        let version = if is_settled { version } else { Limit::UNKNOWN.version };
        let unread = match self.config.fetch_bytes_min() {
            _ if !can_read => u64::MAX,
            Config::FETCH_BYTES_MIN => (Config::FETCH_BYTES_MIN - 1).max(self.fm.unasked_max(peer) as u64),
            fetched => fetched.saturating_sub(1),
        };
        Limit { bytes: whole.min(unread), scattered_bytes: whole, version }
    }
}

/// So many messages go to a peer before it is taken for one whose memory cannot be read.
const FIRST: u32 = 16;

/// From so many bytes on a body that is one piece is left to the device where it lies, which may spare copying it.
pub(super) const IN_PLACE_MIN: u64 = 2048;

/// Up to so many bytes it is, too: one call of the device then does it all.
const SHORT_MAX: u64 = 64;

fn envelope(to: &Address<'_>, context: u32) -> Envelope {
    Envelope { comm: context, plane: to.plane, tag: to.tag, source: to.comm.rank as u32, sequence: 0 }
}
