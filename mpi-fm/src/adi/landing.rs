//! Bodies that a device reads straight into their place.
//!
//! Of a long packet the device sees the first bytes before the rest. Once they name the receive, the rest goes into its buffer: nothing is
//! copied on the way. A message that no receive waits for, or whose first bytes do not say enough, comes whole to its
//! [handler](super::upcall), as short ones do.

use super::envelope::{DATA, EAGER, Envelope, Plane, Words};
use super::receive::matched_tag;
use crate::process::Process;
use crate::request::State;
use fm::{HandlerId, Landing, Peer};

/// For what is not one piece, or has no room: so many bytes at a time are read aside, and copied.
const ASIDE: usize = 8 << 10;

impl Process {
    /// Where the body of a packet of `len` bytes goes that begins with `head`, if that is known.
    pub(super) fn place(&self, from: Peer, handler: HandlerId, head: &[u8], len: usize) -> Option<Landing> {
        match handler {
            EAGER => self.place_eager(from, Envelope::read(head)?.0, len),
            DATA => self.place_data(Words::read(head)?.0, len),
            _ => None,
        }
    }

    /// A message begins that travels with its envelope: it is matched now, in its turn.
    fn place_eager(&self, from: Peer, envelope: Envelope, len: usize) -> Option<Landing> {
        let queues = self.queues_of(envelope.comm).filter(|_| envelope.plane != Plane::Partitioned)?;
        let tag = matched_tag(envelope.plane, envelope.tag);
        let receive = queues.plane(envelope.plane).lock().arrive(envelope.source, tag)?;
        let bytes = (len - Envelope::SIZE) as u64;
        if let Some(request) = self.requests.find(receive) {
            let mut inner = request.inner.lock();
            inner.outcome = self.matched(&inner, &envelope, bytes);
            inner.state = State::Receiving { left: bytes };
        }
        self.owe(from, bytes);
        Some(Landing { place: receive, skip: Envelope::SIZE, len, offset: 0 })
    }

    fn place_data(&self, words: Words, len: usize) -> Option<Landing> {
        let Words { a: receive, long: offset, .. } = words;
        let request = self.requests.find(receive)?;
        let is_awaited = matches!(request.inner.lock().state, State::Receiving { .. });
        is_awaited.then_some(Landing { place: receive, skip: Words::SIZE, len, offset })
    }

    /// Lends the place of a packet's payload from byte `at` on to `fill`. The receive is complete when all of it is there.
    pub(super) fn land(&self, landing: Landing, at: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize) {
        let Landing { place: receive, skip, len, offset } = landing;
        let (left_here, offset) = (len - at, offset.saturating_add((at - skip) as u64));
        let Some(request) = self.requests.find(receive) else { return nowhere(left_here, fill) };
        let mut inner = request.inner.lock();
        let State::Receiving { left: left @ 1.. } = inner.state else { return nowhere(left_here, fill) };
        let filled = match inner.memory.room_at(offset, left_here) {
            Some(room) => fill(room),
            None => aside(left_here, fill, |bytes| inner.memory.write_at(offset, bytes)),
        };
        let left = left.saturating_sub(filled as u64);
        inner.state = State::Receiving { left };
        if left == 0 && filled > 0 {
            self.requests.end(request, inner);
        }
    }
}

/// Has at most `left` bytes filled in beside their place, and hands them on. Returns how many there were.
fn aside(left: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize, then: impl FnOnce(&[u8])) -> usize {
    let mut room = [0; ASIDE];
    let filled = fill(&mut room[..left.min(ASIDE)]);
    then(&room[..filled]);
    filled
}

/// Whoever sends more than was asked for: it is lost.
fn nowhere(left: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize) {
    aside(left, fill, |_| ());
}
