//! What a collective algorithm sees: ranks, and messages to them.

use super::operation::{self, Form, Operation};
use super::scratch::Scratch;
use super::select::Tuning;
use crate::adi::envelope::Plane;
use crate::adi::receive::From;
use crate::adi::send::{Address, Mode};
use crate::buf::Buf;
use crate::comm::Comm;
use crate::datatype::{Basic, Datatype};
use crate::error::{Class, Error, Result};
use crate::handle::Handle;
use crate::op::Op;
use crate::process::Process;
use crate::status::Status;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

/// One collective call on one communicator. All its messages have the call's own tag, so that calls do not meet, however they overlap.
///
/// On an intercommunicator, ranks in [`isend`](Cx::isend) and [`irecv`](Cx::irecv) are those of the remote group;
/// [`local`](Cx::local) gives the view of the local group.
///
/// An algorithm that leaves at an error lets the other members wait for messages that never come. So the algorithms [`note`](Cx::note)
/// errors and go on with the pattern of messages; the call ends with the first error, its [`outcome`](Cx::outcome).
pub struct Cx<'a> {
    pub process: &'a Process,
    pub comm: &'a Comm,
    plane: Plane,
    tag: i32,
    /// Tag of the local group's messages, if the communicator has two groups.
    local: i32,
    fault: OnceLock<Error>,
}

/// What the messages of a call are recognised by.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Tags {
    all: i32,
    local: i32,
}

impl Tags {
    /// The next call on `comm`. Every member takes them for the same calls in the same order.
    pub fn next(comm: &Comm, operation: Operation, form: Form) -> Tags {
        let next = |comm: &Comm| operation::tag(operation, form, comm.next_collective(form));
        Tags { all: next(comm), local: comm.remote.as_ref().map_or(0, |remote| next(&remote.local)) }
    }

    /// What the messages among all members have.
    pub fn all(self) -> i32 {
        self.all
    }

    pub fn with_root(self, root: usize) -> Tags {
        Tags { all: operation::with_root(self.all, root), ..self }
    }
}

impl<'a> Cx<'a> {
    /// Begins the next blocking collective call on `comm`. Every member begins the same calls in the same order.
    pub fn begin(process: &'a Process, comm: &'a Comm, operation: Operation) -> Cx<'a> {
        Cx::with_tags(process, comm, Tags::next(comm, operation, Form::Blocking))
    }

    pub fn with_tags(process: &'a Process, comm: &'a Comm, tags: Tags) -> Cx<'a> {
        Cx { process, comm, plane: Plane::Collective, tag: tags.all, local: tags.local, fault: OnceLock::new() }
    }

    /// A call in which only some members take part, who agree on `tag` (`MPI_Comm_create_group`).
    pub fn partial(process: &'a Process, comm: &'a Comm, tag: i32) -> Cx<'a> {
        Cx { process, comm, plane: Plane::Partial, tag, local: 0, fault: OnceLock::new() }
    }

    /// The call without its references, for a task that outlives the caller's.
    pub fn detach(&self) -> Detached {
        Detached { plane: self.plane, tag: self.tag, local: self.local }
    }

    /// The same call among the local group of an intercommunicator.
    pub fn local(&self) -> Option<Cx<'a>> {
        let comm = &self.comm.remote.as_ref()?.local;
        Some(Cx { comm, tag: self.local, fault: OnceLock::new(), ..*self })
    }

    /// At which lengths the algorithms change.
    pub fn tuning(&self) -> &'a Tuning {
        self.process.config.tuning()
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
        let fault = if self.fault.get().is_some() && self.plane == Plane::Collective { operation::FAULT } else { 0 };
        let to = Address { comm: self.comm, rank, tag: self.tag | fault, plane: self.plane };
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

    /// Receives as many bytes as the buffer has room for.
    ///
    /// # Errors
    /// `MPI_ERR_TRUNCATE` and `MPI_ERR_COUNT` when the members' counts differ, `MPI_ERR_OTHER` when their calls differ or the sender's
    /// part has failed.
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

    /// The first half of an exchange, for who has something to do meanwhile. Errors are noted.
    pub fn begin_sendrecv(&self, out: Buf<'_>, to: usize, into: Buf<'_>, from: usize) -> [Option<Pending<'a>>; 2] {
        let receive = self.note(self.irecv(into, from));
        [receive, self.note(self.isend(out, to))]
    }

    /// The second half.
    pub async fn end_sendrecv(&self, exchange: [Option<Pending<'a>>; 2]) {
        self.join(exchange.into_iter().flatten()).await;
    }

    /// Waits for all of these; their errors are noted.
    pub async fn join(&self, pending: impl IntoIterator<Item = Pending<'a>>) {
        for pending in pending {
            self.note(pending.await);
        }
    }

    /// Keeps the call's first error, for its [`outcome`](Cx::outcome).
    #[inline]
    pub fn note<T>(&self, result: Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                // Only the first is of interest: the others tend to follow from it.
                let _ = self.fault.set(error);
                None
            }
        }
    }

    /// How the call has gone so far.
    ///
    /// # Errors
    /// The first that was noted.
    pub fn outcome(&self) -> Result<()> {
        self.fault.get().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Copies this process's own part, as a message to itself would.
    pub fn copy(&self, from: &Buf<'_>, to: &Buf<'_>) {
        self.note(check_own(self.comm, self.tag, from, to));
        from.copy_to(to);
    }

    /// `inout = input op inout`, item by item; `input` is the left operand.
    pub fn apply(&self, op: &Op, input: &Buf<'_>, inout: &Buf<'_>) {
        // SAFETY: both vouch for their memory; the algorithms apply operations to different buffers.
        let apply = || unsafe { op.apply(input.addr(), inout.addr(), inout.count(), inout.ty()) };
        let applied = if op.is_predefined() { apply() } else { self.process.types.with_handle(inout.ty(), apply).and_then(|it| it) };
        self.note(applied);
    }

    pub fn scratch<'t>(&self, count: usize, ty: &'t Arc<Datatype>) -> Scratch<'t> {
        Scratch::new(&self.process.spare, count, ty)
    }

    /// Scratch for packed data.
    pub fn scratch_bytes(&self, len: u64) -> Scratch<'a> {
        Scratch::new(&self.process.spare, usize::try_from(len).expect("lengths of memory fit"), self.bytes())
    }

    /// The type of packed data.
    pub fn bytes(&self) -> &'a Arc<Datatype> {
        self.process.types.get(Basic::MPI_BYTE)
    }

    /// The data as bytes in place, if they are contiguous.
    pub fn as_bytes<'b>(&self, data: &Buf<'b>) -> Option<Buf<'b>>
    where
        'a: 'b,
    {
        let memory = data.as_contiguous()?;
        // SAFETY: the same memory.
        Some(unsafe { Buf::new(memory.cast(), memory.len(), self.bytes()) })
    }

    /// A message without data.
    pub fn nothing(&self) -> Buf<'a> {
        // SAFETY: no memory is named.
        unsafe { Buf::new(std::ptr::null_mut(), 0, self.bytes()) }
    }
}

/// Refuses a process's own part that has not the length that it expects from itself.
pub(super) fn check_own(comm: &Comm, tag: i32, from: &Buf<'_>, to: &Buf<'_>) -> Result<()> {
    if from.bytes() == to.bytes() {
        return Ok(());
    }
    let (call, comm) = (Operation::name_of_tag(tag), comm.describe());
    let text = format!(
        "in {call} on {comm}, this process's own part has {} bytes where it expects {} from itself",
        from.bytes(),
        to.bytes()
    );
    Err(Error::new(if from.bytes() > to.bytes() { Class::TRUNCATE } else { Class::COUNT }, text))
}

/// A message of a collective under way: resolves when it is complete.
///
/// Dropped early, it takes its buffer back at once: what arrives later is thrown away, what was to be sent is copied first. So an
/// algorithm that ends early leaves no message behind that points into freed memory.
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

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        let Pending { process, request } = *self;
        if !process.requests.get(request)?.is_done() {
            return Poll::Pending;
        }
        self.request = crate::request::NULL;
        let outcome = process.finish(request)?;
        Poll::Ready(match outcome.error {
            Some(error) => Err(error),
            None => Ok(outcome.status),
        })
    }
}

impl Drop for Pending<'_> {
    #[inline]
    fn drop(&mut self) {
        if self.request != crate::request::NULL {
            self.process.abandon(self.request);
        }
    }
}

/// A collective call that has begun, and waits for its process and communicator.
#[derive(Clone, Copy)]
pub struct Detached {
    plane: Plane,
    tag: i32,
    local: i32,
}

impl Detached {
    /// The call, on the communicator it began on.
    pub fn attach<'a>(&self, process: &'a Process, comm: &'a Comm) -> Cx<'a> {
        Cx { process, comm, plane: self.plane, tag: self.tag, local: self.local, fault: OnceLock::new() }
    }
}
