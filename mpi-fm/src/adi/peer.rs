//! What a process keeps for each other process it talks to.

use super::envelope::{Envelope, Words};
use crate::config::Settings;
use crate::handle::Handle;
use crate::tally::Traffic;
use fm::{HandlerId, ThreadLock, Threading};
use std::collections::VecDeque;

/// One other process.
pub struct PeerState {
    pub out: ThreadLock<Outgoing>,
    pub owed: ThreadLock<Owed>,
    /// Messages to the peer, counted under `out`. Those of a process to itself count as eager.
    pub sent: Traffic,
    /// Messages from the peer that were matched, counted under `owed`.
    pub received: Traffic,
}

/// The sending side.
pub struct Outgoing {
    /// Messages sent so far, wrapping.
    pub sequence: u32,
    /// How many eager messages, and bytes of them, may still be left with the peer before it has matched some.
    pub messages_left: u32,
    pub bytes_left: u64,
    /// What waits for room in the network, in order. While it is not empty, new messages go behind it.
    pub queue: VecDeque<Queued>,
    /// Bodies of large messages being pushed, first come first served.
    pub bulk: VecDeque<Bulk>,
    /// The peer is in the list of those with work to push.
    pub listed: bool,
}

/// A message that waits for room.
pub enum Queued {
    /// An eager message: its body is the request's memory.
    Eager { envelope: Envelope, request: Handle },
    /// A small message that is complete in itself.
    Control { handler: HandlerId, envelope: Envelope, words: Words },
}

/// A large message's body on its way.
pub struct Bulk {
    pub send: Handle,
    /// The receiver's request.
    pub receive: u32,
    pub offset: u64,
    pub end: u64,
}

/// The receiving side: budget that the peer gets back.
#[derive(Default)]
pub struct Owed {
    pub messages: u32,
    pub bytes: u64,
}

impl PeerState {
    pub fn new(threading: Threading, config: &Settings) -> PeerState {
        PeerState {
            out: ThreadLock::new(
                threading,
                Outgoing {
                    sequence: 0,
                    messages_left: config.unexpected_messages_max(),
                    bytes_left: config.unexpected_bytes_max(),
                    queue: VecDeque::new(),
                    bulk: VecDeque::new(),
                    listed: false,
                },
            ),
            owed: ThreadLock::new(threading, Owed::default()),
            sent: Traffic::default(),
            received: Traffic::default(),
        }
    }
}

impl Outgoing {
    pub fn has_work(&self) -> bool {
        !self.queue.is_empty() || !self.bulk.is_empty()
    }

    /// The number of the next message.
    #[inline]
    pub fn next_sequence(&mut self) -> u32 {
        let sequence = self.sequence;
        self.sequence = sequence.wrapping_add(1);
        sequence
    }

    /// Takes `bytes` from the budget for unexpected messages, if it lasts.
    #[inline]
    pub fn charge(&mut self, bytes: u64) -> bool {
        if self.messages_left == 0 || self.bytes_left < bytes {
            return false;
        }
        self.messages_left -= 1;
        self.bytes_left -= bytes;
        true
    }

    #[inline]
    pub fn refund(&mut self, messages: u32, bytes: u64) {
        self.messages_left += messages;
        self.bytes_left += bytes;
    }
}
