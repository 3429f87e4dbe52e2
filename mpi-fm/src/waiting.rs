//! What a call waits for, so that the launcher can say why a job does not go on.
//!
//! Nothing here is on the way of a message: a call that waits hands over how to find out, and that is done when the process is about to
//! sleep. So a wait that is over soon costs nothing, and one that lasts pays before it sleeps, not when it is woken.

use crate::adi::envelope::Plane;
use crate::coll::operation::{Form, Operation};
use crate::comm::{Comm, GlobalId};
use crate::handle::Handle;
use crate::process::Process;
use crate::request::complete::Standing;
use crate::request::{NULL, State};
use fm::Peer;

/// What a call waits for. For reports, not for decisions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub what: What,
    pub comm: Option<Name>,
    pub whom: Whom,
    /// Of a message: `None` is `MPI_ANY_TAG`. Of a collective call: what its messages are recognised by.
    pub tag: Option<i32>,
    /// The collective call, which need not be the one that waits (`MPI_Wait`).
    pub operation: Option<&'static str>,
    /// How many further messages or requests are waited for.
    pub others: u32,
    /// One of those is enough.
    pub any: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// What only this process knows about: the user's own request, the network's last word.
    Other,
    /// A message.
    Receive,
    /// That a message is received, or its buffer free again.
    Send,
    /// Other members' parts of a collective call.
    Collective,
}

/// Who is to act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whom {
    /// Nobody that is known of.
    Unknown,
    /// `MPI_ANY_SOURCE`
    Any,
    /// This rank of the communicator (of its remote group, if there is one), which is that process.
    Rank(u32, Peer),
}

/// Bytes of a communicator's name that a report shows.
pub const NAME_MAX: usize = 32;

/// Which communicator it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Name {
    pub handle: Handle,
    /// By which its members recognise it as the same.
    pub id: GlobalId,
    pub inter: bool,
    /// As the program named it, ended by zeroes; cut, if it is longer.
    pub text: [u8; NAME_MAX],
}

impl Name {
    pub fn of(comm: &Comm) -> Name {
        Name { handle: comm.handle, id: comm.id, inter: comm.is_inter(), text: comm.attached.short_name() }
    }
}

/// Requests and posted receives that a report goes through at most.
const LOOK_MAX: usize = 1024;

impl Waiting {
    pub const UNKNOWN: Waiting =
        Waiting { what: What::Other, comm: None, whom: Whom::Unknown, tag: None, operation: None, others: 0, any: false };

    /// Something on `comm` of which no more is known.
    pub fn on(comm: &Comm) -> Waiting {
        Waiting { comm: Some(Name::of(comm)), ..Waiting::UNKNOWN }
    }

    /// For a message from this rank, or from any.
    pub fn receive(comm: &Comm, rank: Option<usize>, tag: Option<i32>) -> Waiting {
        Waiting { what: What::Receive, whom: rank.map_or(Whom::Any, |rank| whom(comm, rank)), tag, ..Waiting::on(comm) }
    }

    /// For this rank to receive a message.
    pub fn send(comm: &Comm, rank: usize, tag: i32) -> Waiting {
        Waiting { what: What::Send, whom: whom(comm, rank), tag: Some(tag), ..Waiting::on(comm) }
    }

    /// For this rank's part of a collective call.
    pub fn collective(comm: &Comm, rank: Option<usize>, tag: i32) -> Waiting {
        let operation = Some(Operation::name_of_tag(tag));
        let whom = rank.map_or(Whom::Unknown, |rank| whom(comm, rank));
        Waiting { what: What::Collective, whom, tag: Some(tag), operation, ..Waiting::on(comm) }
    }
}

fn whom(comm: &Comm, rank: usize) -> Whom {
    Whom::Rank(rank as u32, comm.targets().peer(rank))
}

impl Process {
    /// What a request waits for.
    pub fn waits_for_request(&self, handle: Handle) -> Waiting {
        let Some(request) = self.requests.find(handle) else { return Waiting::UNKNOWN };
        let inner = request.inner.lock();
        let comm = self.comm(inner.comm).ok();
        let on = comm.map_or(Waiting::UNKNOWN, |comm| Waiting::on(comm));
        let status = &inner.outcome.status;
        match &inner.state {
            State::Sending { to, envelope } => {
                let whom = comm.and_then(|comm| comm.targets().rank_of(*to)).map_or(Whom::Unknown, |rank| Whom::Rank(rank as u32, *to));
                Waiting { what: What::Send, whom, tag: Some(envelope.tag), ..on }
            }
            State::Receiving { .. } => comm.map_or(on, |comm| Waiting::receive(comm, source(status.source), tag(status.tag))),
            State::Partitioned(partitioned) => {
                let (rank, tag) = partitioned.partner;
                let send = matches!(partitioned.side, crate::part::Side::Send(_));
                match (comm, usize::try_from(rank)) {
                    (Some(comm), Ok(rank)) if send => Waiting::send(comm, rank, tag),
                    (Some(comm), Ok(rank)) => Waiting::receive(comm, Some(rank), Some(tag)),
                    _ => on,
                }
            }
            State::Persistent(persistent) if persistent.active != NULL => {
                let active = persistent.active;
                drop(inner);
                self.waits_for_request(active)
            }
            State::Collective => {
                let handle = inner.comm;
                drop(inner);
                self.waits_for_members(handle, |form| form != Form::Blocking)
            }
            State::Posted { plane, number } => {
                let (plane, number, tag) = (*plane, *number, tag(status.tag));
                drop(inner);
                // The matcher's lock comes before a request's.
                let posted = comm.and_then(|comm| comm.plane(plane).lock().pattern(number, |posted| *posted == handle));
                match (comm, posted) {
                    (Some(comm), Some(pattern)) => Waiting::receive(comm, pattern.source.map(|rank| rank as usize), tag),
                    _ => on,
                }
            }
            _ => on,
        }
    }

    /// What several requests wait for: the first that is active, and how many more. `any`: one of them is enough.
    pub fn waits_for_requests(&self, requests: impl Iterator<Item = Handle>, any: bool) -> Waiting {
        let mut active = requests.filter(|request| matches!(self.standing(*request), Ok(Standing::Active)));
        let Some(first) = active.next() else { return Waiting::UNKNOWN };
        let others = active.take(LOOK_MAX).count() as u32;
        Waiting { others, any: any && others > 0, ..self.waits_for_request(first) }
    }

    /// What a blocking collective call waits for that goes on by messages.
    pub fn waits_in_collective(&self, comm: Handle) -> Waiting {
        self.waits_for_members(comm, |form| form == Form::Blocking)
    }

    fn waits_for_members(&self, handle: Handle, of_form: impl Fn(Form) -> bool) -> Waiting {
        let comm = self.comm(handle).unwrap_or_else(|_| self.bootstrap());
        let found = self.oldest_part(comm, Plane::Collective, &of_form);
        // Of an intercommunicator, perhaps the local group's; else a call of some members only.
        let found = found.or_else(|| self.oldest_part(&comm.remote.as_ref()?.local, Plane::Collective, &of_form));
        let found = found.or_else(|| self.oldest_part(comm, Plane::Partial, |_| true));
        let found = found.or_else(|| self.oldest_send(|plane, comm| plane != Plane::PointToPoint && comm == handle));
        Waiting { what: What::Collective, comm: Some(Name::of(comm)), ..found.unwrap_or(Waiting::UNKNOWN) }
    }

    /// The oldest receive of a collective call on `comm` that still waits for its message.
    fn oldest_part(&self, comm: &Comm, plane: Plane, of_form: impl Fn(Form) -> bool) -> Option<Waiting> {
        let matcher = comm.plane(plane).lock();
        let (pattern, request, others) = matcher.oldest_exact(LOOK_MAX, |tag| of_form(Form::of_tag(tag)))?;
        let source = pattern.source? as usize;
        if plane == Plane::Partial {
            return Some(Waiting { others, ..Waiting::receive(comm, Some(source), None) });
        }
        // The matcher knows only the part of the tag that decides the match.
        let tag = self.requests.find(*request).map(|request| request.inner.lock().outcome.status.tag)?;
        Some(Waiting { others, ..Waiting::collective(comm, Some(source), tag) })
    }

    /// What a call waits for that ends when what was sent has left.
    pub fn waits_for_sends(&self) -> Waiting {
        self.oldest_send(|plane, _| plane == Plane::PointToPoint).unwrap_or(Waiting::UNKNOWN)
    }

    fn oldest_send(&self, wanted: impl Fn(Plane, Handle) -> bool) -> Option<Waiting> {
        let is_wanted = |(handle, request): (Handle, &crate::request::Request)| {
            let inner = request.inner.lock();
            let under_way = !request.is_done() || inner.buffered;
            match &inner.state {
                State::Sending { envelope, .. } if under_way && wanted(envelope.plane, inner.comm) => {
                    let tag = (envelope.plane == Plane::Collective).then_some(envelope.tag);
                    Some((handle, tag))
                }
                _ => None,
            }
        };
        let (send, call) = self.requests.iter().take(LOOK_MAX).find_map(is_wanted)?;
        let waiting = self.waits_for_request(send);
        Some(match call {
            Some(tag) => Waiting { operation: Some(Operation::name_of_tag(tag)), ..waiting },
            None => waiting,
        })
    }
}

fn source(rank: i32) -> Option<usize> {
    usize::try_from(rank).ok()
}

fn tag(tag: i32) -> Option<i32> {
    (tag != crate::constants::ANY_TAG).then_some(tag)
}
