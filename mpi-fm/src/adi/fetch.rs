//! Fetching: the receiver reads the body out of the sender's memory, with one copy and without the sender's help.
//!
//! ```text
//! sender                                            receiver
//!   READY_TO_SEND envelope, length, address   ──▶   matches; reads the body piece by piece, one in each round of progress
//!   FETCHED                                   ◀──   done: the sender's buffer is free
//! ```

use super::envelope::{FETCHED, Words};
use crate::handle::Handle;
use crate::process::Process;
use crate::request::State;
use crate::status::Outcome;
use fm::{Peer, ThreadLock, Threading};
use std::collections::VecDeque;

/// A body that is being read.
pub(crate) struct Fetch {
    pub from: Peer,
    /// The sender's request, and ours.
    pub send: Handle,
    pub receive: Handle,
    /// Of the body in the sender's memory.
    pub address: u64,
    /// Bytes read already, and to be read.
    pub offset: u64,
    pub end: u64,
}

/// The bodies that a process has to read, in the order of their matches.
pub(crate) struct Fetches(ThreadLock<VecDeque<Fetch>>);

impl Fetches {
    pub(crate) fn new(threading: Threading) -> Fetches {
        Fetches(ThreadLock::new(threading, VecDeque::new()))
    }
}

impl Process {
    pub(super) fn fetch(&self, fetch: Fetch) {
        self.fetches.0.lock().push_back(fetch);
    }

    /// Reads one piece of what is to be read. Returns whether there was any.
    #[inline]
    pub(crate) fn fetch_some(&self) -> bool {
        let any = !self.fetches.0.lock().is_empty();
        any && self.fetch_first()
    }

    fn fetch_first(&self) -> bool {
        let Some(mut fetch) = self.fetches.0.lock().pop_front() else { return false };
        if self.fetch_piece(&mut fetch) {
            self.fetches.0.lock().push_front(fetch);
        }
        true
    }

    /// Reads a piece. Returns whether more is to be read.
    fn fetch_piece(&self, fetch: &mut Fetch) -> bool {
        let Fetch { from, send, receive, address, offset, end } = *fetch;
        let len = (end - offset).min(self.config.fetch_piece_bytes());
        let read = self.requests.find(receive).and_then(|request| {
            let mut inner = request.inner.lock();
            let room = inner.memory.room_at(offset, len as usize)?;
            Some(self.fm.read(from, address + offset, room))
        });
        match read {
            Some(false) if offset == 0 => {
                self.ask_for(from, send, receive, end);
                return false;
            }
            // The sender is gone, and whoever ends the job will tell; or the receiver let the message go.
            Some(false) | None => {}
            Some(true) => {
                fetch.offset += len;
                if fetch.offset < end {
                    return true;
                }
                self.received(receive);
            }
        }
        self.reply(from, FETCHED, &Words { a: send, b: 0, long: 0 }.to_bytes());
        false
    }

    /// The receiver has read a body of ours.
    pub(crate) fn on_fetched(&self, from: Peer, words: Words) {
        let Some(request) = self.requests.find(words.a) else { return };
        if matches!(request.inner.lock().state, State::Sending { to, .. } if to == from) {
            self.requests.complete(words.a, Outcome::EMPTY);
        }
    }
}
