//! What a connection begins with.
//!
//! ```text
//! caller                                        listener
//!                                          ◀──  Challenge: the protocol's name and version, a nonce
//!   Hello: proof, nonce, who, whom         ──▶
//!                                          ◀──  Answer: proof, "welcome" or "calling"
//! ```
//! From then on packets go both ways. A proof is a hash (BLAKE3 with the job's key) of all that was said so far. So the key itself is on
//! no wire, each side knows that the other one has it before it believes anything, and a greeting that somebody has recorded opens
//! nothing: the nonces are new each time.
//!
//! Two processes may call each other at the same time. Then the call of the one with the lower number counts: it answers the
//! other one's with [`BUSY`], and the other one answers its own with a welcome.

use crate::sealing::Secret;
use fm::Peer;

/// The job's key: random, known to its processes only.
#[derive(Clone, Copy)]
pub struct Key(pub [u8; 32]);

/// Name and version of the protocol. The version rises with every change of what goes over a connection.
const MAGIC: [u8; 8] = [b'H', b'P', b'V', b'M', b'i', b'p', 0, VERSION];
pub const VERSION: u8 = 2;

const PROOF: usize = blake3::OUT_LEN;
pub const NONCE: usize = 16;
pub const CHALLENGE: usize = MAGIC.len() + NONCE;
pub const HELLO: usize = PROOF + NONCE + 4 + 4;
pub const ANSWER: usize = PROOF + 8;
pub const WELCOME: [u8; 8] = *b"welcome\n";
pub const BUSY: [u8; 8] = *b"calling\n";

/// The first bytes of a listener.
pub fn challenge(nonce: [u8; NONCE]) -> [u8; CHALLENGE] {
    join(&[&MAGIC, &nonce])
}

/// Whether it speaks this protocol; why not.
pub fn check(challenge: &[u8; CHALLENGE]) -> Result<(), String> {
    let (name, version) = (&MAGIC[..7], challenge[7]);
    match challenge.starts_with(name) {
        true if version == VERSION => Ok(()),
        true => Err(format!("it speaks version {version} of this device's protocol, this library version {VERSION}: all ranks need the library of the same installation")),
        false => Err("who answers there is no rank: it does not speak this device's protocol".into()),
    }
}

/// What a caller says then.
pub fn hello(key: &Key, challenge: &[u8; CHALLENGE], nonce: [u8; NONCE], from: Peer, to: Peer) -> [u8; HELLO] {
    let said: [u8; HELLO - PROOF] = join(&[&nonce, &from.0.to_le_bytes(), &to.0.to_le_bytes()]);
    join(&[prove(key, b"caller", &[challenge, &said]).as_bytes(), &said])
}

/// Why a call is not answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stranger {
    WithoutKey,
    /// It has the key, but wants somebody else, or is nobody of the job.
    Lost,
}

/// Who calls process `me` of a job of `peers`. Nothing is looked at before the proof.
///
/// # Errors
/// When it is nobody of this job, or wants somebody else.
pub fn caller(key: &Key, challenge: &[u8; CHALLENGE], hello: &[u8; HELLO], me: Peer, peers: usize) -> Result<Peer, Stranger> {
    let (proof, said) = hello.split_at(PROOF);
    if prove(key, b"caller", &[challenge, said]) != *proof {
        return Err(Stranger::WithoutKey);
    }
    let word = |at: usize| Peer(u32::from_le_bytes(std::array::from_fn(|byte| said[at + byte])));
    let (from, to) = (word(NONCE), word(NONCE + 4));
    if to == me && from != me && from.index() < peers { Ok(from) } else { Err(Stranger::Lost) }
}

/// What it is answered: `word` is [`WELCOME`] or [`BUSY`].
pub fn answer(key: &Key, challenge: &[u8; CHALLENGE], hello: &[u8; HELLO], word: &[u8; 8]) -> [u8; ANSWER] {
    join(&[prove(key, b"listener", &[challenge, hello, word]).as_bytes(), word])
}

/// The word of an answer; `None` if it is not from who has the key.
pub fn answered(key: &Key, challenge: &[u8; CHALLENGE], hello: &[u8; HELLO], answer: &[u8; ANSWER]) -> Option<[u8; 8]> {
    let (proof, word) = answer.split_at(PROOF);
    (prove(key, b"listener", &[challenge, hello, word]) == *proof).then(|| join(&[word]))
}

/// What the keys of an encrypted connection come from: of the bytes that the caller sends, and of those that the listener sends.
pub fn secrets(key: &Key, challenge: &[u8; CHALLENGE], hello: &[u8; HELLO]) -> [Secret; 2] {
    [b"bytes of the caller".as_slice(), b"bytes of the listener"].map(|role| *prove(key, role, &[challenge, hello]).as_bytes())
}

/// Hashes are compared in a time that does not tell how much of them is the same.
fn prove(key: &Key, role: &[u8], said: &[&[u8]]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&key.0);
    hasher.update(role);
    for part in said {
        hasher.update(part);
    }
    hasher.finalize()
}

fn join<const LEN: usize>(parts: &[&[u8]]) -> [u8; LEN] {
    let mut bytes = [0; LEN];
    let mut at = 0;
    for part in parts {
        bytes[at..at + part.len()].copy_from_slice(part);
        at += part.len();
    }
    debug_assert_eq!(at, LEN);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: Key = Key([7; 32]);

    #[test]
    fn only_the_key_opens() {
        let challenge = challenge([1; NONCE]);
        let bytes = hello(&KEY, &challenge, [2; NONCE], Peer(3), Peer(1));
        let hears = |bytes: &[u8; HELLO], me, peers| caller(&KEY, &challenge, bytes, Peer(me), peers);
        assert_eq!(hears(&bytes, 1, 4), Ok(Peer(3)));
        assert_eq!(hears(&bytes, 2, 4), Err(Stranger::Lost), "somebody else was wanted");
        assert_eq!(hears(&bytes, 1, 3), Err(Stranger::Lost), "there is no such process");
        let itself = hello(&KEY, &challenge, [2; NONCE], Peer(1), Peer(1));
        assert_eq!(hears(&itself, 1, 4), Err(Stranger::Lost), "nobody calls itself");
        for index in 0..HELLO {
            let mut wrong = bytes;
            wrong[index] ^= 1;
            assert_eq!(hears(&wrong, 1, 4), Err(Stranger::WithoutKey), "byte {index}");
        }
        let other = super::challenge([3; NONCE]);
        assert_eq!(caller(&KEY, &other, &bytes, Peer(1), 4), Err(Stranger::WithoutKey), "what was recorded opens nothing");
    }

    /// The version, and the sum of a connection's bytes: of the greeting, of packets, plain and encrypted.
    const KNOWN: (u8, u64) = (2, 0x526c_ae4b_a61f_b013);

    #[test]
    fn a_changed_format_has_another_version() {
        use crate::frame::header;
        use crate::sealing::Sealing;
        use fm::{HandlerId, Header};

        let challenge = challenge([1; NONCE]);
        let hello = hello(&KEY, &challenge, [2; NONCE], Peer(3), Peer(1));
        let mut bytes = [&challenge[..], &hello, &answer(&KEY, &challenge, &hello, &WELCOME), &answer(&KEY, &challenge, &hello, &BUSY)].concat();
        let packet = header(Header::single(HandlerId(9)), 7_000);
        bytes.extend(packet);
        for secret in secrets(&KEY, &challenge, &hello) {
            let mut sealing = Sealing::new(secret);
            for _ in 0..2 {
                sealing.seal(&packet);
                bytes.extend(sealing.waiting());
                sealing.gone(sealing.waiting().len());
            }
        }
        // Without the version. FNV-1a.
        bytes.remove(7);
        let sum = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3));
        let found = (VERSION, sum);
        assert_eq!(found, KNOWN, "a connection looks different: raise VERSION, unless that has been done since the last release, and note {found:#x?} here");
    }

    #[test]
    fn who_answers_has_the_key_too() {
        let challenge = challenge([1; NONCE]);
        let hello = hello(&KEY, &challenge, [2; NONCE], Peer(3), Peer(1));
        let bytes = answer(&KEY, &challenge, &hello, &WELCOME);
        assert_eq!(answered(&KEY, &challenge, &hello, &bytes), Some(WELCOME));
        for index in 0..ANSWER {
            let mut wrong = bytes;
            wrong[index] ^= 1;
            assert_eq!(answered(&KEY, &challenge, &hello, &wrong), None, "byte {index}");
        }
        let [caller, listener] = secrets(&KEY, &challenge, &hello);
        assert!(caller != listener && caller != KEY.0 && secrets(&KEY, &super::challenge([2; NONCE]), &hello)[0] != caller);
        assert!(check(&challenge).is_ok() && check(&[0; CHALLENGE]).is_err_and(|why| why.contains("is no rank")));
        let mut other = challenge;
        other[7] = 77;
        assert!(check(&other).is_err_and(|why| why.contains("version 77 of") && why.contains(&format!("version {VERSION}:"))));
    }
}
