//! The device for fast networks: the Virtual Interface model, on libfabric.
//!
//! VIA gave a process the network card itself: *virtual interfaces* with queues of *descriptors* for sends and receives, *completion queues*,
//! *registered memory*. What a machine of today has of it is behind libfabric, whose providers drive InfiniBand, RoCE, EFA, Slingshot and
//! Omni-Path, and, so that it can be tried anywhere, TCP and shared memory. It is loaded when the program runs. Read in this order:
//!
//! 1. [`fabric`]: libfabric, as few safe calls as possible.
//! 2. [`provider`]: which of its providers carries.
//! 3. [`packet`]: packets as the fabric's messages.
//! 4. [`memory`]: registered slots, and the descriptors that go with them.
//! 5. [`vi`]: the sending side towards one peer; [`state`]: everything that the links and the inbox share.
//! 6. [`link`] and [`inbox`]: the device's two sides; [`sleep`]: how a process waits.
//! 7. [`loss`]: what is said of a network that does not carry. [`files`]: what must not stay behind.
//!
//! A posted receive is a credit: FM counts them ([`Device::credits`]), so that no message ever meets an empty queue. With VIA's reliable
//! delivery that broke the connection; with libfabric's it costs a buffer, or time.

pub mod fabric;
mod files;
mod inbox;
mod link;
mod loss;
mod memory;
mod packet;
pub mod provider;
mod sleep;
mod state;
mod vi;

pub use loss::Tell;
pub use provider::{Opened, Protocol, Wish};

use fm::{Device, Inbox, Link, Peer, ThreadLock, Threading};
use inbox::ViaInbox;
use link::ViaLink;
use loss::Losses;
use packet::FRONT;
use sleep::Watched;
use state::{SLOT, State};
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// What a process has to know of the others.
pub struct Network {
    /// This process.
    pub me: Peer,
    /// The job's: messages without it are dropped.
    pub tag: u32,
    /// Each process's address, from [`Opened::name`], in the order of their numbers; empty for one that is not reached by this device.
    pub names: Box<[Box<[u8]>]>,
    /// How often a poll asks the provider: with 1 every time. More when most messages come by another device.
    pub look_every: u32,
    /// Called once if a peer cannot be reached and the job is not ended for it.
    pub tell: Tell,
}

/// The device of one process.
pub struct Via {
    shared: Arc<ThreadLock<State>>,
    watched: Watched,
    peers: usize,
    look_every: u32,
}

/// For all processes to greet each other, where that is needed: they start at the same time, but a crowded machine takes its own.
const GREETING: Duration = Duration::from_secs(60);

impl Via {
    /// Joins the others, who join at the same time. With most providers no connection is made yet.
    ///
    /// # Errors
    /// When memory for packets is not to be had, or somebody does not come.
    pub fn new(opened: Opened, network: Network, threading: Threading) -> Result<Via, String> {
        let Network { me, tag, names, look_every, tell } = network;
        assert!(me.index() < names.len());
        let (peers, has_files) = (names.len(), opened.provider == files::PROVIDER);
        let mut state = State::new(opened.nic, me, tag, names, Losses::new(tell))?;
        if has_files {
            let met = state.meet(Instant::now() + GREETING);
            files::remove(state.name());
            met?;
        }
        let watched = Watched::new(state.descriptor()).map_err(|error| format!("no descriptor to wait at: {error}"))?;
        Ok(Via { shared: Arc::new(ThreadLock::new(threading, state)), watched, peers, look_every })
    }

    /// Readable when there is something to do, if [`limit`](Self::limit) was asked before.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.watched.descriptor()
    }

    /// How long a sleep that begins now may last.
    pub fn limit(&self) -> Option<Duration> {
        sleep::limit(&self.shared)
    }
}

impl Device for Via {
    fn name(&self) -> &'static str {
        "via"
    }

    fn max_packet(&self) -> usize {
        SLOT - FRONT
    }

    fn credits(&self) -> Option<u16> {
        Some(state::credits(self.peers))
    }

    fn link(&self, to: Peer) -> Box<dyn Link> {
        Box::new(ViaLink::new(self.shared.clone(), to))
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        Box::new(ViaInbox::new(self.shared.clone(), self.look_every))
    }
}
