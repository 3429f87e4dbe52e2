//! Messages longer than one packet.

use crate::connection::Share;
use crate::endpoint::Fm;
use crate::packet::{HandlerId, Header, Kind, Peer};

/// The receiving side of a long message: a state machine that is handed the message's bytes in order, in pieces that
/// need not be those of the sender.
pub trait Receive: Send {
    fn piece(&mut self, bytes: &[u8]);
    /// All bytes have been delivered. Not called when the sender is lost.
    fn end(self: Box<Self>);
}

/// The sending side of a long message, made by [`Fm::begin`]. Its packets may be mixed with those of other messages to
/// the same peer; the message starts, and has its place in the order, with the first piece that was taken.
///
/// A stream whose bytes have all been taken is complete by itself; one that is given up earlier must be
/// [`end`](Self::end)ed.
#[must_use = "a stream that is neither filled nor ended keeps its number"]
pub struct SendStream {
    to: Peer,
    handler: HandlerId,
    number: u16,
    total: u64,
    sent: u64,
    begun: bool,
}

/// The message's length opens its first packet.
const LENGTH_SIZE: usize = size_of::<u64>();

impl SendStream {
    pub(crate) fn new(to: Peer, handler: HandlerId, number: u16, total: u64) -> Self {
        SendStream { to, handler, number, total, sent: 0, begun: false }
    }

    pub fn to(&self) -> Peer {
        self.to
    }

    /// Bytes of the message that have been taken.
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes of the announced length that have not been taken.
    pub fn remaining(&self) -> u64 {
        self.total - self.sent
    }

    /// Sends as many of `bytes` as can leave now and returns how many that were. Their buffer may be reused at once.
    ///
    /// # Panics
    /// When `bytes` exceeds what remains of the announced length.
    pub fn piece(&mut self, fm: &Fm, bytes: &[u8]) -> usize {
        let mut taken = 0;
        while taken < bytes.len() {
            let rest = &bytes[taken..];
            match self.piece_with(fm, rest.len(), |room| room.copy_from_slice(&rest[..room.len()])) {
                0 => break,
                count => taken += count,
            }
        }
        taken
    }

    /// Sends one packet with at most `len` further bytes, which `fill` writes straight into the device's room: the way for
    /// gathered and strided data. Returns how many bytes the packet took; 0 means not now, and `fill` has not been called.
    ///
    /// # Panics
    /// When `len` is 0 or exceeds what remains of the announced length.
    pub fn piece_with(&mut self, fm: &Fm, len: usize, fill: impl FnOnce(&mut [u8])) -> usize {
        assert!(len > 0, "an empty piece");
        assert!(len as u64 <= self.remaining(), "more bytes than the message's announced length");
        let mut connection = fm.connection(self.to).lock();
        let most = fm.piece(self.to);
        let (taken, gone) = if self.begun {
            let taken = len.min(most);
            let last = taken as u64 == self.remaining();
            let header = self.header(if last { Kind::Last } else { Kind::Middle });
            (taken, connection.packet(header, taken, Share::Common, fill))
        } else {
            let taken = len.min(most - LENGTH_SIZE);
            let total = self.total.to_le_bytes();
            let gone = connection.start(self.header(Kind::First), LENGTH_SIZE + taken, |room| {
                let (length, body) = room.split_at_mut(LENGTH_SIZE);
                length.copy_from_slice(&total);
                fill(body);
            });
            (taken, gone)
        };
        if !gone {
            return 0;
        }
        if !self.begun {
            self.begun = true;
            fm.count_sent(self.handler);
        }
        self.sent += taken as u64;
        if self.sent == self.total {
            connection.close_stream(self.number);
        }
        taken
    }

    /// Ends the message. If fewer bytes were sent than announced, the receiver gets those.
    pub fn end(self, fm: &Fm) {
        let complete = self.begun && self.sent == self.total;
        if complete {
            return;
        }
        let mut connection = fm.connection(self.to).lock();
        let gone = if self.begun {
            connection.insist(self.header(Kind::Last), &[])
        } else {
            fm.count_sent(self.handler);
            let length = 0u64.to_le_bytes();
            connection.insist(self.header(Kind::First), &length)
        };
        connection.close_stream(self.number);
        if !gone {
            fm.list_pending(self.to, &mut connection);
        }
    }

    fn header(&self, kind: Kind) -> Header {
        Header::new(self.handler, kind, self.number)
    }
}
