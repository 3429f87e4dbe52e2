//! Making communicators: who belongs to the new one, in which order, and by which number each member knows it.
//!
//! Every way of making one comes down to an exchange of records in which each process says where it wants to be (a colour, a
//! key) and the numbers it would use. The first member is the leader and names the communicator.

use super::contexts::Contexts;
use super::exchange::{self, Members, Record};
use super::queues::Queues;
use super::{Comm, GlobalId, Parts, Remote};
use crate::bail;
use crate::coll::{Cx, Operation};
use crate::errhandler::Errhandler;
use crate::error::Result;
use crate::group::Group;
use crate::handle::Handle;
use crate::objects::Attached;
use crate::process::Process;
use crate::session::Session;
use fm::Peer;
use std::sync::Arc;

/// What a process tells the others when a communicator is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Member {
    pub process: Peer,
    /// Its number for the new communicator …
    pub serial: u32,
    /// … and, for an intercommunicator, for its local group's own.
    pub local_serial: u32,
    /// How many communicators it has led: a leader's count makes the global name.
    pub count: u32,
    /// Members of one colour come together; `None` stays out.
    pub colour: Option<u64>,
    /// Order within a colour; ties go by the old rank.
    pub key: i64,
}

impl Record for Member {
    const SIZE: usize = 40;

    fn write(&self, to: &mut [u8]) {
        for (at, word) in [self.process.0, self.serial, self.local_serial, self.count].into_iter().enumerate() {
            to[4 * at..4 * at + 4].copy_from_slice(&word.to_le_bytes());
        }
        to[16..24].copy_from_slice(&self.colour.unwrap_or(0).to_le_bytes());
        to[24..32].copy_from_slice(&self.key.to_le_bytes());
        to[32..40].copy_from_slice(&u64::from(self.colour.is_some()).to_le_bytes());
    }

    fn read(from: &[u8]) -> Member {
        let word = |at: usize| u32::from_le_bytes(from[at..at + 4].try_into().expect("four bytes"));
        let long = |at: usize| u64::from_le_bytes(from[at..at + 8].try_into().expect("eight bytes"));
        Member {
            process: Peer(word(0)),
            serial: word(4),
            local_serial: word(8),
            count: word(12),
            colour: (long(32) != 0).then(|| long(16)),
            key: long(24) as i64,
        }
    }
}

/// What a new communicator takes over from where it comes from.
pub struct Heritage {
    errhandler: Errhandler,
    session: Option<Arc<Session>>,
}

impl Heritage {
    fn of(parent: &Comm) -> Heritage {
        Heritage { errhandler: parent.attached.errhandler(), session: parent.group.session().cloned() }
    }

    /// Of a communicator that is made from a group alone.
    pub fn of_group(group: &Group, errhandler: Errhandler) -> Heritage {
        Heritage { errhandler, session: group.session().cloned() }
    }
}

/// Queues made for a communicator to come. They are retired if it does not.
pub(super) struct Draft<'p> {
    process: &'p Process,
    queues: Option<Arc<Queues>>,
}

impl<'p> Draft<'p> {
    /// Queues of a communicator that is to go again.
    pub(super) fn of(process: &'p Process, comm: &Comm) -> Draft<'p> {
        Draft { process, queues: Some(Arc::clone(&comm.queues)) }
    }

    fn new(process: &'p Process) -> Result<Draft<'p>> {
        Ok(Draft { process, queues: Some(process.new_queues()?) })
    }

    fn serial(&self) -> u32 {
        self.queues.as_ref().map_or(0, |queues| queues.serial)
    }

    fn take(mut self) -> Arc<Queues> {
        self.queues.take().expect("taken once")
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if let Some(queues) = self.queues.take() {
            self.process.retire_queues(queues);
        }
    }
}

/// A communicator ready to get its handle.
pub struct New(pub(super) Parts);

impl New {
    /// The same with other things attached.
    pub fn with(self, attached: Arc<Attached>) -> New {
        New(Parts { attached, ..self.0 })
    }
}

impl Process {
    /// Gives a new communicator the reserved handle `handle`.
    pub fn settle_comm(&self, handle: Handle, new: New) -> Arc<Comm> {
        let comm = Arc::new(Comm::new(Parts { handle, ..new.0 }));
        self.comms.settle(handle, Arc::clone(&comm));
        comm
    }

    fn member(&self, serial: u32, local_serial: u32, colour: Option<u64>, key: i64) -> Member {
        Member { process: self.me(), serial, local_serial, count: self.next_leader_count(), colour, key }
    }
}

/// Splits the communicator of `cx` by colour; `None` for a process without one. On an intercommunicator colours meet across the
/// groups, and a colour that one side lacks makes none (MPI 5.0 section 7.4.2).
///
/// # Errors
/// Those of the messages, and `MPI_ERR_NO_MEM`.
pub async fn split(cx: Cx<'_>, colour: Option<u64>, key: i64) -> Result<Option<New>> {
    let (process, comm) = (cx.process, cx.comm);
    let draft = Draft::new(process)?;
    let Some(remote) = &comm.remote else {
        let ranks: Vec<usize> = (0..cx.size()).collect();
        let mine = process.member(draft.serial(), 0, colour, key);
        let all = exchange::all(&cx, Members { ranks: &ranks, me: cx.rank() }, mine).await?;
        return Ok(colour.map(|colour| intra(process, Heritage::of(comm), draft.take(), &of_colour(&all, colour))));
    };
    let local_draft = Draft::new(process)?;
    let local = Cx::begin(process, &remote.local, Operation::CommSplit);
    let mine = process.member(draft.serial(), local_draft.serial(), colour, key);
    let (ours, theirs) = exchange::both_groups(&cx, &local, mine).await?;
    let Some(colour) = colour else { return Ok(None) };
    let theirs = of_colour(&theirs, colour);
    if theirs.is_empty() {
        return Ok(None);
    }
    let drafts = (draft.take(), local_draft.take());
    Ok(Some(inter(process, &Heritage::of(comm), drafts, &of_colour(&ours, colour), &theirs, remote.first)))
}

/// Makes a communicator of those members of `cx`'s that take part: `ranks` in their new order, this process at place `me`.
///
/// # Errors
/// As [`split`].
pub async fn partial(cx: Cx<'_>, ranks: &[usize], me: usize) -> Result<New> {
    let heritage = Heritage::of(cx.comm);
    agreed(&cx, Members { ranks, me }, heritage, 0).await
}

/// As [`partial`], if the members agree on `word`.
///
/// # Errors
/// `MPI_ERR_GROUP` if they do not, and as [`split`].
pub(super) async fn agreed(cx: &Cx<'_>, members: Members<'_>, heritage: Heritage, word: u64) -> Result<New> {
    let draft = Draft::new(cx.process)?;
    let mine = cx.process.member(draft.serial(), 0, Some(word), 0);
    let all = exchange::all(cx, members, mine).await?;
    if let Some(other) = all.iter().find(|member| member.colour != Some(word)) {
        bail!(GROUP, "process {} of MPI_COMM_WORLD called with another group or string tag", other.process.0);
    }
    Ok(intra(cx.process, heritage, draft.take(), &all))
}

/// One side of an intercommunicator to be made: its group's communicator, and the leader's way to the other side's leader.
pub struct Side<'a> {
    pub local: Cx<'a>,
    pub leader: usize,
    /// In the leader: a call on the communicator that both leaders share, and the other's rank there.
    pub bridge: Option<(Cx<'a>, usize)>,
}

/// Joins two groups to an intercommunicator (MPI 5.0 section 7.6.2).
///
/// # Errors
/// `MPI_ERR_COMM` when the groups have a process in common, and as [`split`].
pub async fn join(side: Side<'_>) -> Result<New> {
    let cx = side.local;
    let process = cx.process;
    let (draft, local_draft) = (Draft::new(process)?, Draft::new(process)?);
    let ranks: Vec<usize> = (0..cx.size()).collect();
    let mine = process.member(draft.serial(), local_draft.serial(), Some(0), 0);
    let ours: Vec<Member> = exchange::all(&cx, Members { ranks: &ranks, me: cx.rank() }, mine).await?;
    let mut size = [0; 8];
    let mut theirs = Vec::new();
    if let Some((bridge, other)) = &side.bridge {
        let mut our_size = (ours.len() as u64).to_le_bytes();
        bridge.sendrecv(exchange::bytes(bridge, &mut our_size), *other, exchange::bytes(bridge, &mut size), *other).await?;
        theirs = vec![0; u64::from_le_bytes(size) as usize * Member::SIZE];
        let mut packed = exchange::pack(&ours);
        bridge.sendrecv(exchange::bytes(bridge, &mut packed), *other, exchange::bytes(bridge, &mut theirs), *other).await?;
    }
    exchange::spread(&cx, side.leader, &mut size).await?;
    theirs.resize(u64::from_le_bytes(size) as usize * Member::SIZE, 0);
    exchange::spread(&cx, side.leader, &mut theirs).await?;
    let theirs: Vec<Member> = exchange::unpack(&theirs);
    if let Some(twice) = ours.iter().find(|ours| theirs.iter().any(|theirs| theirs.process == ours.process)) {
        bail!(COMM, "process {} of MPI_COMM_WORLD is in both groups of the intercommunicator", twice.process.0);
    }
    let first = ours.first().map(|leader| leader.process) < theirs.first().map(|leader| leader.process);
    Ok(inter(process, &Heritage::of(cx.comm), (draft.take(), local_draft.take()), &ours, &theirs, first))
}

/// Makes one group of the two of an intercommunicator; the group that says `high` comes last (MPI 5.0 section 7.6.3).
///
/// # Errors
/// As [`split`].
pub async fn merge(cx: Cx<'_>, high: bool) -> Result<New> {
    let (process, comm) = (cx.process, cx.comm);
    let Some(remote) = &comm.remote else {
        bail!(COMM, "{} is not an intercommunicator", comm.describe());
    };
    let draft = Draft::new(process)?;
    let local = Cx::begin(process, &remote.local, Operation::IntercommMerge);
    let mine = process.member(draft.serial(), 0, Some(0), i64::from(high));
    let (ours, theirs) = exchange::both_groups(&cx, &local, mine).await?;
    let their_high = theirs.first().is_some_and(|member| member.key == 1);
    let we_come_first = if high == their_high { remote.first } else { !high };
    let all = if we_come_first { [ours, theirs].concat() } else { [theirs, ours].concat() };
    Ok(intra(process, Heritage::of(comm), draft.take(), &all))
}

/// The members of one colour in the order of their keys.
fn of_colour(all: &[Member], colour: u64) -> Vec<Member> {
    let mut members: Vec<Member> = all.iter().filter(|member| member.colour == Some(colour)).copied().collect();
    members.sort_by_key(|member| member.key); // stable: ties stay in the order of the old ranks
    members
}

fn intra(process: &Process, heritage: Heritage, queues: Arc<Queues>, members: &[Member]) -> New {
    let group = group_of(members, heritage.session);
    let rank = group.rank_of(process.me()).expect("a member of its own communicator");
    New(Parts {
        handle: super::NULL,
        queues,
        id: name_of(members),
        rank,
        group,
        remote: None,
        contexts: Contexts::from_numbers(members.iter().map(|member| member.serial).collect()),
        attached: Arc::new(Attached::new("", heritage.errhandler)),
    })
}

fn inter(
    process: &Process,
    heritage: &Heritage,
    (queues, local_queues): (Arc<Queues>, Arc<Queues>),
    ours: &[Member],
    theirs: &[Member],
    first: bool,
) -> New {
    let local_numbers: Vec<Member> =
        ours.iter().map(|member| Member { serial: member.local_serial, ..*member }).collect();
    let local_heritage = Heritage { session: heritage.session.clone(), ..*heritage };
    let New(local) = intra(process, local_heritage, local_queues, &local_numbers);
    let (group, rank) = (Arc::clone(&local.group), local.rank);
    New(Parts {
        handle: super::NULL,
        queues,
        id: name_of(if first { ours } else { theirs }),
        group,
        rank,
        remote: Some(Remote { group: group_of(theirs, heritage.session.clone()), local: Arc::new(Comm::new(local)), first }),
        contexts: Contexts::from_numbers(theirs.iter().map(|member| member.serial).collect()),
        attached: Arc::new(Attached::new("", heritage.errhandler)),
    })
}

fn group_of(members: &[Member], session: Option<Arc<Session>>) -> Arc<Group> {
    Group::within(session, members.iter().map(|member| member.process))
}

fn name_of(members: &[Member]) -> GlobalId {
    let leader = members.first().expect("a communicator has members");
    GlobalId { leader: leader.process, count: leader.count }
}
