//! Fetching: the receiver reads the body out of the sender's memory, with one copy and without the sender's help.
//!
//! ```text
//! sender                                            receiver
//!   READY_TO_SEND envelope, length, address   ──▶   matches; reads the body piece by piece, one in each round of progress
//!   FETCHED                                   ◀──   done: the sender's buffer is free
//! ```
//!
//! With its help, if it waits in a call, both copy at once; see [`help`](super::help).

use super::envelope::{FETCHED, Words};
use super::help::{Help, PORTION_MAX};
use crate::handle::Handle;
use crate::process::Process;
use crate::request::State;
use crate::status::Outcome;
use fm::claims::{Cut, End, Portion, Ticket, WORDS};
use fm::{Peer, ThreadLock, Threading};
use std::collections::VecDeque;
use std::ops::Range;

/// A body that is being read.
pub(crate) struct Fetch {
    pub from: Peer,
    /// The sender's request, and ours.
    pub send: Handle,
    pub receive: Handle,
    /// Of the body in the sender's memory.
    pub address: u64,
    /// Bytes of it that are to be had.
    pub bytes: u64,
    pub course: Course,
}

/// How a body is read.
pub(crate) enum Course {
    /// Not begun; whether the sender may help.
    New { help: bool },
    /// Without help: what is left.
    Alone(Range<u64>),
    /// The sender may be at it, too.
    Shared {
        ticket: Ticket,
        /// This process has taken its first portion.
        begun: bool,
    },
}

/// What became of a body.
enum Step {
    /// There is more to read.
    More,
    /// The sender is still writing.
    Helped,
    Over,
}

/// Bodies that a process copies between its memory and that of others, in the order of their matches.
pub(crate) struct Copies(pub(super) ThreadLock<Queues>);

#[derive(Default)]
pub(super) struct Queues {
    pub(super) fetches: VecDeque<Fetch>,
    /// Fetches of which only the sender's part is missing.
    pub(super) helped: Vec<Fetch>,
    /// What senders have answered before that was all that is missing.
    answers: Vec<(Ticket, Range<u64>)>,
    /// Which of the words are in use by which this process shares bodies.
    words: [bool; WORDS],
    /// Bodies that this process sends, and helps to copy.
    pub(super) helps: VecDeque<Help>,
}

impl Queues {
    pub(super) fn take_word(&mut self) -> Option<usize> {
        let free = self.words.iter().position(|used| !used)?;
        self.words[free] = true;
        Some(free)
    }

    pub(super) fn give_back_word(&mut self, index: usize) {
        self.words[index] = false;
    }

    /// A sender's answer: goes on with the fetch that waits for it, if it does already.
    pub(super) fn on_answer(&mut self, ticket: Ticket, left: Range<u64>) -> Option<(Fetch, Range<u64>)> {
        let waits = |fetch: &Fetch| matches!(fetch.course, Course::Shared { ticket: own, .. } if own == ticket);
        match self.helped.iter().position(waits) {
            Some(index) => Some((self.helped.swap_remove(index), left)),
            None => {
                self.answers.push((ticket, left));
                None
            }
        }
    }

    /// Of a fetch only the sender's part is missing: goes on with it, if the sender has answered already.
    pub(super) fn await_answer(&mut self, fetch: Fetch) -> Option<(Fetch, Range<u64>)> {
        let Course::Shared { ticket, .. } = fetch.course else { return None };
        match self.answers.iter().position(|(answered, _)| *answered == ticket) {
            Some(index) => Some((fetch, self.answers.swap_remove(index).1)),
            None => {
                self.helped.push(fetch);
                None
            }
        }
    }

    /// Which fetch is to go on. Of shared ones that wait, each process is to copy one half: buffers that are used again and again stay in its
    /// cache so. Therefore the next body is begun, if it is as short, before this process takes from the other half of an earlier one.
    fn next(&self) -> usize {
        let begun = |fetch: &Fetch| matches!(fetch.course, Course::Shared { begun: true, .. }) && fetch.bytes <= 2 * PORTION_MAX;
        match self.fetches.iter().position(|fetch| !begun(fetch)) {
            Some(index) if self.may_begin(&self.fetches[index]) => index,
            _ => 0,
        }
    }

    fn may_begin(&self, fetch: &Fetch) -> bool {
        match fetch.course {
            Course::New { help } => help && self.words.contains(&false),
            Course::Shared { begun, .. } => !begun,
            Course::Alone(_) => false,
        }
    }
}

impl Copies {
    pub(crate) fn new(threading: Threading) -> Copies {
        Copies(ThreadLock::new(threading, Queues::default()))
    }
}

impl Process {
    pub(super) fn fetch(&self, mut fetch: Fetch) {
        // At once: this process may have something else to do first.
        self.share(&mut fetch);
        self.copies.0.lock().fetches.push_back(fetch);
    }

    /// Copies one piece of what is to be copied. Returns whether there was any.
    #[inline]
    pub(crate) fn copy_some(&self) -> bool {
        let (fetch, help) = {
            let queues = self.copies.0.lock();
            (!queues.fetches.is_empty(), !queues.helps.is_empty())
        };
        (fetch && self.fetch_first()) | (help && self.help_first())
    }

    #[inline(never)]
    fn fetch_first(&self) -> bool {
        let (index, fetch) = {
            let mut queues = self.copies.0.lock();
            let index = queues.next();
            (index, queues.fetches.remove(index))
        };
        let Some(mut fetch) = fetch else { return false };
        match self.fetch_piece(&mut fetch) {
            Step::More => {
                let mut queues = self.copies.0.lock();
                // Another thread may have taken some away meanwhile.
                let index = index.min(queues.fetches.len());
                queues.fetches.insert(index, fetch);
            }
            Step::Helped => self.await_help(fetch),
            Step::Over => (),
        }
        true
    }

    fn fetch_piece(&self, fetch: &mut Fetch) -> Step {
        let Some(Portion { bytes: piece, last }) = self.next_piece(fetch) else { return self.own_part_is_read(fetch) };
        match self.read_piece(fetch, &piece) {
            Some(true) if last => self.own_part_is_read(fetch),
            Some(true) => Step::More,
            Some(false) if self.end_sharing(fetch) == 0 => {
                self.ask_for(fetch.from, fetch.send, fetch.receive, fetch.bytes);
                Step::Over
            }
            // The sender is gone, and whoever ends the job will tell.
            Some(false) => Step::Over,
            // The receiver let the message go.
            None => {
                self.answer(fetch);
                Step::Over
            }
        }
    }

    /// The next bytes for this process to read, if any are left for it.
    fn next_piece(&self, fetch: &mut Fetch) -> Option<Portion> {
        self.share(fetch);
        if let Course::New { .. } = fetch.course {
            fetch.course = Course::Alone(0..fetch.bytes);
        }
        match &mut fetch.course {
            Course::Shared { ticket, begun } => {
                *begun = true;
                self.fm.claims(fetch.from, self.me())?.take(*ticket, Cut::of(fetch.bytes), End::of(self.me(), fetch.from), PORTION_MAX)
            }
            Course::Alone(left) => {
                let piece = left.start..left.end.min(left.start + self.config.fetch_piece_bytes());
                left.start = piece.end;
                Some(Portion { bytes: piece, last: left.is_empty() })
            }
            Course::New { .. } => None,
        }
    }

    /// Copies these bytes of the body. `None` when there is no room for them any more.
    fn read_piece(&self, fetch: &Fetch, piece: &Range<u64>) -> Option<bool> {
        let request = self.requests.find(fetch.receive)?;
        let mut inner = request.inner.lock();
        let room = inner.memory.room_at(piece.start, (piece.end - piece.start) as usize)?;
        Some(self.fm.read(fetch.from, fetch.address + piece.start, room))
    }

    /// Nothing is left for this process to read.
    fn own_part_is_read(&self, fetch: &Fetch) -> Step {
        let taken_by_sender = self.end_sharing(fetch);
        if taken_by_sender > 0 {
            return Step::Helped;
        }
        self.fetched(fetch);
        Step::Over
    }

    /// The body is here.
    pub(super) fn fetched(&self, fetch: &Fetch) {
        self.received(fetch.receive);
        self.answer(fetch);
    }

    /// Tells the sender that its buffer is free.
    pub(super) fn answer(&self, fetch: &Fetch) {
        self.reply(fetch.from, FETCHED, &Words { a: fetch.send, b: 0, long: 0 }.to_bytes());
    }

    /// The receiver has read a body of ours.
    pub(crate) fn on_fetched(&self, from: Peer, words: Words) {
        let Some(request) = self.requests.find(words.a) else { return };
        if matches!(request.inner.lock().state, State::Sending { to, .. } if to == from) {
            self.requests.complete(words.a, Outcome::EMPTY);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fetch(bytes: u64, course: Course) -> Fetch {
        Fetch { from: Peer(1), send: 0, receive: 0, address: 0, bytes, course }
    }

    fn shared(ticket: u64, begun: bool) -> Course {
        Course::Shared { ticket: Ticket(ticket), begun }
    }

    #[test]
    fn an_answer_and_the_own_part_come_in_any_order() {
        let mut queues = Queues::default();
        assert!(queues.on_answer(Ticket(8), 0..0).is_none());
        assert!(queues.await_answer(fetch(1, shared(9, true))).is_none());
        assert!(queues.await_answer(fetch(1, shared(8, true))).is_some(), "answered before");
        assert!(queues.on_answer(Ticket(9), 3..5).is_some_and(|(_, left)| left == (3..5)));
        assert!(queues.helped.is_empty() && queues.answers.is_empty());
    }

    #[test]
    fn short_bodies_are_all_begun_before_one_is_finished() {
        let mut queues = Queues::default();
        for course in [shared(0, true), shared(1, false), Course::New { help: true }] {
            queues.fetches.push_back(fetch(PORTION_MAX, course));
        }
        assert_eq!(queues.next(), 1);
        queues.fetches[1].course = shared(1, true);
        assert_eq!(queues.next(), 2);
        queues.words = [true; WORDS];
        assert_eq!(queues.next(), 0, "no word is free to share it by");
        queues.words = [false; WORDS];
        queues.fetches[2].course = Course::New { help: false };
        assert_eq!(queues.next(), 0, "in its turn");
        queues.fetches[2].course = Course::New { help: true };
        queues.fetches[0].bytes = 2 * PORTION_MAX + 1;
        assert_eq!(queues.next(), 0, "a long one takes its time");
    }
}
