//! What the links, the inbox and the park of one process share.

use crate::gather::Gatherings;
use crate::greeting::Key;
use crate::lane::{self, Kept};
use crate::loss::{Losses, Tell};
use crate::sending::Sending;
use crate::strangers;
use crate::sys::Poller;
use fm::{Peer, ThreadLock, Threading};
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;
use std::sync::Weak;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Distinguishes the poller's names of lanes.
pub const LANE: u64 = 1 << 61;

pub struct Shared {
    pub me: Peer,
    pub key: Key,
    /// Whether connections are encrypted.
    pub encrypt: bool,
    pub addresses: Box<[SocketAddr]>,
    pub poller: Poller,
    /// The sending side towards each peer, under its lock: both the link and the inbox move it on.
    pub peers: Box<[ThreadLock<Sending>]>,
    /// Links that were refused, would lend now, and have not been asked since.
    pub freed: AtomicUsize,
    /// Peers for whom something waits to be sent.
    pub unsent: AtomicUsize,
    pub gatherings: Gatherings,
    pub kept: Kept,
    /// This process has said that it leaves, and waits until it may: for the kernel and the flusher, who wake nobody.
    pub leaving: AtomicBool,
    /// Connections that have not shown yet whose they are.
    pub strangers: AtomicUsize,
    pub losses: Losses,
}

impl Shared {
    /// `this` is to become it.
    pub fn new(this: Weak<Shared>, poller: Poller, me: Peer, (key, encrypt): (Key, bool), addresses: Box<[SocketAddr]>, tell: Tell) -> Self {
        assert!(me.index() < addresses.len());
        // The flusher is a thread more than the program has.
        let peers = (0..addresses.len() as u32).map(|peer| ThreadLock::new(Threading::Multiple, Sending::new(Peer(peer))));
        Shared {
            me,
            key,
            encrypt,
            peers: peers.collect(),
            addresses,
            poller,
            freed: AtomicUsize::new(0),
            unsent: AtomicUsize::new(0),
            gatherings: Gatherings::new(this),
            kept: Kept::new(),
            leaving: AtomicBool::new(false),
            strangers: AtomicUsize::new(0),
            losses: Losses::new(tell),
        }
    }

    /// What the poller calls the connection with `peer`.
    pub fn token(&self, peer: Peer) -> u64 {
        u64::from(peer.0)
    }

    /// And that with its lane.
    pub fn lane_token(&self, peer: Peer) -> u64 {
        LANE | u64::from(peer.0)
    }

    /// How long a sleep that begins now may last.
    pub fn limit(&self) -> Option<Duration> {
        if self.losses.tell_old() {
            return Some(Duration::ZERO);
        }
        let strangers = (self.strangers.load(Relaxed) > 0).then_some(strangers::PATIENCE);
        let leaving = self.leaving.load(Relaxed).then_some(lane::PATIENCE);
        [self.losses.limit(), strangers, leaving].into_iter().flatten().min()
    }

    /// Sleeps until a socket has something, or `other` is readable.
    pub fn sleep(&self, other: BorrowedFd<'_>) {
        self.poller.sleep(other, self.limit());
    }
}
