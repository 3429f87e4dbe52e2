//! The receiving side: meeting the sender, and what has arrived.

use super::{PLANE, Partitioned, Partner, Side, lengths_differ, status_of};
use crate::adi::envelope::{Announcement, CLEAR_TO_SEND, Clearance};
use crate::adi::receive::{Body, From};
use crate::bail;
use crate::buf::Buf;
use crate::error::Result;
use crate::handle::Handle;
use crate::process::Process;
use crate::request::{Inner, Request, State};
use crate::status::{Outcome, Status};
use fm::Peer;
use fm::lock::Guard;

/// What a receiver knows of the round.
pub struct Receiving {
    sender: Sender,
    /// Bytes that each partition lacks …
    missing: Box<[u64]>,
    /// … and all together.
    left: u64,
}

/// The request that the messages come from.
#[derive(Clone, Copy)]
enum Sender {
    /// It has not been made yet, as far as is known here.
    Unknown,
    Known { peer: Peer, send: Handle, bytes: u64 },
    /// `MPI_PROC_NULL`
    Nobody,
}

impl Receiving {
    pub(super) fn awaits_sender(&self) -> bool {
        matches!(self.sender, Sender::Unknown)
    }

    /// Bytes from `offset` on are here. Returns whether these were the last.
    fn arrived(&mut self, partition: u64, mut offset: u64, len: u64) -> bool {
        let end = offset.saturating_add(len);
        while offset < end {
            let index = offset / partition;
            let next = (index + 1).saturating_mul(partition).min(end);
            if let Some(missing) = self.missing.get_mut(index as usize) {
                *missing = missing.saturating_sub(next - offset);
            }
            offset = next;
        }
        self.left = self.left.saturating_sub(len);
        self.left == 0
    }
}

impl Partitioned {
    /// A round is under way into whose buffer bytes may come.
    pub(crate) fn is_receiving(&self) -> bool {
        self.active && matches!(self.side, Side::Receive(_))
    }

    /// Bytes from `offset` on are in the buffer. Returns how the round ends, if these were the last.
    pub(crate) fn arrived(&mut self, offset: u64, len: u64) -> Option<Outcome> {
        let partition = self.shape.bytes;
        let Side::Receive(receiving) = &mut self.side else { return None };
        // An empty message ends with the one empty stretch of its sender.
        let over = self.active && if partition > 0 { len > 0 && receiving.arrived(partition, offset, len) } else { len == 0 };
        over.then(|| Outcome { status: status_of(self), error: None })
    }
}

impl Process {
    /// Makes a request to receive into `buf`, which has `partitions` parts; inactive at first.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn partitioned_receive(&self, buf: Buf<'_>, partitions: usize, from: Partner<'_>) -> Result<Handle> {
        let sender = if from.rank.is_some() { Sender::Unknown } else { Sender::Nobody };
        let receiving = Receiving { sender, missing: vec![0; partitions].into(), left: 0 };
        let handle = self.new_partitioned(&buf, partitions, from, Side::Receive(receiving))?;
        let Some(rank) = from.rank else { return Ok(handle) };
        let pattern = From { comm: from.comm, rank: Some(rank), tag: Some(from.tag), plane: PLANE }.pattern();
        let mut matcher = from.comm.plane(PLANE).lock();
        let Some(arrived) = matcher.take(&pattern) else {
            matcher.post(&pattern, handle);
            return Ok(handle);
        };
        drop(matcher);
        if let Body::Announced(Announcement { send, bytes, .. }) = arrived.body {
            self.meet_sender(handle, arrived.from, send, bytes);
        }
        Ok(handle)
    }

    /// The sender of a receive is known from here on.
    pub(crate) fn meet_sender(&self, handle: Handle, peer: Peer, send: Handle, bytes: u64) {
        let Some(request) = self.requests.find(handle) else { return };
        let mut inner = request.inner.lock();
        let State::Partitioned(partitioned) = &mut inner.state else { return };
        let active = partitioned.active;
        let Side::Receive(receiving) = &mut partitioned.side else { return };
        receiving.sender = Sender::Known { peer, send, bytes };
        if active {
            self.clear_partitions(handle, request, inner);
        } else if !inner.held {
            drop(inner);
            self.requests.free(handle);
        }
    }

    pub(super) fn start_partitioned_receive(&self, handle: Handle, request: &Request, mut inner: Guard<'_, Inner>) {
        let State::Partitioned(partitioned) = &mut inner.state else { return };
        let shape = partitioned.shape;
        let Side::Receive(receiving) = &mut partitioned.side else { return };
        receiving.missing.fill(shape.bytes);
        receiving.left = shape.total();
        match receiving.sender {
            Sender::Unknown => {}
            Sender::Known { .. } => self.clear_partitions(handle, request, inner),
            Sender::Nobody => {
                self.end_round(handle, request, inner, Outcome { status: Status::PROC_NULL, error: None });
            }
        }
    }

    /// The round is under way and the sender is known: its partitions may come.
    fn clear_partitions(&self, handle: Handle, request: &Request, inner: Guard<'_, Inner>) {
        let State::Partitioned(partitioned) = &inner.state else { return };
        let (total, partner, status) = (partitioned.shape.total(), partitioned.partner, status_of(partitioned));
        let Side::Receive(Receiving { sender: Sender::Known { peer, send, bytes }, .. }) = partitioned.side else { return };
        if bytes != total {
            let error = Some(lengths_differ(total, bytes, partner));
            self.end_round(handle, request, inner, Outcome { status: Status { bytes: 0, ..status }, error });
        } else {
            drop(inner);
        }
        if peer == self.me() {
            self.partitions_cleared(peer, send, handle, total);
        } else {
            self.reply(peer, CLEAR_TO_SEND, &Clearance::words(send, handle, total).to_bytes());
        }
    }

    /// Whether a partition is in the buffer (`MPI_Parrived`). Of an inactive request all are (MPI 5.0 section 4.2.2).
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST` when the request is not that of a partitioned receive, `MPI_ERR_ARG` when there is no such partition.
    pub fn has_arrived(&self, handle: Handle, partition: i32) -> Result<bool> {
        if self.partition_is_here(handle, partition)? {
            return Ok(true);
        }
        self.poll(|| self.waits_for_request(handle));
        self.partition_is_here(handle, partition)
    }

    fn partition_is_here(&self, handle: Handle, partition: i32) -> Result<bool> {
        let request = self.requests.get(handle)?;
        let inner = request.inner.lock();
        let State::Partitioned(partitioned) = &inner.state else {
            bail!(REQUEST, "the request is not that of a partitioned receive");
        };
        let Side::Receive(receiving) = &partitioned.side else {
            bail!(REQUEST, "the request is that of a partitioned send: only a receiver's partitions arrive");
        };
        let index = partitioned.shape.index(partition).map_err(|error| error.on(inner.comm))?;
        // An empty partition is here with the round's sender.
        let empty = partitioned.shape.bytes == 0;
        Ok(!partitioned.active || request.is_done() || (receiving.missing[index] == 0 && !empty))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_may_reach_over_several_partitions() {
        let mut receiving = Receiving { sender: Sender::Unknown, missing: vec![10; 4].into(), left: 40 };
        assert!(!receiving.arrived(10, 5, 27));
        assert_eq!(receiving.missing[..], [5, 0, 0, 8]);
        assert!(!receiving.arrived(10, 32, 8));
        assert_eq!(receiving.missing[..], [5, 0, 0, 0]);
        assert!(receiving.arrived(10, 0, 5));
    }
}
