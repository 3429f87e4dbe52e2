//! A process's endpoint: sending messages and extracting them.

use crate::packet::{HandlerId, Peer};
use crate::stream::Receive;

/// What a process does with the messages it extracts.
///
/// A handler never extracts and never waits. It may answer with at most one control message.
pub trait Upcall {
    /// A message that fits one packet: runs to completion on the device's own slot.
    fn message(&self, from: Peer, handler: HandlerId, body: &[u8]);

    /// The first packet of a longer message of `total` bytes. What is returned receives all its bytes, from the first on.
    fn begin(&self, from: Peer, handler: HandlerId, total: u64) -> Box<dyn Receive>;
}
