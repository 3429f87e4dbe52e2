//! What others have to know of a process, and what it makes of that: who may send to it.

use fm::Peer;
use std::fmt;
use std::str::FromStr;

/// The job's key: random, known to its processes only.
#[derive(Clone, Copy)]
pub struct Key(pub [u8; 32]);

/// What a process tells the others before any packet. It travels in a way that shows who has the job's key: what is derived from it counts as known to
/// the job's processes alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Card {
    /// Random: tells this process from others that had its ports.
    pub incarnation: u32,
    /// Of the sockets on either fabric.
    pub ports: [u16; 2],
    /// The largest datagram that leaves whole.
    pub datagram_max: u16,
}

/// Of the form of cards, datagrams and frames together.
const VERSION: &str = "servernet-1";

impl fmt::Display for Card {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Card { incarnation, ports: [x, y], datagram_max } = self;
        write!(f, "{VERSION} {incarnation} {x} {y} {datagram_max}")
    }
}

impl FromStr for Card {
    type Err = String;

    fn from_str(text: &str) -> Result<Card, String> {
        let words: Vec<&str> = text.split(' ').collect();
        let [VERSION, incarnation, x, y, datagram_max] = words[..] else { return Err(format!("{text:?} is not said by {VERSION}")) };
        let parsed = || Some(Card { incarnation: incarnation.parse().ok()?, ports: [x.parse().ok()?, y.parse().ok()?], datagram_max: datagram_max.parse().ok()? });
        let card = parsed().filter(|card| card.incarnation != 0 && card.ports.iter().all(|port| *port != 0));
        card.filter(|card| usize::from(card.datagram_max) >= DATAGRAM_MIN).ok_or_else(|| format!("{text:?} makes no sense"))
    }
}

/// Smaller ones would carry next to nothing: every IPv6 link takes 1,280 bytes.
pub const DATAGRAM_MIN: usize = 548;

/// Begins every datagram between two processes in one direction, and is known to nobody else: a stranger's datagrams are dropped unseen. It does not hide
/// anything, and who can read the network can read it: as with TCP, only `--encrypt` helps against that.
pub fn tag(key: &Key, from: (Peer, &Card), to: (Peer, &Card)) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new_keyed(&key.0);
    hasher.update(b"servernet datagrams");
    for (peer, card) in [from, to] {
        hasher.update(&peer.0.to_le_bytes()).update(&card.incarnation.to_le_bytes());
    }
    let hash = hasher.finalize();
    std::array::from_fn(|at| hash.as_bytes()[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    const CARD: Card = Card { incarnation: 77, ports: [40001, 40002], datagram_max: 1472 };

    #[test]
    fn a_card_is_read_as_it_was_written() {
        let text = CARD.to_string();
        assert_eq!(text.parse(), Ok(CARD));
        for wrong in ["", "servernet-2 77 40001 40002 1472", &text.replace("77", "0"), &text.replace("40001", "0"), &text.replace("1472", "40"), &text[..9]] {
            assert!(wrong.parse::<Card>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_direction_of_every_pair_has_its_own_tag() {
        let other = Card { incarnation: 78, ..CARD };
        let key = Key([3; 32]);
        let tags = [
            tag(&key, (Peer(0), &CARD), (Peer(1), &other)),
            tag(&key, (Peer(1), &other), (Peer(0), &CARD)),
            tag(&key, (Peer(0), &CARD), (Peer(2), &other)),
            tag(&key, (Peer(0), &other), (Peer(1), &other)),
            tag(&Key([4; 32]), (Peer(0), &CARD), (Peer(1), &other)),
        ];
        for (at, tag) in tags.iter().enumerate() {
            assert!(!tags[at + 1..].contains(tag), "{at}");
        }
    }
}
