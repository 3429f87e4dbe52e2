//! The device between nodes that two networks join: UDP, over both of them.
//!
//! The networks are called X and Y, as the fabrics of ServerNet were. Nothing counts as delivered before its acknowledgement, so that nothing is lost when one
//! of them fails: what was on its way there goes by the other one. While both carry, both have traffic. What decides that is
//! [`fm::reliability`]; here is what it stands on. Read in this order:
//!
//! 1. [`card`]: what processes have to know of each other, and how they know each other's datagrams.
//! 2. [`sys`]: sockets, and datagrams that go through a system call together.
//! 3. [`packet`]: FM's packets as pieces that fit into datagrams.
//! 4. [`shared`]: a flow to each peer; [`outbox`]: its datagrams as trains.
//! 5. [`link`] and [`inbox`]: the device's two sides, put together from these.
//! 6. [`fault`]: faults on purpose.

mod card;
mod fault;
mod inbox;
mod link;
mod outbox;
mod packet;
mod shared;
mod sys;

pub use card::{Card, Key};
pub use fault::{Cuts, Plan};

use card::DATAGRAM_MIN;
use fm::{Device, Inbox, Link, Peer};
use inbox::ServernetInbox;
use link::ServernetLink;
use packet::MAX_PACKET;
use shared::{FABRICS, Shared};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use sys::{Pile, Socket, Train};

/// A process's ends of both fabrics, before it knows the others.
pub struct Ends {
    sockets: [Socket; FABRICS],
    card: Card,
}

/// Told of datagrams that were dropped: of the first, the tenth, the hundredth and so on.
pub type Log = Box<dyn Fn(&str) + Send + Sync>;

/// What a process has to know to reach the others.
pub struct Network {
    /// This process.
    pub me: Peer,
    /// The job's.
    pub key: Key,
    /// By peer, those that are to be reached by this device.
    pub peers: Vec<Option<Contact>>,
    /// How often a poll looks at the sockets: with 1 every time. More when most messages come by another device, whose polls
    /// would otherwise wait for a system call each.
    pub look_every: u32,
    /// Faults on purpose.
    pub faults: Option<Plan>,
    pub cuts: Arc<Cuts>,
    pub log: Log,
}

/// How a peer is reached.
#[derive(Clone, Debug)]
pub struct Contact {
    pub card: Card,
    /// In either network; twice the same where it is in one only.
    pub addresses: [IpAddr; FABRICS],
}

/// A test datagram is waited for as long as this.
const TEST_PATIENCE: Duration = Duration::from_secs(2);

impl Ends {
    /// Sockets that work on this machine. `reached` are some of the addresses that datagrams will go to: they say how large those may be.
    ///
    /// # Errors
    /// Why there can be none, or why they do not work.
    pub fn new(reached: &[IpAddr]) -> io::Result<Ends> {
        let sockets = [Socket::new()?, Socket::new()?];
        let mut incarnation = [0; 4];
        rustix::rand::getrandom(&mut incarnation, rustix::rand::GetRandomFlags::empty())?;
        let sizes = reached.iter().filter_map(|address| sys::datagram_max(SocketAddr::new(*address, 9)).ok());
        let datagram_max = sizes.min().unwrap_or(DATAGRAM_MIN).clamp(DATAGRAM_MIN, DATAGRAM_MAX) as u16;
        let ports = [sockets[0].port()?, sockets[1].port()?];
        let ends = Ends { card: Card { incarnation: u32::from_le_bytes(incarnation).max(1), ports, datagram_max }, sockets };
        ends.test()?;
        Ok(ends)
    }

    pub fn card(&self) -> Card {
        self.card
    }

    /// Whether either socket can be reached at all: from the other one, by way of this machine itself.
    fn test(&self) -> io::Result<()> {
        for (from, to) in [(0, 1), (1, 0)] {
            let (from, to) = (&self.sockets[from], &self.sockets[to]);
            let loopback = SocketAddr::new(IpAddr::from([127, 0, 0, 1]), to.port()?);
            let word = self.card.incarnation.to_le_bytes();
            from.send(&[Train { to: &from.address(loopback)?, bytes: &word, segment: word.len() }]);
            let mut pile = Pile::new();
            if !to.wait(TEST_PATIENCE) || !to.receive(&mut pile) {
                return Err(io::Error::other("a datagram from this machine to itself does not arrive"));
            }
        }
        Ok(())
    }
}

/// Larger ones would be no cheaper.
const DATAGRAM_MAX: usize = 16 << 10;

/// The device of one process.
pub struct Servernet {
    shared: Arc<Shared>,
    inbox: Mutex<Option<ServernetInbox>>,
}

impl Servernet {
    /// Joins the job's networks.
    ///
    /// # Errors
    /// When an address cannot be reached from these sockets, or descriptors are short.
    pub fn new(ends: Ends, network: Network) -> io::Result<Servernet> {
        let look_every = network.look_every;
        let shared = Arc::new(Shared::new(ends.sockets, ends.card, network)?);
        let inbox = ServernetInbox::new(shared.clone(), look_every);
        Ok(Servernet { shared, inbox: Mutex::new(Some(inbox)) })
    }

    /// Readable when a socket has something: for a process that sleeps.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.shared.poller.as_fd()
    }

    /// How long a sleep that begins now may last.
    pub fn limit(&self) -> Option<Duration> {
        let deadline_ns = self.shared.deadline_ns()?;
        Some(Duration::from_nanos(deadline_ns.saturating_sub(self.shared.now_ns())))
    }
}

impl Device for Servernet {
    fn name(&self) -> &'static str {
        "servernet"
    }

    fn max_packet(&self) -> usize {
        MAX_PACKET
    }

    fn unasked_max(&self) -> usize {
        MAX_PACKET
    }

    fn lands(&self) -> bool {
        true
    }

    fn credits(&self) -> Option<u16> {
        // The window of a flow holds senders back.
        None
    }

    fn link(&self, to: Peer) -> Box<dyn Link> {
        Box::new(ServernetLink::new(self.shared.clone(), to))
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::new(inbox.expect("the receiving side is asked for once"))
    }
}
