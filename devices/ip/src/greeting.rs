//! What a connection begins with.
//!
//! The caller sends a [`Hello`]: the job's key, who it is and whom it wants. Whoever listens answers [`WELCOME`], and from then
//! on packets go both ways, or it drops the connection: without the key it is nobody of this job.
//!
//! Two processes may call each other at the same time. Then the call of the one with the lower number counts: it answers the
//! other one's with [`BUSY`], and the other one answers its own with a welcome.

use fm::Peer;

/// The job's key: random, known to its processes only.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Key(pub [u8; 32]);

impl Key {
    /// Whether `other` is the same, in a time that does not tell how much of it is.
    fn matches(&self, other: &[u8; 32]) -> bool {
        self.0.iter().zip(other).fold(0, |differences, (a, b)| differences | (a ^ b)) == 0
    }
}

/// Name and version of the protocol.
const MAGIC: [u8; 8] = *b"HPVMip\0\x01";

pub const HELLO: usize = 8 + 32 + 4 + 4;
pub const ANSWER: usize = 8;
pub const WELCOME: [u8; ANSWER] = *b"welcome\n";
pub const BUSY: [u8; ANSWER] = *b"calling\n";

/// The first bytes of a caller.
pub fn hello(key: &Key, from: Peer, to: Peer) -> [u8; HELLO] {
    let mut bytes = [0; HELLO];
    bytes[..8].copy_from_slice(&MAGIC);
    bytes[8..40].copy_from_slice(&key.0);
    bytes[40..44].copy_from_slice(&from.0.to_le_bytes());
    bytes[44..].copy_from_slice(&to.0.to_le_bytes());
    bytes
}

/// Who calls; `None` if it is nobody of a job of `peers` processes with this key, or wants somebody else.
pub fn caller(bytes: &[u8; HELLO], key: &Key, me: Peer, peers: usize) -> Option<Peer> {
    let (magic, rest) = bytes.split_first_chunk()?;
    let (theirs, rest) = rest.split_first_chunk()?;
    let (from, to) = rest.split_first_chunk()?;
    let from = Peer(u32::from_le_bytes(*from));
    let to = Peer(u32::from_le_bytes(to.try_into().ok()?));
    let ours = *magic == MAGIC && key.matches(theirs) && to == me && from != me && from.index() < peers;
    ours.then_some(from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_key_opens() {
        let key = Key([7; 32]);
        let bytes = hello(&key, Peer(3), Peer(1));
        assert_eq!(caller(&bytes, &key, Peer(1), 4), Some(Peer(3)));
        assert_eq!(caller(&bytes, &key, Peer(2), 4), None, "somebody else was wanted");
        assert_eq!(caller(&bytes, &key, Peer(1), 3), None, "there is no such process");
        assert_eq!(caller(&hello(&key, Peer(1), Peer(1)), &key, Peer(1), 4), None, "nobody calls itself");
        for index in 0..40 {
            let mut wrong = bytes;
            wrong[index] ^= 1;
            assert_eq!(caller(&wrong, &key, Peer(1), 4), None, "byte {index}");
        }
    }
}
