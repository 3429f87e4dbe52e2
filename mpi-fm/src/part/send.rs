//! The sending side: partitions that are ready, and the receiver's permission.

use super::{PLANE, Partitioned, Partner, Side, lengths_differ};
use crate::adi::envelope::{Announcement, Envelope, READY_TO_SEND, Words};
use crate::adi::peer::Bulk;
use crate::adi::receive::{Arrived, Body};
use crate::bail;
use crate::buf::Buf;
use crate::error::Result;
use crate::handle::Handle;
use crate::process::Process;
use crate::request::{Inner, Request, State};
use crate::status::Outcome;
use fm::Peer;
use fm::lock::Guard;
use smallvec::SmallVec;

/// What a sender knows of the round.
pub struct Sending {
    /// `None` is `MPI_PROC_NULL`.
    to: Option<Peer>,
    /// Permissions of the receiver that no round has used. There may be one for the next round while this one is not completed.
    clearances: u32,
    /// The receiver's request; known with the first permission.
    receive: Handle,
    /// The receiver has room for another length.
    refused: Option<u64>,
    /// The round has its permission.
    cleared: bool,
    ready: Box<[bool]>,
    pub(super) unready: usize,
    /// Stretches of the message that are queued for the network.
    queued: usize,
}

/// A stretch of the message, in bytes.
type Stretch = (u64, u64);
/// Of an empty message, one empty stretch goes when all partitions are ready: it tells the receiver so.
const EMPTY: [Stretch; 1] = [(0, 0)];
type Stretches = SmallVec<[Stretch; 4]>;

impl Sending {
    /// Takes the receiver's permission for this round, if it is there. What is ready by then may go.
    fn take_clearance(&mut self) -> bool {
        if self.cleared || self.clearances == 0 {
            return false;
        }
        self.clearances -= 1;
        self.cleared = true;
        true
    }

    fn is_over(&self) -> bool {
        self.unready == 0 && self.queued == 0 && (self.cleared || self.to.is_none())
    }
}

impl Partitioned {
    /// Everything that is ready, as few stretches as possible.
    fn all_ready(&self, ready: &[bool]) -> Stretches {
        if self.shape.bytes == 0 {
            return if ready.contains(&false) { Stretches::new() } else { EMPTY.into_iter().collect() };
        }
        stretches(self.shape.bytes, (0..ready.len()).filter(|index| ready[*index]))
    }
}

/// Neighbours in `indices` come together.
fn stretches(bytes: u64, indices: impl Iterator<Item = usize>) -> Stretches {
    let mut stretches = Stretches::new();
    for index in indices {
        let (from, to) = (index as u64 * bytes, (index as u64 + 1) * bytes);
        match stretches.last_mut() {
            Some((_, end)) if *end == from => *end = to,
            _ => stretches.push((from, to)),
        }
    }
    stretches
}

impl Process {
    /// Makes a request to send `buf` in `partitions` parts, inactive at first.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn partitioned_send(&self, buf: Buf<'_>, partitions: usize, to: Partner<'_>) -> Result<Handle> {
        let target = to.rank.map(|rank| to.comm.target(rank));
        let sending = Sending {
            to: target.map(|(peer, _)| peer),
            clearances: 0,
            receive: crate::request::NULL,
            refused: None,
            cleared: false,
            ready: vec![false; partitions].into(),
            unready: 0,
            queued: 0,
        };
        let handle = self.new_partitioned(&buf, partitions, to, Side::Send(sending))?;
        let Some((peer, context)) = target else { return Ok(handle) };
        let mut envelope =
            Envelope { comm: context, plane: PLANE, tag: to.tag, source: to.comm.rank as u32, sequence: 0 };
        let mut out = self.peer(peer).out.lock();
        envelope.sequence = out.next_sequence();
        let announcement = Announcement { send: handle, bytes: buf.bytes(), address: None };
        if peer != self.me() {
            self.control(&mut out, peer, READY_TO_SEND, envelope, announcement.words());
            return Ok(handle);
        }
        drop(out);
        let mut matcher = to.comm.plane(PLANE).lock();
        match matcher.arrive(envelope.source, envelope.tag) {
            Some(receive) => {
                drop(matcher);
                self.meet_sender(receive, peer, handle, buf.bytes());
            }
            None => {
                let body = Body::Announced(announcement);
                matcher.wait_for_receive(envelope.source, envelope.tag, Arrived { from: peer, envelope, body });
            }
        }
        Ok(handle)
    }

    pub(super) fn start_partitioned_send(&self, handle: Handle, request: &Request, mut inner: Guard<'_, Inner>) {
        let State::Partitioned(partitioned) = &mut inner.state else { return };
        let (total, partner) = (partitioned.shape.total(), partitioned.partner);
        let Side::Send(sending) = &mut partitioned.side else { return };
        sending.ready.fill(false);
        sending.unready = sending.ready.len();
        sending.cleared = false;
        sending.take_clearance();
        if let Some(theirs) = sending.refused {
            let error = Some(lengths_differ(total, theirs, partner));
            self.end_round(handle, request, inner, Outcome { error, ..Outcome::EMPTY });
        } else if sending.is_over() {
            self.end_round(handle, request, inner, Outcome::EMPTY);
        }
    }

    /// Marks partitions as ready (`MPI_Pready` and its kin): all of them, or none at an error.
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST` when the request is not that of an active partitioned send, `MPI_ERR_ARG` for partitions that are not there or
    /// ready already.
    pub fn make_ready(&self, handle: Handle, partitions: impl Iterator<Item = i32> + Clone) -> Result<()> {
        let request = self.requests.get(handle)?;
        let mut inner = request.inner.lock();
        let comm = inner.comm;
        let State::Partitioned(partitioned) = &mut inner.state else {
            bail!(REQUEST, "the request is not that of a partitioned send");
        };
        let (shape, active) = (partitioned.shape, partitioned.active);
        let Side::Send(sending) = &mut partitioned.side else {
            bail!(REQUEST, "the request is that of a partitioned receive: only a sender's partitions become ready");
        };
        if !active {
            return Err(crate::Error::new(crate::Class::REQUEST, "the partitioned send is not started").on(comm));
        }
        let mut marked = 0;
        for partition in partitions.clone() {
            let fault = match shape.index(partition) {
                Ok(index) if !sending.ready[index] => {
                    sending.ready[index] = true;
                    marked += 1;
                    continue;
                }
                Ok(_) => crate::Error::new(crate::Class::ARG, format!("partition {partition} is ready already")),
                Err(error) => error,
            };
            for partition in partitions.take(marked) {
                sending.ready[partition as usize] = false;
            }
            return Err(fault.on(comm));
        }
        sending.unready -= marked;
        let ready = match sending.to {
            Some(_) if sending.cleared && shape.bytes > 0 => stretches(shape.bytes, partitions.map(|index| index as usize)),
            Some(_) if sending.cleared && sending.unready == 0 => EMPTY.into_iter().collect(),
            _ => Stretches::new(),
        };
        let to = sending.to;
        self.send_stretches(handle, request, inner, ready);
        if let Some(to) = to.filter(|to| *to != self.me()) {
            self.push(to);
        }
        self.woken();
        Ok(())
    }

    /// The receiver is ready for a round: `room` is its length of the message.
    pub(crate) fn partitions_cleared(&self, from: Peer, handle: Handle, receive: Handle, room: u64) {
        let Some(request) = self.requests.find(handle) else { return };
        let mut inner = request.inner.lock();
        let State::Partitioned(partitioned) = &mut inner.state else { return };
        let (total, partner, active) = (partitioned.shape.total(), partitioned.partner, partitioned.active);
        let Side::Send(sending) = &mut partitioned.side else { return };
        if sending.to != Some(from) {
            return;
        }
        sending.receive = receive;
        if room != total {
            sending.refused = Some(room);
            if active && !request.is_done() {
                let error = Some(lengths_differ(total, room, partner));
                self.end_round(handle, request, inner, Outcome { error, ..Outcome::EMPTY });
            }
            return;
        }
        sending.clearances += 1;
        if !active || !sending.take_clearance() {
            return;
        }
        let ready = std::mem::take(&mut sending.ready);
        let stretches = partitioned.all_ready(&ready);
        if let Side::Send(sending) = &mut partitioned.side {
            sending.ready = ready;
        }
        self.send_stretches(handle, request, inner, stretches);
    }

    /// Queues stretches of the message for the network, or copies them where the receiver is this process; the round may be over with
    /// that. Handlers come here, so nothing is sent at once.
    fn send_stretches(&self, handle: Handle, request: &Request, mut inner: Guard<'_, Inner>, ready: Stretches) {
        let State::Partitioned(partitioned) = &mut inner.state else { return };
        let Side::Send(sending) = &mut partitioned.side else { return };
        if request.is_done() {
            return;
        }
        sending.queued += ready.len();
        let (to, receive) = (sending.to, sending.receive);
        let Some(to) = to.filter(|_| !ready.is_empty()) else {
            if sending.is_over() {
                self.end_round(handle, request, inner, Outcome::EMPTY);
            }
            return;
        };
        drop(inner);
        if to == self.me() {
            for stretch in ready {
                self.copy_stretch(handle, receive, stretch);
                self.stretch_sent(handle);
            }
            return;
        }
        let mut out = self.peer(to).out.lock();
        out.bulk.extend(ready.into_iter().map(|(offset, end)| Bulk { send: handle, receive, offset, end }));
        self.list(to, &mut out);
    }

    /// Both ends are here.
    fn copy_stretch(&self, handle: Handle, receive: Handle, (mut offset, end): Stretch) {
        let mut piece = [0; 4096];
        if offset == end {
            self.on_data(Words { a: receive, b: 0, long: offset }, &[]);
        }
        while offset < end {
            let piece = &mut piece[..(end - offset).min(4096) as usize];
            let Some(request) = self.requests.find(handle) else { return };
            request.inner.lock().memory.read_at(offset, piece);
            self.on_data(Words { a: receive, b: 0, long: offset }, piece);
            offset += piece.len() as u64;
        }
    }

    /// The network has taken a whole stretch. False if the request is no partitioned one.
    pub(crate) fn stretch_sent(&self, handle: Handle) -> bool {
        let Some(request) = self.requests.find(handle) else { return false };
        let mut inner = request.inner.lock();
        let State::Partitioned(partitioned) = &mut inner.state else { return false };
        let Side::Send(sending) = &mut partitioned.side else { return false };
        sending.queued -= 1;
        if sending.is_over() {
            self.end_round(handle, request, inner, Outcome::EMPTY);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::stretches;

    #[test]
    fn neighbours_come_together() {
        assert_eq!(stretches(10, [0, 1, 2, 5, 4, 7, 8].into_iter())[..], [(0, 30), (50, 60), (40, 50), (70, 90)]);
        assert!(stretches(10, std::iter::empty()).is_empty());
    }
}
