//! What a collective algorithm sees: ranks, and messages to them.

use super::operation::Operation;
use crate::adi::envelope::Plane;
use crate::adi::receive::{From, SEQUENCE_BITS};
use crate::adi::send::{Address, Mode};
use crate::buf::Buf;
use crate::comm::Comm;
use crate::error::Result;
use crate::handle::Handle;
use crate::process::Process;
use crate::status::Status;
use std::pin::Pin;
use std::task::{Context, Poll};

/// One collective call on one communicator. All its messages have the call's own tag, so that calls do not meet, however they overlap.
///
/// On an intercommunicator, ranks in [`isend`](Cx::isend) and [`irecv`](Cx::irecv) are those of the remote group;
/// [`local`](Cx::local) gives the view of the local group.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    pub process: &'a Process,
    pub comm: &'a Comm,
    plane: Plane,
    tag: i32,
}

impl<'a> Cx<'a> {
    /// Begins the next collective call on `comm`. Every member begins the same calls in the same order.
    pub fn begin(process: &'a Process, comm: &'a Comm, operation: Operation) -> Cx<'a> {
        let number = comm.next_collective() & ((1 << SEQUENCE_BITS) - 1);
        let tag = (operation as i32) << SEQUENCE_BITS | number as i32;
        Cx { process, comm, plane: Plane::Collective, tag }
    }

    /// A call in which only some members take part, who agree on `tag` (`MPI_Comm_create_group`).
    pub fn partial(process: &'a Process, comm: &'a Comm, tag: i32) -> Cx<'a> {
        Cx { process, comm, plane: Plane::Partial, tag }
    }

    /// The call without its references, for a task that outlives the caller's.
    pub fn detach(&self) -> Detached {
        Detached { plane: self.plane, tag: self.tag }
    }

    /// The same call among the local group of an intercommunicator.
    pub fn local(&self, operation: Operation) -> Option<Cx<'a>> {
        let remote = self.comm.remote.as_ref()?;
        Some(Cx::begin(self.process, &remote.local, operation))
    }

    /// This process's rank in the local group.
    pub fn rank(&self) -> usize {
        self.comm.rank
    }

    /// Size of the local group.
    pub fn size(&self) -> usize {
        self.comm.size()
    }

    /// Size of the group that messages go to: the remote one of an intercommunicator.
    pub fn targets(&self) -> usize {
        self.comm.targets().size()
    }

    /// Starts a send to `rank`.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn isend(&self, buf: Buf<'_>, rank: usize) -> Result<Pending<'a>> {
        let to = Address { comm: self.comm, rank, tag: self.tag, plane: self.plane };
        Ok(Pending { process: self.process, request: self.process.isend(buf, to, Mode::Standard)? })
    }

    /// Starts a receive from `rank`.
    ///
    /// # Errors
    /// `MPI_ERR_NO_MEM`
    pub fn irecv(&self, buf: Buf<'_>, rank: usize) -> Result<Pending<'a>> {
        let from = From { comm: self.comm, rank: Some(rank), tag: Some(self.tag), plane: self.plane };
        Ok(Pending { process: self.process, request: self.process.irecv(buf, from)? })
    }

    /// Sends, and goes on when the buffer may be used again.
    ///
    /// # Errors
    /// As [`isend`](Cx::isend).
    pub async fn send(&self, buf: Buf<'_>, rank: usize) -> Result<()> {
        self.isend(buf, rank)?.await.map(drop)
    }

    /// Receives; a message longer or shorter than the buffer is the algorithm's business.
    ///
    /// # Errors
    /// `MPI_ERR_TRUNCATE` when the members' counts differ, and what the sender's call makes of it.
    pub async fn recv(&self, buf: Buf<'_>, rank: usize) -> Result<Status> {
        self.irecv(buf, rank)?.await
    }

    /// Sends and receives at once.
    ///
    /// # Errors
    /// As [`send`](Cx::send) and [`recv`](Cx::recv).
    pub async fn sendrecv(&self, out: Buf<'_>, to: usize, into: Buf<'_>, from: usize) -> Result<Status> {
        let receive = self.irecv(into, from)?;
        let send = self.isend(out, to)?;
        let received = receive.await;
        send.await?;
        received
    }
}

/// A message of a collective under way: resolves when it is complete.
///
/// Dropping it early leaves the message to complete by itself, so the buffer must stay; algorithms await all they start, also after an
/// error.
pub struct Pending<'a> {
    process: &'a Process,
    request: Handle,
}

impl<'a> Pending<'a> {
    /// Waits for a request that nobody else waits for.
    pub fn new(process: &'a Process, request: Handle) -> Pending<'a> {
        Pending { process, request }
    }
}

impl Future for Pending<'_> {
    type Output = Result<Status>;

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let Pending { process, request } = *self;
        if !process.requests.get(request)?.is_done() {
            return Poll::Pending;
        }
        let outcome = process.finish(request)?;
        Poll::Ready(match outcome.error {
            Some(error) => Err(error),
            None => Ok(outcome.status),
        })
    }
}

/// A collective call that has begun, and waits for its process and communicator.
#[derive(Clone, Copy)]
pub struct Detached {
    plane: Plane,
    tag: i32,
}

impl Detached {
    /// The call, on the communicator it began on.
    pub fn attach<'a>(&self, process: &'a Process, comm: &'a Comm) -> Cx<'a> {
        Cx { process, comm, plane: self.plane, tag: self.tag }
    }
}
