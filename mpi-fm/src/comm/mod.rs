//! Communicators.

pub mod contexts;
pub mod create;
pub mod exchange;
pub mod from_group;
pub mod life;
pub mod queues;

use crate::adi::envelope::Plane;
use crate::adi::matching::Matcher;
use crate::adi::receive::Arrived;
use crate::coll::Form;
use crate::coll::board::CommBoard;
use crate::constants::{ANY_SOURCE, PROC_NULL};
use crate::errhandler::Errhandler;
use crate::error::{Class, Error, Result};
use crate::group::{Comparison, Group};
use crate::handle::{self, Handle};
use crate::objects::Attached;
use crate::topo::Topology;
use crate::bsend::BufferSlot;
use contexts::Contexts;
use fm::{Peer, ThreadLock};
use queues::{PostedReceive, Queues};
use std::sync::{Arc, OnceLock};
use std::sync::atomic::{AtomicU32, Ordering};

/// `MPI_COMM_NULL`
pub const NULL: Handle = 0x100;
/// `MPI_COMM_WORLD`
pub const WORLD: Handle = 0x101;
/// `MPI_COMM_SELF`
pub const SELF: Handle = 0x102;

/// The engine's own communicator has no handle.
pub(crate) const BOOTSTRAP: Handle = NULL;

/// The name by which all members know a communicator: the leader's process, and the leader's count of those it made. No agreement over
/// a mask is needed, so that threads, `idup` and `create_group` do not meet.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct GlobalId {
    pub leader: Peer,
    pub count: u32,
}

/// A communicator, as one member has it.
pub struct Comm {
    /// Its handle: a predefined constant, or index and generation in the table.
    pub handle: Handle,
    /// Where this member's messages are matched.
    pub queues: Arc<Queues>,
    pub id: GlobalId,
    /// The local group, and this process's rank in it.
    pub group: Arc<Group>,
    pub rank: usize,
    /// Of an intercommunicator: the other side.
    pub remote: Option<Remote>,
    /// How many ranks can be addressed: the size of [`targets`](Comm::targets).
    reach: u32,
    /// Numbers by which those addressed (the remote group's, if there is one) know the communicator.
    pub contexts: Contexts,
    /// Collective operations started so far in each form, wrapping: what matches their messages. All members start them in the same order.
    collectives: [AtomicU32; Form::COUNT],
    /// Where its members show each other what blocking collectives move. Not set before some calls; `None` for good if they cannot.
    pub(crate) board: OnceLock<Option<ThreadLock<CommBoard>>>,
    /// What every MPI object carries: name, error handler, attributes, hints.
    pub attached: Arc<Attached>,
    /// Buffer for buffered sends on this communicator alone (MPI 5.0 section 3.6.2).
    pub buffer: BufferSlot,
    /// Set before the user sees the communicator, or never. A duplicate shares it.
    topology: OnceLock<Arc<Topology>>,
}

/// The other side of an intercommunicator.
pub struct Remote {
    pub group: Arc<Group>,
    /// The local group's own communicator, for the local parts of collective operations.
    pub local: Arc<Comm>,
    /// Whether this side comes first where the order of the sides matters.
    pub first: bool,
}

/// Everything that a new communicator is made of.
pub struct Parts {
    pub handle: Handle,
    pub queues: Arc<Queues>,
    pub id: GlobalId,
    pub group: Arc<Group>,
    pub rank: usize,
    pub remote: Option<Remote>,
    pub contexts: Contexts,
    pub attached: Arc<Attached>,
}

impl Comm {
    pub fn new(parts: Parts) -> Comm {
        let reach = parts.remote.as_ref().map_or(&parts.group, |remote| &remote.group).size() as u32;
        Comm {
            reach,
            handle: parts.handle,
            queues: parts.queues,
            id: parts.id,
            group: parts.group,
            rank: parts.rank,
            remote: parts.remote,
            contexts: parts.contexts,
            collectives: Default::default(),
            board: OnceLock::new(),
            attached: parts.attached,
            buffer: BufferSlot::default(),
            topology: OnceLock::new(),
        }
    }

    pub fn topology(&self) -> Option<&Arc<Topology>> {
        self.topology.get()
    }

    /// Gives a new communicator its topology.
    ///
    /// # Panics
    /// If it has one.
    pub fn set_topology(&self, topology: Arc<Topology>) {
        assert!(self.topology.set(topology).is_ok(), "a communicator has one topology for life");
    }

    /// Gives a duplicate the original's topology.
    pub fn set_topology_of(&self, original: &Comm) {
        if let Some(topology) = original.topology() {
            self.set_topology(Arc::clone(topology));
        }
    }

    /// `MPI_Comm_compare`.
    pub fn compare(&self, other: &Comm) -> Comparison {
        if std::ptr::eq(self, other) {
            return Comparison::Ident;
        }
        let groups = match (&self.remote, &other.remote) {
            (None, None) => [self.group.compare(&other.group)].into_iter().max(),
            (Some(ours), Some(theirs)) => {
                [self.group.compare(&other.group), ours.group.compare(&theirs.group)].into_iter().max()
            }
            _ => None,
        };
        match groups {
            None => Comparison::Unequal,
            Some(Comparison::Ident) => Comparison::Congruent,
            Some(worst) => worst,
        }
    }

    pub fn size(&self) -> usize {
        self.group.size()
    }

    /// The group that ranks in point-to-point calls refer to.
    #[inline]
    pub fn targets(&self) -> &Arc<Group> {
        self.remote.as_ref().map_or(&self.group, |remote| &remote.group)
    }

    pub fn is_inter(&self) -> bool {
        self.remote.is_some()
    }

    #[inline]
    pub fn plane(&self, plane: Plane) -> &ThreadLock<Matcher<PostedReceive, Arrived>> {
        self.queues.plane(plane)
    }

    /// How many ranks [`targets`](Self::targets) has.
    #[inline]
    pub fn reach(&self) -> usize {
        self.reach as usize
    }

    /// Its board, if it has one by now.
    pub fn board(&self) -> Option<&ThreadLock<CommBoard>> {
        self.board.get()?.as_ref()
    }

    /// The process with rank `rank`, and its number for this communicator.
    #[inline]
    pub fn target(&self, rank: usize) -> (Peer, u32) {
        (self.targets().peer(rank), self.contexts.of(rank))
    }

    /// Matching number of the next collective operation of this form.
    pub fn next_collective(&self, form: Form) -> u32 {
        // Not a read-modify-write: the members' calls are ordered (MPI 5.0 section 6.14), so are this member's.
        let counter = &self.collectives[form as usize];
        let number = counter.load(Ordering::Relaxed);
        counter.store(number.wrapping_add(1), Ordering::Relaxed);
        number
    }

    /// Collective calls of this form so far.
    #[inline]
    pub(crate) fn calls(&self, form: Form) -> u32 {
        self.collectives[form as usize].load(Ordering::Relaxed)
    }

    /// For texts: its name if it has one, else its handle.
    pub fn describe(&self) -> String {
        let name = self.attached.name();
        if name.is_empty() { format!("communicator {:#x}", self.handle) } else { name }
    }

    /// Checks a destination: a rank of the group, or `MPI_PROC_NULL` (`None`).
    ///
    /// # Errors
    /// `MPI_ERR_RANK`.
    #[inline]
    pub fn destination(&self, rank: i32) -> Result<Option<usize>> {
        if (rank as u32) < self.reach {
            return Ok(Some(rank as usize));
        }
        if rank == PROC_NULL {
            return Ok(None);
        }
        Err(self.no_rank(rank))
    }

    #[cold]
    fn no_rank(&self, rank: i32) -> Error {
        let last = self.reach - 1;
        Error::new(Class::RANK, format!("rank {rank} is not in {}, which has ranks 0 to {last}", self.describe()))
    }

    /// Checks a source: as a destination, or `MPI_ANY_SOURCE` (`Some(None)`).
    ///
    /// # Errors
    /// `MPI_ERR_RANK`.
    #[inline]
    pub fn source(&self, rank: i32) -> Result<Option<Option<usize>>> {
        if rank == ANY_SOURCE {
            return Ok(Some(None));
        }
        Ok(self.destination(rank)?.map(Some))
    }
}

/// Serial numbers that every process knows of itself: the world's, the own and the bootstrap communicator
/// are made first, in this order.
pub const WORLD_SERIAL: u32 = handle::first_serial(0);
pub const SELF_SERIAL: u32 = handle::first_serial(1);
pub const BOOTSTRAP_SERIAL: u32 = handle::first_serial(2);

/// The predefined communicator with this handle, of a process that knows its place only.
pub(crate) fn predefined(process: &crate::Process, handle: Handle, serial: u32) -> Arc<Comm> {
    let (me, size) = (process.me(), process.fm.peers());
    let alone = handle == SELF;
    let group = if alone { Group::single(me) } else { Group::world(size) };
    let name = match handle {
        WORLD => "MPI_COMM_WORLD",
        SELF => "MPI_COMM_SELF",
        _ => "the processes of the job",
    };
    let queues = process.new_queues().expect("the table is empty");
    assert_eq!(queues.serial, serial, "the others rely on the numbers of predefined communicators");
    Arc::new(Comm::new(Parts {
        handle,
        queues,
        id: GlobalId { leader: if alone { me } else { Peer(0) }, count: process.next_leader_count() },
        rank: if alone { 0 } else { me.index() },
        group,
        remote: None,
        contexts: Contexts::Same(serial),
        attached: Arc::new(Attached::new(name, Errhandler::FATAL)),
    }))
}
