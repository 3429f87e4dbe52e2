//! From packets back to messages: the receiving side of an endpoint.

use crate::device::Inbox;
use crate::endpoint::Upcall;
use crate::packet::{Header, Kind, Peer};
use crate::stream::Receive;

/// The long messages that are arriving. Only the thread that extracts touches it.
pub(crate) struct Inbound {
    /// In the order of the endpoint's devices.
    pub(crate) inboxes: Vec<Box<dyn Inbox>>,
    pub(crate) streams: Streams,
    /// The device that the next extraction starts with: each gets its turn when budgets are short.
    pub(crate) first_device: usize,
}

/// By sender, then by stream number.
pub(crate) struct Streams(Box<[Vec<Option<Incoming>>]>);

struct Incoming {
    receive: Box<dyn Receive>,
    missing: u64,
}

impl Inbound {
    pub(crate) fn new(peers: u32, inboxes: Vec<Box<dyn Inbox>>) -> Self {
        Inbound { inboxes, streams: Streams((0..peers).map(|_| Vec::new()).collect()), first_device: 0 }
    }
}

impl Streams {
    /// Hands a packet's bytes to whom they belong. Returns whether a message started with it.
    #[inline]
    pub(crate) fn deliver(&mut self, upcall: &impl Upcall, from: Peer, header: Header, body: &[u8]) -> bool {
        if header.is_single() {
            upcall.message(from, header.handler(), body);
            return true;
        }
        self.deliver_part(upcall, from, header, body)
    }

    fn deliver_part(&mut self, upcall: &impl Upcall, from: Peer, header: Header, body: &[u8]) -> bool {
        match header.kind() {
            Kind::First => {
                let Some((total, rest)) = body.split_first_chunk() else {
                    upcall.violation(from, "the first packet of a long message is too short for its length");
                    return false;
                };
                let total = u64::from_le_bytes(*total);
                let receive = upcall.begin(from, header.handler(), total);
                let slot = self.slot(from, header.stream());
                if slot.is_some() {
                    upcall.violation(from, "a long message began on a stream that is still open");
                }
                *slot = Some(Incoming { receive, missing: total });
                self.piece(upcall, from, header.stream(), rest, false);
                true
            }
            Kind::Middle | Kind::Last => {
                self.piece(upcall, from, header.stream(), body, header.kind() == Kind::Last);
                false
            }
            Kind::Garbled => {
                upcall.violation(from, "a packet that cannot be read");
                false
            }
            Kind::Single | Kind::Credits => false,
        }
    }

    fn slot(&mut self, from: Peer, stream: u16) -> &mut Option<Incoming> {
        let streams = &mut self.0[from.index()];
        let index = usize::from(stream);
        if index >= streams.len() {
            streams.resize_with(index + 1, || None);
        }
        &mut streams[index]
    }

    fn piece(&mut self, upcall: &impl Upcall, from: Peer, stream: u16, bytes: &[u8], last: bool) {
        let slot = self.slot(from, stream);
        let Some(incoming) = slot else {
            return upcall.violation(from, "a packet continues a message that never began");
        };
        if bytes.len() as u64 > incoming.missing {
            return upcall.violation(from, "a message is longer than its sender announced");
        }
        incoming.missing -= bytes.len() as u64;
        if !bytes.is_empty() {
            incoming.receive.piece(bytes);
        }
        if (last || incoming.missing == 0)
            && let Some(incoming) = slot.take()
        {
            incoming.receive.end();
        }
    }
}
