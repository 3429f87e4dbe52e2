//! Both directions between this process and one peer.

use super::frame::Prefix;
use super::incoming::Incoming;
use super::outgoing::Outgoing;

/// A reliable connection, without the network: the caller carries frames and tells the time in nanoseconds since whenever.
pub struct Flow {
    /// Of this process.
    incarnation: u32,
    /// Of the peer, once it was heard of.
    peer: Option<u32>,
    outgoing: Outgoing,
    incoming: Incoming,
    heard_ns: u64,
    dropped: u64,
}

/// Why a frame was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// It is no frame of this protocol, or was changed on its way.
    Garbled,
    /// It comes from another process than the one this flow has been talking to.
    Stranger,
    /// It has come before.
    Repeated,
}

impl Flow {
    /// `incarnation` differs from that of any earlier process in this one's place.
    pub const fn new(incarnation: u32) -> Flow {
        Flow { incarnation, peer: None, outgoing: Outgoing::new(), incoming: Incoming::new(), heard_ns: 0, dropped: 0 }
    }

    /// Whether [`push`](Self::push) may be called.
    pub fn has_room(&self) -> bool {
        self.outgoing.has_room()
    }

    /// A buffer for the next packet.
    pub fn buffer(&mut self) -> Vec<u8> {
        self.outgoing.buffer()
    }

    /// Accepts a packet for delivery: FM header and payload.
    pub fn push(&mut self, packet: Vec<u8>) {
        self.outgoing.push(packet);
    }

    /// Puts the next frame that is to be sent now into `frame`. Returns false when there is none.
    pub fn transmit(&mut self, now_ns: u64, frame: &mut Vec<u8>) -> bool {
        let acknowledged = self.incoming.acknowledgement();
        let acknowledges = self.incoming.deadline_ns().is_some_and(|deadline_ns| deadline_ns <= now_ns);
        let due = self.outgoing.next_due(now_ns);
        if due.is_none() && !acknowledges {
            return false;
        }
        let prefix = Prefix { incarnation: self.incarnation, sequence: due.map(|(sequence, _)| sequence), acknowledged };
        frame.clear();
        frame.resize(Prefix::SIZE, 0);
        frame.extend_from_slice(due.map_or(&[], |(_, packet)| packet));
        prefix.write(frame);
        self.incoming.acknowledged();
        true
    }

    /// Takes a frame in. What it brought is then to be had by [`take`](Self::take).
    ///
    /// # Errors
    /// Why the frame was dropped.
    pub fn receive(&mut self, now_ns: u64, frame: &[u8]) -> Result<(), Refused> {
        let taken = self.accept(now_ns, frame);
        self.dropped += u64::from(taken.is_err());
        taken
    }

    fn accept(&mut self, now_ns: u64, frame: &[u8]) -> Result<(), Refused> {
        let (prefix, packet) = Prefix::read(frame).ok_or(Refused::Garbled)?;
        if *self.peer.get_or_insert(prefix.incarnation) != prefix.incarnation {
            return Err(Refused::Stranger);
        }
        self.heard_ns = now_ns;
        self.outgoing.acknowledged(now_ns, prefix.acknowledged);
        match prefix.sequence {
            Some(sequence) if !self.incoming.arrived(now_ns, sequence, packet) => Err(Refused::Repeated),
            _ => Ok(()),
        }
    }

    /// The next packet in order, if it is there; to be [given back](Self::give_back).
    pub fn take(&mut self) -> Option<Vec<u8>> {
        self.incoming.take()
    }

    /// Whether [`take`](Self::take) has something.
    pub fn is_ready(&self) -> bool {
        self.incoming.is_ready()
    }

    pub fn give_back(&mut self, packet: Vec<u8>) {
        self.incoming.give_back(packet);
    }

    /// When [`transmit`](Self::transmit) will have something unless a frame arrives before: 0 for at once.
    pub fn deadline_ns(&self) -> Option<u64> {
        [self.outgoing.deadline_ns(), self.incoming.deadline_ns()].into_iter().flatten().min()
    }

    /// All packets have been acknowledged.
    pub fn is_settled(&self) -> bool {
        self.outgoing.is_empty()
    }

    /// When a frame of the peer's came last.
    pub fn heard_ns(&self) -> u64 {
        self.heard_ns
    }

    /// Frames that were dropped.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }
}
