//! Rendezvous: the body of a message goes once its receive is there.
//!
//! ```text
//! sender                                   receiver
//!   READY_TO_SEND envelope, length   ──▶   matches, or waits in the unexpected queue
//!   CLEAR_TO_SEND                    ◀──   request of the receive, bytes it has room for
//!   DATA offset, bytes               ──▶   straight into the user's buffer, piece by piece
//! ```
//!
//! Where the device can read the sender's memory, and both sides are one piece, [`fetch`](super::fetch) copies the body with nobody's help
//! instead, or with that of the sender ([`help`](super::help)).
//!
//! The clearance and the pieces name requests, not communicators: freeing a communicator meanwhile does no harm.

use super::envelope::{Announcement, CLEAR_TO_SEND, Clearance, Envelope, Plane, Words};
use super::fetch::{Course, Fetch};
use super::peer::Bulk;
use crate::handle::Handle;
use crate::memory::Memory;
use crate::process::Process;
use crate::request::State;
use crate::status::Outcome;
use fm::Peer;

impl Process {
    /// An announced message meets its receive: gets the body, as much as there is room for.
    pub(crate) fn clear(&self, receive: Handle, from: Peer, envelope: &Envelope, announcement: Announcement) {
        let Announcement { send, bytes, address } = announcement;
        if envelope.plane == Plane::Partitioned {
            return self.meet_sender(receive, from, send, bytes);
        }
        let Some(request) = self.requests.find(receive) else { return };
        let (accepted, one_piece) = {
            let mut inner = request.inner.lock();
            inner.outcome = self.matched(&inner, envelope, bytes);
            let accepted = inner.outcome.status.bytes;
            inner.state = State::Receiving { left: accepted };
            (accepted, inner.memory.address().is_some())
        };
        if from == self.me() {
            self.copy_to_self(send, receive);
            return;
        }
        {
            let peer = self.peer(from);
            let _counting = peer.owed.lock();
            peer.received.rendezvous.count(accepted);
        }
        if let Some(address) = address
            && one_piece
            && accepted >= self.config.fetch_bytes_min()
            && self.fm.can_read(from)
        {
            let help = self.may_be_helped(from, envelope, accepted);
            if help || self.is_fetched_alone(accepted) {
                self.fetch(Fetch { from, send, receive, address, bytes: accepted, course: Course::New { help } });
                return;
            }
        }
        self.ask_for(from, send, receive, accepted);
    }

    /// Whether a body of `bytes` is fetched without the sender's help. A long one is better pushed, which keeps both processes busy; unless
    /// this one has to send, too, and the other one probably has to receive: then both are busy anyway, and fetching copies once.
    fn is_fetched_alone(&self, bytes: u64) -> bool {
        bytes <= self.config.fetch_bytes_max() || self.requests.has_bodies()
    }

    /// Asks the sender to push `bytes` of the body.
    pub(super) fn ask_for(&self, from: Peer, send: Handle, receive: Handle, bytes: u64) {
        self.reply(from, CLEAR_TO_SEND, &Clearance::words(send, receive, bytes).to_bytes());
        if bytes == 0 {
            self.received(receive);
        }
    }

    /// The receive has all it will get.
    pub(super) fn received(&self, receive: Handle) {
        let Some(request) = self.requests.find(receive) else { return };
        let inner = request.inner.lock();
        // Whoever sends more than was asked for.
        if !request.is_done() {
            self.requests.end(request, inner);
        }
    }

    /// Both ends are here.
    fn copy_to_self(&self, send: Handle, receive: Handle) {
        let (Some(sending), Some(receiving)) = (self.requests.find(send), self.requests.find(receive)) else { return };
        let from = std::mem::replace(&mut sending.inner.lock().memory, Memory::EMPTY);
        receiving.inner.lock().memory.copy_from(&from);
        drop(from);
        self.received(receive);
        self.requests.complete(send, Outcome::EMPTY);
    }

    /// The receiver is ready for the body.
    pub(crate) fn on_clear_to_send(&self, from: Peer, words: Words) {
        let Words { a: send, b: receive, long: accepted } = words;
        let Some(request) = self.requests.find(send) else { return };
        let inner = request.inner.lock();
        match inner.state {
            State::Sending { to, .. } if to == from => drop(inner),
            State::Partitioned(_) => {
                drop(inner);
                return self.partitions_cleared(from, send, receive, accepted);
            }
            _ => return,
        }
        if accepted == 0 {
            self.requests.complete(send, Outcome::EMPTY);
            return;
        }
        let end = accepted.min(request.inner.lock().memory.len());
        let mut out = self.peer(from).out.lock();
        out.bulk.push_back(Bulk { send, receive, offset: 0, end });
        self.list(from, &mut out);
    }

    /// A piece of a body.
    pub(crate) fn on_data(&self, words: Words, data: &[u8]) {
        let Words { a: receive, long: offset, .. } = words;
        let Some(request) = self.requests.find(receive) else { return };
        {
            let mut guard = request.inner.lock();
            let inner = &mut *guard;
            match &mut inner.state {
                State::Receiving { left } => {
                    inner.memory.write_at(offset, data);
                    *left = left.saturating_sub(data.len() as u64);
                    if *left > 0 {
                        return;
                    }
                }
                State::Partitioned(partitioned) if partitioned.is_receiving() => {
                    inner.memory.write_at(offset, data);
                    if let Some(outcome) = partitioned.arrived(offset, data.len() as u64) {
                        self.end_round(receive, request, guard, outcome);
                    }
                    return;
                }
                // Nothing is awaited there: its memory is not the network's to write.
                _ => return,
            }
        }
        self.received(receive);
    }
}
