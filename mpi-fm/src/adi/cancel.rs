//! Cancelling (MPI 5.0 section 3.8.4).
//!
//! A receive is cancelled here. A send asks the receiver: only it knows whether the message has been matched, and a cancelled message must
//! not be received.

use super::envelope::{CANCEL, CANCELLED, Envelope, Words};
use super::receive::{Arrived, Body, matched_tag};
use crate::error::Result;
use crate::handle::Handle;
use crate::process::Process;
use crate::request::State;
use crate::status::{Outcome, Status};
use fm::Peer;

const WITHDRAWN: Outcome = Outcome { status: Status { cancelled: true, ..Status::EMPTY }, error: None };

impl Process {
    /// Asks for the cancellation of an operation. The request then completes in any case: cancelled, or as if never asked.
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST` for what cannot be cancelled.
    pub fn cancel(&self, handle: Handle) -> Result<()> {
        let request = self.requests.get(handle)?;
        let mut inner = request.inner.lock();
        match &mut inner.state {
            State::Posted { plane, number } => {
                let (plane, number, comm) = (*plane, *number, inner.comm);
                drop(inner);
                let Ok(comm) = self.comm(comm) else { return Ok(()) };
                if comm.plane(plane).lock().unpost(number, |posted| *posted == handle).is_some() {
                    self.requests.complete(handle, WITHDRAWN);
                }
            }
            State::Sending { to, envelope } => {
                let (to, envelope) = (*to, *envelope);
                drop(inner);
                self.cancel_send(handle, to, envelope);
            }
            State::Persistent(persistent) => {
                let active = persistent.active;
                drop(inner);
                if active != crate::request::NULL {
                    self.cancel(active)?;
                }
            }
            State::Generalized(operation) => operation.cancel(request.is_done())?,
            State::Collective => {
                crate::bail!(REQUEST, "a nonblocking collective operation cannot be cancelled (MPI 5.0 section 6.12)")
            }
            State::Partitioned(_) => {
                crate::bail!(REQUEST, "a partitioned operation cannot be cancelled (MPI 5.0 section 4.2)")
            }
            State::Receiving { .. } | State::Idle => {}
        }
        Ok(())
    }

    fn cancel_send(&self, handle: Handle, to: Peer, envelope: Envelope) {
        if to == self.me() {
            if let Some(arrived) = self.withdraw(to, &envelope) {
                self.withdrawn(handle, &arrived);
            }
            return;
        }
        if let Ok(request) = self.requests.get(handle) {
            // From here on only the receiver's answer completes the request.
            request.inner.lock().cancelling = true;
            request.set_done(false);
        }
        let mut out = self.peer(to).out.lock();
        self.control(&mut out, to, CANCEL, envelope, Words { a: handle, b: 0, long: 0 });
    }

    /// Takes a message that has not been matched out of the queue it waits in.
    fn withdraw(&self, from: Peer, envelope: &Envelope) -> Option<Arrived> {
        let queues = self.queues_of(envelope.comm)?;
        let tag = matched_tag(envelope.plane, envelope.tag);
        let mut matcher = queues.plane(envelope.plane).lock();
        matcher.take_where(|waiting| {
            waiting.from == from
                && waiting.envelope.sequence == envelope.sequence
                && waiting.envelope.source == envelope.source
                && matched_tag(waiting.envelope.plane, waiting.envelope.tag) == tag
        })
    }

    fn withdrawn(&self, send: Handle, arrived: &Arrived) {
        if let Body::Whole(body) = &arrived.body
            && arrived.from != self.me()
        {
            self.owe(arrived.from, body.len() as u64);
        }
        // A short one was over when it was sent; now it ends in another way.
        if let Some(request) = self.requests.find(send) {
            request.set_done(false);
        }
        self.requests.complete(send, WITHDRAWN);
    }

    pub(crate) fn on_cancel(&self, from: Peer, envelope: Envelope, words: Words) {
        let arrived = self.withdraw(from, &envelope);
        if let Some(Body::Whole(body)) = arrived.as_ref().map(|arrived| &arrived.body) {
            self.owe(from, body.len() as u64);
        }
        let answer = Words { a: words.a, b: u32::from(arrived.is_some()), long: 0 };
        self.reply(from, CANCELLED, &answer.to_bytes());
    }

    pub(crate) fn on_cancelled(&self, from: Peer, words: Words) {
        let Words { a: send, b: withdrawn, .. } = words;
        let Some(request) = self.requests.find(send) else { return };
        let left = {
            let mut inner = request.inner.lock();
            // Nobody else was asked.
            let was_asked = matches!(inner.state, State::Sending { to, .. } if to == from) && inner.cancelling;
            if !was_asked {
                return;
            }
            inner.cancelling = false;
            // An eager message has left, and was kept from completing; the body of an announced one may be on its way still.
            inner.memory.is_empty()
        };
        if withdrawn == 1 {
            self.requests.complete(send, WITHDRAWN);
        } else if left {
            self.requests.complete(send, Outcome::EMPTY);
        }
    }
}
