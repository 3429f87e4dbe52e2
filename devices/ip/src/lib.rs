//! The device between nodes: TCP, and UDP beside it.
//!
//! Every process of the job listens; a connection is made by the first of two processes that has something for the other,
//! and serves both directions. Nothing blocks. Read in this order:
//!
//! 1. [`frame`]: packets as bytes of a connection.
//! 2. [`greeting`]: what a connection begins with, so that both sides know each other to be of the job. [`calling`] is the caller's half of
//!    it; [`strangers`] the listener's, of whom we do not know yet whose they are.
//! 3. [`sealing`]: bytes that nobody else can read, or change, if that is asked for.
//! 4. [`sending`]: one peer's sending side: the way to a connection, and the bytes that wait to go.
//! 5. [`gather`]: small packets that leave together.
//! 6. [`lane`]: short packets that go beside the connection, as datagrams.
//! 7. [`receiving`]: one connection's receiving side.
//! 8. [`link`] and [`inbox`]: the device's two sides, put together from these; [`shared`] is what they have in common.
//! 9. [`park`]: sleeping until a socket has something. [`loss`]: what is said of a network that does not carry.
//! 10. [`sys`]: the system calls.
//!
//! TCP itself holds a sender back whose receiver does not read, so FM counts no credits here.

#![deny(unsafe_code)]

mod calling;
mod frame;
#[cfg(fuzzing)]
pub mod fuzz;
mod gather;
mod greeting;
mod inbox;
mod lane;
mod link;
mod loss;
mod park;
mod receiving;
mod sealing;
mod sending;
mod shared;
mod strangers;
mod sys;

pub use frame::MAX_PACKET;
pub use greeting::Key;
pub use loss::Tell;
pub use park::IpPark;
pub use strangers::Log;

use fm::{Device, Inbox, Link, Peer};
use inbox::IpInbox;
use link::IpLink;
use shared::Shared;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use sys::Poller;

/// What a process has to know to reach the others, and to be reached.
pub struct Network {
    /// This process.
    pub me: Peer,
    /// The job's: whoever cannot prove to have it is dropped.
    pub key: Key,
    /// Whether what goes over the connections is encrypted: by all processes of the job, or by none.
    pub encrypt: bool,
    /// Where each process of the job listens, in the order of their numbers.
    pub addresses: Box<[SocketAddr]>,
    /// Our own listening socket.
    pub listener: TcpListener,
    /// How often a poll looks at the sockets: with 1 every time. More when most messages come by another device, whose polls
    /// would otherwise wait for a system call each.
    pub look_every: u32,
    /// Called once if a peer cannot be reached and the job is not ended for it.
    pub tell: Tell,
    /// Told of connections that were dropped because they are not of the job: of the first, the tenth, the hundredth and so on.
    pub log: Log,
}

/// An announcement's answer takes as long as copying so many bytes twice.
const UNASKED: usize = 64 << 10;

/// The TCP device of one process.
pub struct Ip {
    shared: Arc<Shared>,
    inbox: Mutex<Option<IpInbox>>,
}

impl Ip {
    /// Joins the job's network. No connection is made yet.
    ///
    /// # Errors
    /// When the listening socket cannot be watched.
    pub fn new(network: Network) -> io::Result<Ip> {
        let Network { me, key, encrypt, addresses, listener, look_every, tell, log } = network;
        let poller = Poller::new()?;
        let shared = Arc::new_cyclic(|this| Shared::new(this.clone(), poller, me, (key, encrypt), addresses, tell));
        let inbox = IpInbox::new(shared.clone(), listener, look_every, log)?;
        Ok(Ip { shared, inbox: Mutex::new(Some(inbox)) })
    }

    /// How a process waits whose only device this is, when the node's `processes` may use `cores` cores together.
    ///
    /// # Errors
    /// When there is no descriptor for it.
    pub fn park(&self, processes: usize, cores: usize) -> io::Result<IpPark> {
        IpPark::new(self.shared.clone(), processes, cores)
    }

    /// Readable when a socket has something: for a process that has other devices, too, and sleeps on all of them.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.shared.poller.descriptor()
    }

    /// How long a sleep that begins now may last.
    pub fn limit(&self) -> Option<Duration> {
        self.shared.limit()
    }
}

impl Device for Ip {
    fn name(&self) -> &'static str {
        "ip"
    }

    fn max_packet(&self) -> usize {
        MAX_PACKET
    }

    fn unasked_max(&self) -> usize {
        UNASKED
    }

    fn lands(&self) -> bool {
        true
    }

    fn credits(&self) -> Option<u16> {
        None
    }

    fn link(&self, to: Peer) -> Box<dyn Link> {
        Box::new(IpLink::new(self.shared.clone(), to))
    }

    fn inbox(&self) -> Box<dyn Inbox> {
        let inbox = self.inbox.lock().unwrap_or_else(PoisonError::into_inner).take();
        Box::new(inbox.expect("the receiving side is asked for once"))
    }
}
