//! Pushing what waits for room in the network.

use super::envelope::{DATA, EAGER, Envelope, Piece, Words};
use super::peer::{Bulk, Outgoing, Queued};
use super::send::IN_PLACE_MIN;
use crate::process::Process;
use crate::status::Outcome;
use fm::{HandlerId, Peer};

impl Process {
    /// Sends a small message in order with those that wait.
    pub(crate) fn control(&self, out: &mut Outgoing, peer: Peer, handler: HandlerId, envelope: Envelope, words: Words) {
        if out.queue.is_empty() {
            self.reply(peer, handler, &enveloped(envelope, words));
        } else {
            out.queue.push_back(Queued::Control { handler, envelope, words });
            self.list(peer, out);
        }
    }

    /// Sends a message that is never refused, though it may have to wait for room.
    pub(crate) fn reply(&self, peer: Peer, handler: HandlerId, body: &[u8]) {
        self.fm.control(peer, handler, body);
        if self.fm.pending() {
            self.woken();
        }
    }

    /// There is something new to push to the peer.
    pub(crate) fn list(&self, peer: Peer, out: &mut Outgoing) {
        if self.relist(peer, out) {
            self.woken();
        }
    }

    /// Puts the peer into the list of those with work to push. Returns whether it was not there.
    fn relist(&self, peer: Peer, out: &mut Outgoing) -> bool {
        let listed = std::mem::replace(&mut out.listed, true);
        if !listed {
            self.busy_peers.lock().push_back(peer);
        }
        !listed
    }

    /// Pushes to every peer with work. Returns whether anything moved, or a peer turned out to have none left: whoever waits for that
    /// ([`has_work_to_push`](Self::has_work_to_push)) would otherwise go to sleep just when it has come true.
    #[inline]
    pub(crate) fn push_all(&self) -> bool {
        // Those that stay busy go behind these.
        let busy = self.busy_peers.lock().len();
        busy > 0 && self.push_to(busy)
    }

    /// Pushes to the first so many peers with work.
    fn push_to(&self, busy: usize) -> bool {
        let mut moved = false;
        for _ in 0..busy {
            let Some(peer) = self.busy_peers.lock().pop_front() else { break };
            self.peer(peer).out.lock().listed = false;
            moved |= self.push(peer);
            moved |= !self.peer(peer).out.lock().listed;
        }
        moved
    }

    /// Something waits for room in the network.
    pub(crate) fn has_work_to_push(&self) -> bool {
        !self.busy_peers.lock().is_empty() || self.fm.pending()
    }

    /// Pushes to one peer: first what waits in order, then pieces of large messages.
    pub(crate) fn push(&self, peer: Peer) -> bool {
        let mut done = smallvec::SmallVec::<[u32; 8]>::new();
        let mut moved = false;
        {
            let mut out = self.peer(peer).out.lock();
            while let Some(queued) = out.queue.front() {
                if !self.push_queued(peer, queued) {
                    break;
                }
                moved = true;
                if let Some(Queued::Eager { request, .. }) = out.queue.pop_front() {
                    done.push(request);
                }
            }
            if out.queue.is_empty() {
                moved |= self.push_bulk(peer, &mut out, &mut done);
            }
            if out.has_work() {
                // Nothing new: were it told, no thread would ever sleep while something waits.
                self.relist(peer, &mut out);
            }
        }
        for request in done {
            if !self.stretch_sent(request) {
                self.requests.complete(request, Outcome::EMPTY);
            }
        }
        moved
    }

    fn push_queued(&self, peer: Peer, queued: &Queued) -> bool {
        match queued {
            Queued::Control { handler, envelope, words } => {
                self.fm.control(peer, *handler, &enveloped(*envelope, *words));
                true
            }
            Queued::Eager { envelope, request } => {
                let Some(request) = self.requests.find(*request) else { return true };
                let inner = request.inner.lock();
                let bytes = inner.memory.len() as usize;
                if bytes as u64 >= IN_PLACE_MIN
                    && self.fm.sends_in_place(peer)
                    && let Some(body) = inner.memory.piece_at(0, bytes)
                {
                    return self.fm.try_send_from(peer, EAGER, &envelope.to_bytes(), body);
                }
                self.fm.try_send(peer, EAGER, Envelope::SIZE + bytes, |packet| {
                    let (head, body) = packet.split_at_mut(Envelope::SIZE);
                    envelope.write(head);
                    inner.memory.read_at(0, body);
                })
            }
        }
    }

    fn push_bulk(&self, peer: Peer, out: &mut Outgoing, done: &mut smallvec::SmallVec<[u32; 8]>) -> bool {
        let piece_max = self.fm.max_message(peer) - Words::SIZE;
        let in_place = self.fm.sends_in_place(peer);
        let mut packets = 0;
        while let Some(bulk) = out.bulk.front_mut() {
            // An empty stretch of a partitioned message is one piece, too.
            loop {
                if packets == self.config.push_packets() || !self.push_piece(peer, bulk, piece_max, in_place) {
                    return packets > 0;
                }
                packets += 1;
                if bulk.offset == bulk.end {
                    break;
                }
            }
            done.push(bulk.send);
            out.bulk.pop_front();
        }
        packets > 0
    }

    fn push_piece(&self, peer: Peer, bulk: &mut Bulk, piece_max: usize, in_place: bool) -> bool {
        let Some(request) = self.requests.find(bulk.send) else {
            bulk.offset = bulk.end;
            return true;
        };
        let inner = request.inner.lock();
        // The receiver has let it go by another answer than the one that asked for these bytes.
        if bulk.end > inner.memory.len() {
            bulk.offset = bulk.end;
            return true;
        }
        let len = (bulk.end - bulk.offset).min(piece_max as u64) as usize;
        let words = || Piece::words(bulk.receive, bulk.offset).to_bytes();
        let in_place = if in_place && len as u64 >= IN_PLACE_MIN { inner.memory.piece_at(bulk.offset, len) } else { None };
        let sent = match in_place {
            Some(body) => self.fm.try_send_from(peer, DATA, &words(), body),
            None => self.fm.try_send(peer, DATA, Words::SIZE + len, |packet| {
                let (head, body) = packet.split_at_mut(Words::SIZE);
                head.copy_from_slice(&words());
                inner.memory.read_at(bulk.offset, body);
            }),
        };
        if sent {
            bulk.offset += len as u64;
        }
        sent
    }
}

/// An envelope and the words after it, as one message.
fn enveloped(envelope: Envelope, words: Words) -> [u8; Envelope::SIZE + Words::SIZE] {
    let mut bytes = [0; Envelope::SIZE + Words::SIZE];
    envelope.write(&mut bytes);
    bytes[Envelope::SIZE..].copy_from_slice(&words.to_bytes());
    bytes
}
