//! The receiving side as FM sees it. Its poll is also what moves connections on: who calls, who answers, who has room again.

use crate::greeting::{self, Stranger};
use crate::receiving::{Receiving, Taken};
use crate::shared::{LANE, Shared};
use crate::strangers::{Log, PATIENCE, Strangers};
use crate::sys::{self, Flags, Moved, READ};
use fm::{Header, Inbox, Landing, Peer, Sink};
use rustix::io::Errno;
use std::cell::Cell;
use std::collections::VecDeque;
use std::io;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

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
    hot: Hot,
    /// Somebody about to sleep saw that a socket has something: the next poll looks all the same.
    seen: Cell<bool>,
}

/// Calls that may wait to be accepted, if the system allows so many.
const BACKLOG: i32 = 4096;

/// Calls that are accepted in a row: the job goes on meanwhile.
const CALLS: usize = 16;

/// Reads from a connection in a row, while a long packet is on its way.
const READS: usize = 4;

/// The poller's names for what is no peer's connection.
const LISTENER: u64 = 1 << 63;
const STRANGER: u64 = 1 << 62;

impl IpInbox {
    pub fn new(shared: Arc<Shared>, listener: TcpListener, look_every: u32, log: Log) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        // Who made it may not have thought of as many callers as a job has processes: one too many waits for a second.
        rustix::net::listen(&listener, BACKLOG)?;
        shared.poller.add(&listener, LISTENER, READ)?;
        Ok(IpInbox {
            listener,
            strangers: Strangers::new(shared.peers.len(), log),
            connections: shared.peers.iter().map(|_| None).collect(),
            ready: VecDeque::new(),
            events: Vec::new(),
            look_every: look_every.max(1),
            skip: 0,
            hot: Hot::default(),
            seen: Cell::new(false),
            shared,
        })
    }

    /// Sees to every socket that has something. Returns how often something has come to its place.
    fn look(&mut self, sink: &mut dyn Sink) -> usize {
        let mut landed = 0;
        if let Some(peer) = self.hot.first() {
            landed += self.read_hot(peer, sink);
            let came = landed > 0 || !self.ready.is_empty();
            if !self.hot.others_turn(came) {
                return landed;
            }
        }
        let mut events = std::mem::take(&mut self.events);
        self.shared.poller.ready(&mut events);
        for &(token, flags) in &events {
            if token == LISTENER {
                self.accept();
            } else if token & STRANGER != 0 {
                self.hear(token as u32);
            } else if token & LANE != 0 {
                landed += usize::from(self.read_lane(token as u32, sink));
            } else if (token as usize) < self.connections.len() {
                landed += usize::from(self.attend(token as u32, flags, sink));
            }
        }
        self.hot.found(&events);
        self.events = events;
        if self.strangers.count() > 0 {
            self.strangers.expire(&self.shared.poller, PATIENCE);
        }
        self.shared.strangers.store(self.strangers.count(), Relaxed);
        landed
    }

    fn accept(&mut self) {
        let poller = &self.shared.poller;
        for _ in 0..CALLS {
            match sys::accept(&self.listener) {
                Ok(socket) => self.strangers.add(socket, poller, |number| STRANGER | u64::from(number)),
                // Descriptors are short: one is to be had if a stranger goes.
                Err(Errno::MFILE | Errno::NFILE) if self.strangers.drop_oldest(poller) => {}
                Err(_) => return,
            }
        }
    }

    fn hear(&mut self, number: u32) {
        let shared = &*self.shared;
        let Some(heard) = self.strangers.hear(number, &shared.poller) else { return };
        match greeting::caller(&shared.key, &heard.challenge, &heard.said, shared.me, shared.peers.len()) {
            Ok(caller) => drop(shared.peers[caller.index()].lock().admit(shared, heard)),
            Err(Stranger::WithoutKey) => self.strangers.dropped(&heard.socket, "it does not have the job's key"),
            Err(Stranger::Lost) => self.strangers.dropped(&heard.socket, "it does not know whom it calls"),
        }
    }

    /// Something has happened at a peer's connection. Returns whether something has come to its place.
    fn attend(&mut self, peer: u32, flags: Flags, sink: &mut dyn Sink) -> bool {
        let shared = &*self.shared;
        let found: Option<(Arc<OwnedFd>, _, _)> = {
            let mut sending = shared.peers[peer as usize].lock();
            sending.answered(shared);
            if !flags.difference(READ).is_empty() {
                sending.flush(shared);
            }
            sending.socket().cloned().map(|socket| (socket, sending.take_opening(), Arc::clone(&sending.come)))
        };
        let Some((socket, opening, come)) = found else {
            // It is over, though something may have come before that is not delivered yet.
            self.connections[peer as usize].take_if(|connection| !connection.has_whole());
            return false;
        };
        self.connections[peer as usize].get_or_insert_with(|| Box::new(Receiving::new(socket, opening, come)));
        self.read(peer, sink)
    }

    /// Looks at one peer alone: there where its last packet came, and from time to time at the other way. Returns how often something has come to its place.
    #[inline]
    fn read_hot(&mut self, peer: u32, sink: &mut dyn Sink) -> usize {
        let Some(connection) = &self.connections[peer as usize] else { return 0 };
        let (by_lane, has_lane) = (connection.is_by_lane(), connection.has_lane());
        let first = if by_lane { self.read_lane(peer, sink) } else { self.read(peer, sink) };
        if first || !has_lane || !self.ready.is_empty() || !self.hot.is_other_way() {
            return usize::from(first);
        }
        usize::from(if by_lane { self.read(peer, sink) } else { self.read_lane(peer, sink) })
    }

    /// Delivers what has come by a peer's lane. Returns whether there was a packet.
    #[inline]
    fn read_lane(&mut self, peer: u32, sink: &mut dyn Sink) -> bool {
        let Some(connection) = self.connections.get_mut(peer as usize).and_then(Option::as_mut) else { return false };
        let Some((come, packet)) = connection.take_datagram() else { return false };
        self.shared.peers[peer as usize].lock().lane.acknowledged(come);
        let Some((header, body)) = packet else { return false };
        sink.packet(Peer(peer), header, if header.is_garbled() { &[] } else { body });
        true
    }

    /// Takes in what a peer's connection has. Returns whether something of it has come to its place.
    #[inline]
    fn read(&mut self, peer: u32, sink: &mut dyn Sink) -> bool {
        let shared = &*self.shared;
        let Some(connection) = &mut self.connections[peer as usize] else { return false };
        for _ in 0..READS {
            if connection.has_whole() {
                break;
            }
            match connection.fill(Peer(peer), sink) {
                Moved::Bytes(_) if connection.has_whole() => self.ready.push_back(peer),
                Moved::Bytes(_) => {}
                Moved::Later => break,
                ended => {
                    self.hot = Hot::default();
                    let mut sending = shared.peers[peer as usize].lock();
                    match ended {
                        Moved::Broken(errno) => sending.broken(shared, errno),
                        _ => sending.give_up(shared),
                    }
                    break;
                }
            }
            if !connection.awaits_more() {
                break;
            }
        }
        connection.has_landed()
    }

    /// Delivers what lies in memory, at most `budget` packets.
    fn deliver(&mut self, budget: usize, sink: &mut dyn Sink) -> usize {
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
                        let body = if header.is_garbled() { &[] } else { body };
                        sink.packet(Peer(peer), header, body);
                    }
                    Taken::Nothing => more = false,
                    Taken::Come(come) => self.shared.peers[peer as usize].lock().lane.acknowledged(come),
                    Taken::Lane(end) => {
                        let mut sending = self.shared.peers[peer as usize].lock();
                        sending.offered(&self.shared, end);
                        if let Some(end) = sending.lane.end() {
                            connection.set_lane(end.clone());
                        }
                    }
                    Taken::Nonsense => {
                        more = false;
                        delivered += 1;
                        self.shared.peers[peer as usize].lock().lose(&self.shared, "it is not spoken as agreed");
                        sink.packet(Peer(peer), Header::GARBLED, &[]);
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
        self.poll_to(budget, &mut Whole(deliver))
    }

    fn poll_to(&mut self, budget: usize, sink: &mut dyn Sink) -> usize {
        self.shared.gatherings.polled(&self.shared);
        let mut delivered = self.deliver(budget, sink);
        if delivered < budget {
            if self.skip > 0 && !self.seen.take() {
                self.skip -= 1;
                return delivered;
            }
            let landed = self.look(sink);
            let found = landed + self.deliver(budget - delivered, sink);
            // What came is often not alone.
            self.skip = if found > 0 { 0 } else { self.look_every - 1 };
            // What has come to its place in parts counts each time, whatever was asked for.
            delivered = (delivered + found).min(budget);
        }
        delivered
    }

    fn arrived(&self) -> bool {
        let ready = self.shared.poller.any_ready();
        self.seen.set(ready);
        ready || !self.ready.is_empty() || self.shared.freed.load(Relaxed) > 0
    }

    fn close(&mut self) -> bool {
        let shared = &*self.shared;
        shared.kept.look(shared, Duration::ZERO);
        // What is under way arrives, whether or not this process lives. What the kernel still has it gives up, if there is something here that
        // nobody has read: the device of a peer may have said something of its own.
        let under_way = || shared.peers.iter().all(|peer| peer.lock().is_under_way());
        let done = shared.unsent.load(Relaxed) == 0 && !shared.kept.is_any() && under_way();
        shared.leaving.store(!done, Relaxed);
        done
    }
}

/// Takes every packet whole.
struct Whole<'d>(&'d mut dyn FnMut(Peer, Header, &[u8]));

impl Sink for Whole<'_> {
    fn packet(&mut self, from: Peer, header: Header, body: &[u8]) {
        (self.0)(from, header, body);
    }

    fn place(&mut self, _: Peer, _: Header, _: &[u8], _: usize) -> Option<Landing> {
        None
    }

    fn land(&mut self, _: Peer, _: Landing, _: usize, _: &mut dyn FnMut(&mut [u8]) -> usize) {}
}

/// The peer that speaks, while only one does: its connection is read without asking the poller first, which would be another system call
/// between two messages.
#[derive(Default)]
struct Hot {
    peer: Option<u32>,
    /// It was the only one the last time.
    is_sure: bool,
    /// Looks at it alone.
    looks: u32,
}

/// After so many looks at one connection all have their turn; after more of them while something comes from it, which is not to wait for that.
const HOT_LOOKS: u32 = 16;
const HOT_LOOKS_BUSY: u32 = 64;

/// At each so many-th of them the way is looked at, too, by which the last packet did not come.
const OTHER_WAY: u32 = 4;

impl Hot {
    /// Whom to look at first.
    fn first(&self) -> Option<u32> {
        self.peer.filter(|_| self.is_sure)
    }

    /// It was looked at first, and something came: are the others, too?
    fn others_turn(&mut self, came: bool) -> bool {
        self.looks += 1;
        let turn = self.looks >= if came { HOT_LOOKS_BUSY } else { HOT_LOOKS };
        if turn {
            self.looks = 0;
        }
        turn
    }

    fn is_other_way(&self) -> bool {
        self.looks % OTHER_WAY == OTHER_WAY - 1
    }

    /// What the poller has found: one peer that speaks, twice in a row, is the one.
    fn found(&mut self, events: &[(u64, Flags)]) {
        let Some((token, _)) = events.first() else { return };
        let peer = *token as u32;
        let alone = |(token, flags): &(u64, Flags)| token & !LANE == u64::from(peer) && *flags == READ;
        if events.iter().all(alone) {
            self.is_sure = self.peer == Some(peer);
            self.peer = Some(peer);
        } else {
            *self = Hot::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::READ_WRITE;

    #[test]
    fn who_speaks_alone_is_looked_at_first() {
        let mut hot = Hot::default();
        hot.found(&[(3, READ)]);
        assert_eq!(hot.first(), None, "once is by chance");
        hot.found(&[]);
        hot.found(&[(3, READ)]);
        assert_eq!(hot.first(), Some(3));
        let looks = |hot: &mut Hot, came| (0..4 * HOT_LOOKS_BUSY).filter(|_| hot.others_turn(came)).count() as u32;
        assert_eq!(looks(&mut hot, false), 4 * HOT_LOOKS_BUSY / HOT_LOOKS, "others are not forgotten");
        assert_eq!(looks(&mut hot, true), 4, "while something comes neither");
        hot.found(&[(3 | LANE, READ), (3, READ)]);
        assert_eq!(hot.first(), Some(3), "by both ways");
        for others in [vec![(4, READ)], vec![(3, READ), (4, READ)], vec![(3, READ_WRITE)], vec![(LISTENER, READ)]] {
            let mut hot = Hot { peer: Some(3), is_sure: true, looks: 0 };
            hot.found(&others);
            assert_eq!(hot.first(), None);
        }
    }
}
