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
    pub limit: Limit,
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

/// Up to which length messages travel with their envelope: what follows from settings that seldom change.
#[derive(Clone, Copy)]
pub struct Limit {
    pub bytes: u64,
    /// The same for bodies that are not one piece of memory, which nobody else can read.
    pub scattered_bytes: u64,
    /// [`Settings::version`] from which it follows.
    pub version: u32,
}

impl Limit {
    pub const UNKNOWN: Limit = Limit { bytes: 0, scattered_bytes: 0, version: u32::MAX };
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

/// The receiving side: budget that the peer gets back, in portions of a quarter.
pub struct Owed {
    quarter: Portion,
    /// What is missing to the next portion.
    missing: Portion,
}

/// Messages and bytes of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Portion {
    pub messages: u32,
    pub bytes: u64,
}

impl Owed {
    fn new(config: &Settings) -> Owed {
        let quarter = Portion {
            messages: (config.unexpected_messages_max() / 4).max(1),
            bytes: (config.unexpected_bytes_max() / 4).max(1),
        };
        Owed { quarter, missing: quarter }
    }

    /// A message of `bytes` was matched. Returns what is to be given back now.
    #[inline]
    pub fn add(&mut self, bytes: u64) -> Option<Portion> {
        self.missing.messages -= 1;
        if self.missing.messages > 0 && bytes < self.missing.bytes {
            self.missing.bytes -= bytes;
            return None;
        }
        Some(self.portion(bytes))
    }

    /// All that is owed, when a message of `bytes` has made it enough.
    #[cold]
    fn portion(&mut self, bytes: u64) -> Portion {
        let Portion { messages, bytes: missing } = std::mem::replace(&mut self.missing, self.quarter);
        Portion { messages: self.quarter.messages - messages, bytes: self.quarter.bytes - missing + bytes }
    }
}

impl PeerState {
    pub fn new(threading: Threading, config: &Settings) -> PeerState {
        PeerState {
            out: ThreadLock::new(
                threading,
                Outgoing {
                    limit: Limit::UNKNOWN,
                    sequence: 0,
                    messages_left: config.unexpected_messages_max(),
                    bytes_left: config.unexpected_bytes_max(),
                    queue: VecDeque::new(),
                    bulk: VecDeque::new(),
                    listed: false,
                },
            ),
            owed: ThreadLock::new(threading, Owed::new(config)),
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
        self.messages_left = self.messages_left.saturating_add(messages);
        self.bytes_left = self.bytes_left.saturating_add(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// Whatever is given back adds up to what was matched, at the latest when a quarter of either budget is owed.
    #[test]
    fn budget_comes_back_in_quarters() {
        let config = Config { unexpected_messages_max: 8, unexpected_bytes_max: 400, ..Config::DEFAULT };
        let mut owed = Owed::new(&Settings::new(config));
        assert_eq!(owed.add(10), None);
        assert_eq!(owed.add(20), Some(Portion { messages: 2, bytes: 30 }));
        assert_eq!(owed.add(100), Some(Portion { messages: 1, bytes: 100 }));
        assert_eq!(owed.add(99), None);
        assert_eq!(owed.add(250), Some(Portion { messages: 2, bytes: 349 }));
        assert_eq!(owed.add(0), None);
    }
}
