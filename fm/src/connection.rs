//! What an endpoint keeps about sending to one peer: the link, the credits, and what waits for either.

use crate::device::Link;
use crate::packet::{HandlerId, Header, Kind};
use std::collections::VecDeque;

/// The sending side towards one peer; lives under that peer's lock.
pub(crate) struct Connection {
    link: Box<dyn Link>,
    /// `None` when the device holds senders back by itself.
    credits: Option<Credits>,
    /// Packets that must not be refused and could not leave yet, in order. While any waits, no message starts.
    queue: VecDeque<(Header, Box<[u8]>)>,
    numbers: StreamNumbers,
    /// Whether the endpoint's list of peers with something pending names this one.
    pub(crate) listed: bool,
}

/// Which share of the credits a packet may use.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Share {
    /// All but the reserve: what a program starts by itself.
    Common,
    /// The reserve too: what a handler answers, so that answers leave even when the program's own sends starve.
    Reserved,
}

impl Connection {
    pub(crate) fn new(link: Box<dyn Link>, credits: Option<u16>) -> Self {
        Connection {
            link,
            credits: credits.map(Credits::new),
            queue: VecDeque::new(),
            numbers: StreamNumbers::default(),
            listed: false,
        }
    }

    /// Starts a message: refused while something that must not be overtaken waits.
    #[inline]
    pub(crate) fn start(&mut self, header: Header, len: usize, fill: impl FnOnce(&mut [u8])) -> bool {
        if !self.queue.is_empty() && !self.flush_queue() {
            return false;
        }
        self.packet(header, len, Share::Common, fill)
    }

    /// The same for a message whose bytes lie ready, of a device that counts no credits.
    #[inline]
    pub(crate) fn start_from(&mut self, header: Header, head: &[u8], body: &[u8]) -> bool {
        if self.credits.is_some() {
            return self.start_copy(header, head, body);
        }
        (self.queue.is_empty() || self.flush_queue()) && self.link.send(header, head, body)
    }

    #[inline(never)]
    fn start_copy(&mut self, header: Header, head: &[u8], body: &[u8]) -> bool {
        self.start(header, head.len() + body.len(), |room| {
            let (front, rest) = room.split_at_mut(head.len());
            front.copy_from_slice(head);
            rest.copy_from_slice(body);
        })
    }

    /// Sends one packet if credits and the device allow it.
    #[inline]
    pub(crate) fn packet(&mut self, mut header: Header, len: usize, share: Share, fill: impl FnOnce(&mut [u8])) -> bool {
        if let Some(credits) = &self.credits
            && !credits.enough(share)
        {
            return false;
        }
        let Some(room) = self.link.lend(len) else {
            return false;
        };
        debug_assert_eq!(room.len(), len);
        fill(room);
        if let Some(credits) = &mut self.credits {
            credits.have -= 1;
            header = header.with_credits(std::mem::take(&mut credits.owed));
        }
        self.link.commit(header);
        true
    }

    /// Sends a packet that must not be refused: at once if it can go, otherwise behind what waits already. Returns whether
    /// it went.
    pub(crate) fn insist(&mut self, header: Header, body: &[u8]) -> bool {
        let gone = (self.queue.is_empty() || self.flush_queue())
            && self.packet(header, body.len(), Share::Reserved, |room| room.copy_from_slice(body));
        if !gone {
            self.queue.push_back((header, body.into()));
        }
        gone
    }

    /// Sends what waits, as far as it can go. Returns whether nothing is left.
    pub(crate) fn flush(&mut self) -> bool {
        // Credits go back even if our own queue starves: the peer may be starving for them.
        let given_back = self.give_back();
        self.flush_queue() && given_back
    }

    #[inline(never)]
    fn flush_queue(&mut self) -> bool {
        while let Some((header, body)) = self.queue.pop_front() {
            if !self.packet(header, body.len(), Share::Reserved, |room| room.copy_from_slice(&body)) {
                self.queue.push_front((header, body));
                return false;
            }
        }
        true
    }

    /// The peer gave `credits` back.
    pub(crate) fn granted(&mut self, credits: u16) {
        if let Some(mine) = &mut self.credits {
            mine.have = mine.have.saturating_add(credits).min(mine.initial);
        }
    }

    /// A packet from the peer has been handled, so that its credit is owed. Returns false when a packet that gives credits
    /// back is due and could not leave.
    pub(crate) fn handled(&mut self) -> bool {
        if let Some(credits) = &mut self.credits {
            credits.owed += 1;
        }
        self.give_back()
    }

    /// Gives credits back in a packet of their own once half of them are owed: no traffic is there to carry them.
    fn give_back(&mut self) -> bool {
        let Some(credits) = &mut self.credits else {
            return true;
        };
        if credits.owed < credits.initial.div_ceil(2) {
            return true;
        }
        if self.link.lend(0).is_none() {
            return false;
        }
        let owed = std::mem::take(&mut credits.owed);
        self.link.commit(Header::new(HandlerId(0), Kind::Credits, 0).with_credits(owed));
        true
    }

    /// A stream number that no open stream towards this peer has.
    pub(crate) fn open_stream(&mut self) -> Option<u16> {
        self.numbers.take()
    }

    /// The stream's last packet has been sent or queued: packets of a pair keep their order, so the number is free again.
    pub(crate) fn close_stream(&mut self, number: u16) {
        self.numbers.free.push(number);
    }
}

/// Receive slots at the peer that are ours to fill, counted in packets.
struct Credits {
    initial: u16,
    have: u16,
    /// What we have handled of the peer's packets and not given back yet.
    owed: u16,
    reserve: u16,
}

impl Credits {
    fn new(initial: u16) -> Self {
        assert!(initial > 0, "a device that counts credits must offer at least one");
        Credits { initial, have: initial, owed: 0, reserve: (initial / 4).min(8) }
    }

    #[inline]
    fn enough(&self, share: Share) -> bool {
        match share {
            Share::Common => self.have > self.reserve,
            Share::Reserved => self.have > 0,
        }
    }
}

/// Numbers of open streams, the lowest first, so that the receiver's table stays small.
#[derive(Default)]
struct StreamNumbers {
    free: Vec<u16>,
    unused: u32,
}

impl StreamNumbers {
    fn take(&mut self) -> Option<u16> {
        self.free.pop().or_else(|| {
            let number = u16::try_from(self.unused).ok()?;
            self.unused += 1;
            Some(number)
        })
    }
}
