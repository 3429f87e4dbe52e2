//! Partitioned communication (MPI 5.0 chapter 4): one message per round, whose parts become ready one by one.
//!
//! Both sides make a persistent request. They meet once, in the order in which they were made, on a plane of their own; after that the rounds
//! need no matching. The words of [`rendezvous`](crate::adi::rendezvous) serve here, too:
//!
//! ```text
//! sender                                         receiver
//!   Psend_init: READY_TO_SEND length      ──▶      meets Precv_init; says who the sender is
//!   Start, Pready …                                Start
//!                                         ◀──      CLEAR_TO_SEND, once a round: the buffer may be written
//!   each ready partition: DATA offset     ──▶      into the buffer; counts what each of its own partitions lacks
//! ```
//!
//! So sender and receiver may cut the message into different numbers of partitions, and nothing is copied on the way.
//!
//! - this file: the request, making it, rounds
//! - [`send`]: what is ready; [`receive`]: what has arrived

pub mod receive;
pub mod send;

use crate::adi::envelope::Plane;
use crate::bail;
use crate::buf::Buf;
use crate::comm::Comm;
use crate::error::{Class, Error, Result};
use crate::handle::{Handle, Kind, bad_handle};
use crate::memory::Memory;
use crate::process::Process;
use crate::request::{Inner, Request, State};
use crate::status::{Outcome, Status};
use fm::lock::Guard;
use receive::Receiving;
use send::Sending;

/// A partitioned operation: the state of its request, for all its rounds. The buffer is the request's memory.
pub struct Partitioned {
    shape: Shape,
    /// A round is under way, or over and not yet completed by the user.
    pub active: bool,
    /// Rank of the other side in the communicator, and tag.
    pub partner: (i32, i32),
    pub side: Side,
}

pub enum Side {
    Send(Sending),
    Receive(Receiving),
}

/// How this side cuts the message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shape {
    pub partitions: usize,
    /// Packed length of each.
    pub bytes: u64,
}

impl Shape {
    pub fn total(&self) -> u64 {
        self.partitions as u64 * self.bytes
    }

    /// A partition's place among all.
    ///
    /// # Errors
    /// `MPI_ERR_ARG` when there is no such partition.
    fn index(&self, partition: i32) -> Result<usize> {
        match usize::try_from(partition).ok().filter(|index| *index < self.partitions) {
            Some(index) => Ok(index),
            None => bail!(ARG, "there is no partition {partition}: the request has {}, counted from 0", self.partitions),
        }
    }
}

/// The other side, and what both agree on.
#[derive(Clone, Copy)]
pub struct Partner<'c> {
    pub comm: &'c Comm,
    /// `None` is `MPI_PROC_NULL`.
    pub rank: Option<usize>,
    pub tag: i32,
}

impl Partner<'_> {
    fn names(&self) -> (i32, i32) {
        (self.rank.map_or(crate::constants::PROC_NULL, |rank| rank as i32), self.tag)
    }
}

impl Process {
    /// A request for `buf`, in `partitions` parts of the same number of items.
    fn new_partitioned(&self, buf: &Buf<'_>, partitions: usize, partner: Partner<'_>, side: Side) -> Result<Handle> {
        let bytes = if partitions == 0 { 0 } else { buf.bytes() / partitions as u64 };
        let shape = Shape { partitions, bytes };
        let partitioned = Partitioned { shape, active: false, partner: partner.names(), side };
        self.requests.start(State::Partitioned(Box::new(partitioned)), Memory::of(buf), partner.comm.handle)
    }

    /// Starts a round.
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST` when one is under way.
    pub(crate) fn start_partitioned(&self, handle: Handle) -> Result<()> {
        let request = self.requests.get(handle)?;
        let mut inner = request.inner.lock();
        if !inner.held {
            return Err(bad_handle(Kind::Request, handle));
        }
        let State::Partitioned(partitioned) = &mut inner.state else { return Ok(()) };
        if partitioned.active {
            bail!(REQUEST, "the partitioned request is active already: complete it before the next start");
        }
        partitioned.active = true;
        match &partitioned.side {
            Side::Send(_) => self.start_partitioned_send(handle, request, inner),
            Side::Receive(_) => self.start_partitioned_receive(handle, request, inner),
        }
        Ok(())
    }

    /// The round is over.
    pub(crate) fn end_round(&self, handle: Handle, request: &Request, mut inner: Guard<'_, Inner>, mut outcome: Outcome) {
        if let Some(error) = &mut outcome.error {
            error.comm.get_or_insert(inner.comm);
        }
        inner.outcome = outcome;
        if inner.held {
            request.set_done(true);
        } else {
            drop(inner);
            self.requests.free(handle);
        }
    }

    /// Lets the request go (`MPI_Request_free`). A round under way goes on.
    ///
    /// # Errors
    /// `MPI_ERR_REQUEST` when partitions of a round are not ready: nobody could ever say that they are.
    pub(crate) fn release_partitioned(&self, handle: Handle, request: &Request, mut inner: Guard<'_, Inner>) -> Result<()> {
        if !inner.held {
            return Err(bad_handle(Kind::Request, handle));
        }
        let State::Partitioned(partitioned) = &inner.state else { return Ok(()) };
        let under_way = partitioned.active && !request.is_done();
        let stays = match &partitioned.side {
            Side::Send(sending) if under_way && sending.unready > 0 => {
                bail!(REQUEST, "{} partitions of the request to be freed are not ready yet", sending.unready)
            }
            Side::Send(_) => under_way,
            // The sender that it belongs to must not meet the next receive.
            Side::Receive(receiving) => under_way || receiving.awaits_sender(),
        };
        inner.held = false;
        drop(inner);
        if !stays {
            self.requests.free(handle);
        }
        Ok(())
    }
}

/// The two sides of a message have different lengths.
#[cold]
fn lengths_differ(ours: u64, theirs: u64, partner: (i32, i32)) -> Error {
    let (rank, tag) = partner;
    let class = if theirs > ours { Class::TRUNCATE } else { Class::COUNT };
    let text = format!(
        "partitioned communication with rank {rank}, tag {tag}: this side has {ours} bytes in all its partitions, the other one {theirs}"
    );
    Error::new(class, text)
}

/// The status of a receive.
fn status_of(partitioned: &Partitioned) -> Status {
    let (source, tag) = partitioned.partner;
    Status { source, tag, bytes: partitioned.shape.total(), cancelled: false }
}

const PLANE: Plane = Plane::Partitioned;

