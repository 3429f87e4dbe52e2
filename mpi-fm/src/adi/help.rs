//! Helping: while the receiver reads a body out of the sender's memory, the sender, if it waits in a call, writes the other end of it into
//! the receiver's. Two cores copy faster than one, above all what is in neither's cache.
//!
//! ```text
//! sender                                            receiver
//!   READY_TO_SEND envelope, length, address   ──▶   matches
//!   HELP address of the buffer, ticket        ◀──   takes portions from one end, and reads them
//!   takes portions from the other, writes them
//!   HELPED                                    ──▶   has read its own
//!   FETCHED                                   ◀──   done: the sender's buffer is free
//! ```
//!
//! Portions are taken by a word that both share ([`fm::claims`]). A sender that computes meanwhile is not waited for: the receiver has taken
//! everything by itself then, and the sender's ticket is worth nothing when it comes.

use super::envelope::{Envelope, HELP, HELPED, Help as Answer, Invitation, Plane};
use super::fetch::{Course, Fetch};
use super::upcall::Handlers;
use crate::coll::operation::Operation;
use crate::handle::Handle;
use crate::process::Process;
use crate::request::State;
use fm::Peer;
use fm::claims::{Cut, End, Ticket};
use std::ops::Range;

/// A body that this process sends, and helps to copy.
pub(super) struct Help {
    to: Peer,
    invitation: Invitation,
    /// It has taken a portion: the receiver waits for an answer.
    took: bool,
    /// It takes one portion after the other without looking up.
    at_once: bool,
}

/// Bytes that are taken at once at most, so that both are through at about the same time.
pub(super) const PORTION_MAX: u64 = 512 << 10;

/// The receiver's side.
impl Process {
    /// Whether the sender may be asked to help with a body of `bytes`: that pays if it waits, with a core of its own. If this process has
    /// to send, too, the other one probably has its own to read.
    pub(super) fn may_be_helped(&self, from: Peer, envelope: &Envelope, bytes: u64) -> bool {
        // Who has something to do first comes too late for a short body, and only disturbs.
        let busy = envelope.plane == Plane::Collective && Operation::sender_copies_first(envelope.tag);
        bytes >= self.config.help_bytes_min() * if busy { 4 } else { 1 }
            && !self.requests.has_bodies()
            && self.park.has_cores()
            && self.fm.claims(from, self.me()).is_some()
    }

    /// Invites the sender of a body that it may help with, if a word is free by which to share it.
    pub(super) fn share(&self, fetch: &mut Fetch) {
        let Course::New { help: true } = fetch.course else { return };
        let address = self.requests.find(fetch.receive).and_then(|request| request.inner.lock().memory.address());
        let (Some(claims), Some(address)) = (self.fm.claims(fetch.from, self.me()), address) else { return };
        let Some(word) = self.copies.0.lock().take_word() else { return };
        let invitation = Invitation { send: fetch.send, address, bytes: fetch.bytes, ticket: claims.open(word) };
        self.reply(fetch.from, HELP, &invitation.to_bytes());
        fetch.course = Course::Shared { ticket: invitation.ticket, begun: false };
    }

    /// The buffer of a receive is not to be touched any more: returns when no sender is writing there.
    pub(crate) fn end_help(&self, receive: Handle) {
        {
            let mut queues = self.copies.0.lock();
            let shared = |fetch: &Fetch| fetch.receive == receive && matches!(fetch.course, Course::Shared { .. });
            if let Some(index) = queues.fetches.iter().position(shared)
                && let Some(fetch) = queues.fetches.remove(index)
            {
                drop(queues);
                if self.end_sharing(&fetch) > 0 {
                    self.await_help(fetch);
                } else {
                    self.answer(&fetch);
                }
            }
        }
        // The sender is at it at this moment, and answers when it is through.
        for round in 1.. {
            if !self.copies.0.lock().helped.iter().any(|fetch| fetch.receive == receive) {
                break;
            }
            self.fm.extract(self.config.extract_packets(), &Handlers(self));
            self.park.give_way(round);
        }
    }

    /// The sender gets no more portions. Returns how many it has taken.
    pub(super) fn end_sharing(&self, fetch: &Fetch) -> u64 {
        match fetch.course {
            Course::Shared { ticket, .. } => {
                let claims = self.fm.claims(fetch.from, self.me());
                let taken = claims.map_or(0, |claims| claims.close(ticket, End::of(fetch.from, self.me())));
                // Not before: another thread may open the word again at once.
                self.copies.0.lock().give_back_word(ticket.index());
                taken
            }
            Course::New { .. } | Course::Alone(_) => 0,
        }
    }

    /// Of a body only what its sender has taken is missing.
    pub(super) fn await_help(&self, fetch: Fetch) {
        let answered = self.copies.0.lock().await_answer(fetch);
        if let Some((fetch, left)) = answered {
            self.helped(fetch, left);
        }
    }

    /// The sender has written all it has taken, but for `left`. That may be known before this process has read its own part.
    pub(crate) fn on_helped(&self, ticket: Ticket, left: Range<u64>) {
        let awaited = self.copies.0.lock().on_answer(ticket, left);
        if let Some((fetch, left)) = awaited {
            self.helped(fetch, left);
        }
    }

    fn helped(&self, mut fetch: Fetch, left: Range<u64>) {
        let left = left.start..left.end.min(fetch.bytes);
        if left.is_empty() {
            self.fetched(&fetch);
        } else {
            fetch.course = Course::Alone(left);
            self.copies.0.lock().fetches.push_front(fetch);
        }
    }
}

/// The sender's side.
impl Process {
    /// The receiver has begun to read a body of ours.
    pub(crate) fn on_help(&self, from: Peer, invitation: Invitation) {
        let Some(request) = self.requests.find(invitation.send) else { return };
        let at_once = {
            let inner = request.inner.lock();
            match inner.state {
                State::Sending { to, envelope } if to == from && (1..=inner.memory.len()).contains(&invitation.bytes) => envelope.plane != Plane::PointToPoint,
                _ => return,
            }
        };
        self.copies.0.lock().helps.push_back(Help { to: from, invitation, took: false, at_once });
    }

    /// Writes a portion of the first body that we help to copy; of a collective's all that it gets, since a receiver whose call has failed waits
    /// for that.
    #[inline(never)]
    pub(super) fn help_first(&self) -> bool {
        let Some(mut help) = self.copies.0.lock().helps.pop_front() else { return false };
        let Invitation { bytes, ticket, .. } = help.invitation;
        let left = loop {
            let claims = self.fm.claims(help.to, help.to);
            match claims.and_then(|claims| claims.take(ticket, Cut::of(bytes), End::of(self.me(), help.to), PORTION_MAX)) {
                Some(portion) if !self.write_portion(&help, &portion.bytes) => break portion.bytes,
                Some(portion) if portion.last => break 0..0,
                Some(_) => {
                    help.took = true;
                    if !help.at_once {
                        self.copies.0.lock().helps.push_front(help);
                        return true;
                    }
                }
                None if help.took => break 0..0,
                None => return true,
            }
        };
        self.reply(help.to, HELPED, &Answer::to_bytes(ticket, left));
        true
    }

    fn write_portion(&self, help: &Help, portion: &Range<u64>) -> bool {
        let Invitation { send, address, .. } = help.invitation;
        let Some(request) = self.requests.find(send) else { return false };
        let inner = request.inner.lock();
        let bytes = inner.memory.piece_at(portion.start, (portion.end - portion.start) as usize);
        bytes.is_some_and(|bytes| self.fm.write(help.to, address + portion.start, bytes))
    }
}

#[cfg(test)]
mod tests;
