//! A process of the job: everything the engine knows, in one value that is shared by reference.

use crate::adi::fetch::Copies;
use crate::adi::peer::PeerState;
use crate::adi::progress::Waiters;
use crate::attr::Keyvals;
use crate::bsend::BufferSlot;
use crate::coll::Form;
use crate::coll::running::Running;
use crate::coll::scratch::Spare;
use crate::comm::queues::Queues;
use crate::comm::{self, Comm};
use crate::config::{Config, Settings};
use crate::datatype::Datatypes;
use crate::error::{Error, Result};
use crate::handle::{Handle, Kind, Table};
use crate::host::Host;
use crate::objects::Attached;
use crate::op::Ops;
use crate::request::Requests;
use crate::tally::Totals;
use fm::board::Places;
use fm::{Fm, Park, Peer, ThreadLock, Threading};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

/// One rank. There is no other state: many of them live side by side in a test.
pub struct Process {
    pub fm: Fm,
    pub park: Arc<dyn Park>,
    pub host: Arc<dyn Host>,
    pub config: Settings,
    pub requests: Requests,
    /// The predefined datatypes.
    pub types: Datatypes,
    /// Communicators but for the predefined ones, by handle.
    pub comms: Table<Comm>,
    /// What those will carry that a nonblocking call is still making.
    pub(crate) comms_to_come: Mutex<HashMap<Handle, Arc<Attached>>>,
    /// Matching queues, by the numbers that messages carry.
    pub(crate) queues: Table<Queues>,
    /// Queues of communicators that are gone.
    pub(crate) retired_queues: Mutex<Vec<Arc<Queues>>>,
    pub keyvals: Keyvals,
    pub ops: Ops,
    world: OnceLock<Arc<Comm>>,
    own: OnceLock<Arc<Comm>>,
    bootstrap: OnceLock<Arc<Comm>>,
    peers: Box<[OnceLock<Box<PeerState>>]>,
    /// Peers with something to push.
    pub(crate) busy_peers: ThreadLock<VecDeque<Peer>>,
    /// Bodies to be copied between this process's memory and that of others.
    pub(crate) copies: Copies,
    /// Who holds it makes progress for all threads.
    pub(crate) progress_turn: ThreadLock<()>,
    pub(crate) waiters: Waiters,
    /// How many polls in a row have found nothing.
    pub(crate) vain_polls: AtomicU32,
    /// [`traffic`](Self::traffic) when the status line last said that this process asks.
    pub(crate) shown_traffic: AtomicU64,
    /// Buffer for buffered sends.
    pub buffer: BufferSlot,
    /// Nonblocking collectives under way.
    pub(crate) running: Running,
    /// Scratch memory for collectives.
    pub(crate) spare: Arc<Spare>,
    /// This process's parts of boards, if it shares memory with others.
    pub(crate) places: Option<Arc<Places>>,
    /// Communicators made so far with this process as leader.
    leader_count: AtomicU32,
}

impl Process {
    /// The process `fm.me()` of a job of `fm.peers()`, with its predefined communicators.
    pub fn new(fm: Fm, park: Arc<dyn Park>, host: Arc<dyn Host>, config: Config) -> Arc<Process> {
        let threading = fm.threading();
        let peers = (0..fm.peers()).map(|_| OnceLock::new()).collect();
        let process = Arc::new(Process {
            park,
            host,
            config: Settings::new(config),
            requests: Requests::new(threading),
            types: Datatypes::new(),
            comms: Table::new(Kind::Comm),
            comms_to_come: Mutex::default(),
            queues: Table::new(Kind::Comm),
            retired_queues: Mutex::default(),
            keyvals: Keyvals::new(),
            ops: Ops::new(),
            world: OnceLock::new(),
            own: OnceLock::new(),
            bootstrap: OnceLock::new(),
            peers,
            busy_peers: ThreadLock::new(threading, VecDeque::new()),
            copies: Copies::new(threading),
            progress_turn: ThreadLock::new(threading, ()),
            waiters: Waiters::default(),
            vain_polls: AtomicU32::new(0),
            shown_traffic: AtomicU64::new(0),
            buffer: BufferSlot::default(),
            running: Running::new(threading),
            spare: Arc::default(),
            places: fm.neighbours().map(|neighbours| Arc::new(Places::new(neighbours, fm.me()))),
            leader_count: AtomicU32::new(0),
            fm,
        });
        process.make_predefined();
        process
    }

    #[inline]
    pub fn me(&self) -> Peer {
        self.fm.me()
    }

    #[inline]
    pub fn threading(&self) -> Threading {
        self.fm.threading()
    }

    /// `MPI_COMM_WORLD`
    #[inline]
    pub fn world(&self) -> &Arc<Comm> {
        self.world.get().expect("made with the process")
    }

    /// `MPI_COMM_SELF`
    pub fn own(&self) -> &Arc<Comm> {
        self.own.get().expect("made with the process")
    }

    fn make_predefined(&self) {
        let world = comm::predefined(self, comm::WORLD, comm::WORLD_SERIAL);
        let own = comm::predefined(self, comm::SELF, comm::SELF_SERIAL);
        let bootstrap = comm::predefined(self, comm::BOOTSTRAP, comm::BOOTSTRAP_SERIAL);
        assert!(self.world.set(world).is_ok() && self.own.set(own).is_ok() && self.bootstrap.set(bootstrap).is_ok());
    }

    /// All processes of the job, for what goes on between processes that have no communicator yet. Programs do not see it.
    pub(crate) fn bootstrap(&self) -> &Arc<Comm> {
        self.bootstrap.get().expect("made with the process")
    }

    /// The communicator that a handle of the user names.
    ///
    /// # Errors
    /// `MPI_ERR_COMM` when it names none.
    #[inline]
    pub fn comm(&self, handle: Handle) -> Result<&Arc<Comm>> {
        match handle {
            comm::WORLD => Ok(self.world()),
            comm::SELF => Ok(self.own()),
            comm::NULL => Err(no_comm()),
            _ => self.comms.get(handle),
        }
    }

    /// For texts.
    pub fn describe_comm(&self, handle: Handle) -> String {
        self.comm(handle).map_or_else(|_| "a freed communicator".to_owned(), |comm| comm.describe())
    }

    #[inline]
    pub(crate) fn peer(&self, peer: Peer) -> &PeerState {
        self.peers[peer.index()].get_or_init(|| Box::new(PeerState::new(self.threading(), &self.config)))
    }

    /// Messages so far, by kind. May be asked for by any thread, while others send and receive.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for (index, peer) in self.peers.iter().enumerate() {
            let Some(peer) = peer.get() else { continue };
            if index == self.me().index() {
                totals.own += peer.sent.eager.total();
                continue;
            }
            totals.eager_sent += peer.sent.eager.total();
            totals.eager_received += peer.received.eager.total();
            totals.rendezvous_sent += peer.sent.rendezvous.total();
            totals.rendezvous_received += peer.received.rendezvous.total();
        }
        totals
    }

    /// A number that changes with each message, and with each blocking collective call, which may go by no message.
    pub(crate) fn traffic(&self) -> u64 {
        let Totals { own, eager_sent, eager_received, rendezvous_sent, rendezvous_received } = self.totals();
        let messages = [own, eager_sent, eager_received, rendezvous_sent, rendezvous_received].into_iter().map(|total| total.messages);
        let calls = |comm: &Arc<Comm>| u64::from(comm.calls(Form::Blocking));
        messages.sum::<u64>() + calls(self.world()) + self.comms.iter().map(|(_, comm)| calls(comm)).sum::<u64>()
    }

    /// This process's count of the communicators it leads, for the next one's global name.
    pub(crate) fn next_leader_count(&self) -> u32 {
        self.leader_count.fetch_add(1, Ordering::Relaxed)
    }
}

#[cold]
fn no_comm() -> Error {
    Error::new(crate::Class::COMM, "the communicator is MPI_COMM_NULL")
}
