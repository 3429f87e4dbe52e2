//! The receiving side as FM sees it. Its poll is also what moves connections on: who calls, who answers, who has room again.

use crate::greeting;
use crate::receiving::{Receiving, Taken};
use crate::shared::Shared;
use crate::strangers::Strangers;
use crate::sys::{self, Flags, Moved, READ};
use fm::{Header, Inbox, Peer};
use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

pub struct IpInbox {
    shared: Arc<Shared>,
    listener: TcpListener,
    strangers: Strangers,
    /// By peer; made when the connection is there.
    connections: Box<[Option<Box<Receiving>>]>,
    /// Peers of whom a packet lies in memory, whole. Nothing is read from them meanwhile.
    ready: VecDeque<u32>,
    /// What the last look found: kept for its memory.
    events: Vec<(u64, Flags)>,
    look_every: u32,
    /// Polls to come that do not look at the sockets.
    skip: u32,
    /// Somebody about to sleep saw that a socket has something: the next poll looks all the same.
    seen: Cell<bool>,
}

/// The poller's names for what is no peer's connection.
const LISTENER: u64 = 1 << 63;
const STRANGER: u64 = 1 << 62;

impl IpInbox {
    pub fn new(shared: Arc<Shared>, listener: TcpListener, look_every: u32) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        shared.poller.add(&listener, LISTENER, READ)?;
        Ok(IpInbox {
            listener,
            strangers: Strangers::default(),
            connections: shared.peers.iter().map(|_| None).collect(),
            ready: VecDeque::new(),
            events: Vec::new(),
            look_every: look_every.max(1),
            skip: 0,
            seen: Cell::new(false),
            shared,
        })
    }

    /// Sees to every socket that has something.
    fn look(&mut self) {
        let mut events = std::mem::take(&mut self.events);
        self.shared.poller.ready(&mut events);
        for &(token, flags) in &events {
            if token == LISTENER {
                self.accept();
            } else if token & STRANGER != 0 {
                self.hear(token as u32);
            } else if (token as usize) < self.connections.len() {
                self.attend(token as u32, flags);
            }
        }
        self.events = events;
    }

    fn accept(&mut self) {
        while let Some(socket) = sys::accept(&self.listener) {
            self.strangers.add(socket, &self.shared.poller, |number| STRANGER | u64::from(number));
        }
    }

    fn hear(&mut self, number: u32) {
        let shared = &*self.shared;
        let Some((socket, hello)) = self.strangers.hear(number, &shared.poller) else { return };
        if let Some(caller) = greeting::caller(&hello, &shared.key, shared.me, shared.peers.len()) {
            shared.peers[caller.index()].lock().admit(shared, socket);
        }
    }

    /// Something has happened at a peer's connection.
    fn attend(&mut self, peer: u32, flags: Flags) {
        let shared = &*self.shared;
        let socket: Option<Arc<OwnedFd>> = {
            let mut sending = shared.peers[peer as usize].lock();
            sending.answered(shared);
            if !flags.difference(READ).is_empty() {
                sending.flush(shared);
            }
            sending.socket().cloned()
        };
        let Some(socket) = socket else {
            // It is over, though something may have come before that is not delivered yet.
            self.connections[peer as usize].take_if(|connection| !connection.has_whole());
            return;
        };
        let connection = self.connections[peer as usize].get_or_insert_with(|| Box::new(Receiving::new(socket)));
        if connection.has_whole() {
            return;
        }
        match connection.fill() {
            Moved::Bytes(_) if connection.has_whole() => self.ready.push_back(peer),
            Moved::Bytes(_) | Moved::Later => {}
            Moved::End => shared.peers[peer as usize].lock().give_up(shared),
            Moved::Broken(errno) => shared.peers[peer as usize].lock().broken(shared, errno),
        }
    }

    /// Delivers what lies in memory, at most `budget` packets.
    fn deliver(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        let mut delivered = 0;
        while delivered < budget
            && let Some(peer) = self.ready.pop_front()
        {
            let Some(connection) = &mut self.connections[peer as usize] else { continue };
            let mut more = true;
            while more && delivered < budget {
                match connection.take() {
                    Taken::Packet(header, body) => {
                        delivered += 1;
                        // No sender of ours gives a packet that cannot be read a length, but another may.
                        let body = if header == Header::GARBLED { &[] } else { body };
                        deliver(Peer(peer), header, body);
                    }
                    Taken::Nothing => more = false,
                    Taken::Nonsense => {
                        more = false;
                        delivered += 1;
                        self.shared.peers[peer as usize].lock().lose(&self.shared, "it is not spoken as agreed");
                        deliver(Peer(peer), Header::GARBLED, &[]);
                    }
                }
            }
            if more && connection.has_whole() {
                self.ready.push_back(peer);
            }
        }
        delivered
    }
}

impl Inbox for IpInbox {
    fn poll(&mut self, budget: usize, deliver: &mut dyn FnMut(Peer, Header, &[u8])) -> usize {
        let mut delivered = self.deliver(budget, deliver);
        if delivered < budget {
            if self.skip > 0 && !self.seen.take() {
                self.skip -= 1;
                return delivered;
            }
            self.look();
            let found = self.deliver(budget - delivered, deliver);
            // What came is often not alone.
            self.skip = if found > 0 { 0 } else { self.look_every - 1 };
            delivered += found;
        }
        delivered
    }

    fn arrived(&self) -> bool {
        let ready = self.shared.poller.any_ready();
        self.seen.set(ready);
        ready || !self.ready.is_empty() || self.shared.freed.load(Relaxed) > 0
    }

    fn close(&mut self) -> bool {
        // What the kernel has it delivers, whether or not this process lives.
        self.shared.unsent.load(Relaxed) == 0
    }
}
