//! Which process the other end is.
//!
//! Every frame names the incarnations of its sender and, as far as its sender knows, of its receiver. Packets are only sent to, and taken from, somebody who
//! knows both; who does not know the other one asks with a probe. So nothing that a process has sent reaches the next one in its peer's
//! place, and nothing from before a restart is taken for something from after it, however long the network has kept it.

/// The number of the first packet that a process sends. Close to the end of the number space for small incarnations, so that every test goes past it.
pub(super) const fn first_sequence(incarnation: u32) -> u32 {
    !incarnation
}

pub(super) struct Identity {
    mine: u32,
    /// Once known.
    peer: Option<u32>,
}

/// Whom a frame comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sender {
    /// The peer, which knows us. `is_new`: we did not know it.
    Peer { is_new: bool },
    /// Somebody in the peer's place who asks who we are.
    Asks,
    /// A later process than the peer we knew.
    Successor,
    /// An earlier process than the peer.
    Past,
    /// The peer, perhaps, which believes that it speaks with somebody who was in our place before.
    Mistaken,
}

impl Identity {
    pub(super) fn new(mine: u32, peer: Option<u32>) -> Identity {
        assert!(mine != 0 && peer != Some(0), "0 stands for a process that is not known");
        Identity { mine, peer }
    }

    pub(super) fn mine(&self) -> u32 {
        self.mine
    }

    pub(super) fn peer(&self) -> Option<u32> {
        self.peer
    }

    /// Looks at who has sent a frame, and to whom.
    pub(super) fn see(&mut self, from: u32, to: u32) -> Sender {
        match self.peer {
            Some(peer) if from < peer => Sender::Past,
            // Who is new and speaks to somebody from before us is too late, not later.
            Some(peer) if from > peer && (to == self.mine || to == 0) => Sender::Successor,
            _ if to == 0 => Sender::Asks,
            _ if to != self.mine => Sender::Mistaken,
            known => {
                self.peer = Some(from);
                Sender::Peer { is_new: known.is_none() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_names_both_is_the_peer() {
        let mut identity = Identity::new(5, None);
        assert_eq!(identity.see(7, 0), Sender::Asks);
        assert_eq!(identity.see(7, 4), Sender::Mistaken);
        assert_eq!(identity.peer(), None);
        assert_eq!(identity.see(7, 5), Sender::Peer { is_new: true });
        assert_eq!(identity.see(7, 5), Sender::Peer { is_new: false });
        assert_eq!(identity.see(6, 5), Sender::Past);
        assert_eq!(identity.see(8, 4), Sender::Mistaken);
        assert_eq!((identity.see(8, 5), identity.see(8, 0)), (Sender::Successor, Sender::Successor));
        assert_eq!(identity.peer(), Some(7));
    }
}
