//! The handlers: what each arriving message does. They never extract and never wait.

use super::envelope::{
    Announcement, BUDGET, Budget, CANCEL, CANCELLED, CLEAR_TO_SEND, DATA, EAGER, Envelope, FETCHED, HELP, HELPED, Help, Invitation,
    Plane, READY_TO_SEND, Words,
};
use super::matching::Matcher;
use super::peer::Portion;
use super::receive::{Arrived, Body, matched_tag};
use crate::comm::queues::PostedReceive;
use crate::process::Process;
use fm::stream::Receive;
use fm::{HandlerId, Landing, Peer, Upcall};
use smallvec::SmallVec;

/// Runs the handlers of one process.
pub(crate) struct Handlers<'p>(pub &'p Process);

impl Upcall for Handlers<'_> {
    // The two that are many; always, since it is called for devices of both kinds.
    #[inline(always)]
    fn message(&self, from: Peer, handler: HandlerId, body: &[u8]) {
        match handler {
            EAGER => {
                if let Some((envelope, body)) = Envelope::read(body) {
                    self.0.on_eager(from, envelope, body);
                }
            }
            DATA => {
                if let Some((words, data)) = Words::read(body) {
                    self.0.on_data(words, data);
                }
            }
            _ => self.protocol(from, handler, body),
        }
    }

    fn place(&self, from: Peer, handler: HandlerId, head: &[u8], len: usize) -> Option<Landing> {
        self.0.place(from, handler, head, len)
    }

    fn land(&self, _from: Peer, landing: Landing, at: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize) {
        self.0.land(landing, at, fill);
    }

    /// The engine keeps every message within a packet; a longer one is none of ours.
    fn begin(&self, _from: Peer, _handler: HandlerId, _total: u64) -> Box<dyn Receive> {
        Box::new(Ignore)
    }
}

impl Handlers<'_> {
    /// What the processes tell each other about messages. A malformed one can only come from another version of the library: it is dropped.
    #[inline(never)]
    fn protocol(&self, from: Peer, handler: HandlerId, body: &[u8]) {
        match handler {
            READY_TO_SEND => {
                if let Some((envelope, words)) = with_words(body) {
                    self.0.on_ready_to_send(from, envelope, words);
                }
            }
            CLEAR_TO_SEND => {
                if let Some((words, _)) = Words::read(body) {
                    self.0.on_clear_to_send(from, words);
                }
            }
            BUDGET => {
                if let Some((words, _)) = Words::read(body) {
                    self.0.peer(from).out.lock().refund(words.a, words.long);
                }
            }
            CANCEL => {
                if let Some((envelope, words)) = with_words(body) {
                    self.0.on_cancel(from, envelope, words);
                }
            }
            FETCHED => {
                if let Some((words, _)) = Words::read(body) {
                    self.0.on_fetched(from, words);
                }
            }
            HELP => {
                if let Some(invitation) = Invitation::read(body) {
                    self.0.on_help(from, invitation);
                }
            }
            HELPED => {
                if let Some((ticket, left)) = Help::read(body) {
                    self.0.on_helped(ticket, left);
                }
            }
            CANCELLED => {
                if let Some((words, _)) = Words::read(body) {
                    self.0.on_cancelled(from, words);
                }
            }
            _ => {}
        }
    }
}

/// Nobody waits for the message yet.
#[inline(never)]
fn keep(matcher: &mut Matcher<PostedReceive, Arrived>, from: Peer, envelope: Envelope, body: &[u8]) {
    let tag = matched_tag(envelope.plane, envelope.tag);
    let body = Body::Whole(SmallVec::from_slice(body));
    matcher.wait_for_receive(envelope.source, tag, Arrived { from, envelope, body });
}

struct Ignore;

impl Receive for Ignore {
    fn piece(&mut self, _bytes: &[u8]) {}
    fn end(self: Box<Self>) {}
}

fn with_words(body: &[u8]) -> Option<(Envelope, Words)> {
    let (envelope, rest) = Envelope::read(body)?;
    Some((envelope, Words::read(rest)?.0))
}

impl Process {
    #[inline(always)]
    fn on_eager(&self, from: Peer, envelope: Envelope, body: &[u8]) {
        // Where partitioned requests meet, everything is announced.
        if envelope.plane == Plane::Partitioned {
            return;
        }
        let Some(queues) = self.queues_of(envelope.comm) else {
            // The communicator is gone: nobody can receive the message any more.
            self.owe(from, body.len() as u64);
            return;
        };
        let tag = matched_tag(envelope.plane, envelope.tag);
        let mut matcher = queues.plane(envelope.plane).lock();
        match matcher.arrive(envelope.source, tag) {
            Some(receive) => {
                drop(matcher);
                self.deliver(receive, &envelope, body);
                self.owe(from, body.len() as u64);
            }
            None => keep(&mut matcher, from, envelope, body),
        }
    }

    fn on_ready_to_send(&self, from: Peer, envelope: Envelope, words: Words) {
        let Some(queues) = self.queues_of(envelope.comm) else { return };
        let announcement = Announcement::of(words);
        let tag = matched_tag(envelope.plane, envelope.tag);
        let mut matcher = queues.plane(envelope.plane).lock();
        match matcher.arrive(envelope.source, tag) {
            Some(receive) => {
                drop(matcher);
                self.clear(receive, from, &envelope, announcement);
            }
            None => {
                let body = Body::Announced(announcement);
                matcher.wait_for_receive(envelope.source, tag, Arrived { from, envelope, body });
            }
        }
    }

    /// An eager message from `from` was matched: its budget goes back, in portions of a quarter.
    #[inline(always)]
    pub(crate) fn owe(&self, from: Peer, bytes: u64) {
        let peer = self.peer(from);
        let mut owed = peer.owed.lock();
        peer.received.eager.count(bytes);
        if let Some(portion) = owed.add(bytes) {
            drop(owed);
            self.give_back(from, portion);
        }
    }

    #[cold]
    fn give_back(&self, from: Peer, Portion { messages, bytes }: Portion) {
        self.reply(from, BUDGET, &Budget::words(messages, bytes).to_bytes());
    }
}
