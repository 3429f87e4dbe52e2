//! What goes over a connection after the handshake: records of Noise's transport, each with its length before it.
//!
//! The keys leave the process that shook hands, for the one that serves the job (`node/system`), so that the cipher is used here and not
//! through the handshake's library.

use chacha20poly1305::aead::{AeadInPlace as _, KeyInit as _};
use chacha20poly1305::{ChaCha20Poly1305, Nonce, Tag};

/// The keys of one connection, as one side has them.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    pub sending: [u8; 32],
    pub receiving: [u8; 32],
}

impl Session {
    pub const LENGTH: usize = 64;

    pub fn to_bytes(&self) -> [u8; Self::LENGTH] {
        let mut bytes = [0; Self::LENGTH];
        bytes[..32].copy_from_slice(&self.sending);
        bytes[32..].copy_from_slice(&self.receiving);
        bytes
    }

    pub fn from_bytes(bytes: &[u8; Self::LENGTH]) -> Self {
        let half = |at: usize| std::array::from_fn(|index| bytes[at + index]);
        Self { sending: half(0), receiving: half(32) }
    }
}

/// Keys are for nobody's eyes.
impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Session")
    }
}

/// So much of what is said goes into one record; Noise allows 65535 bytes with the tag.
const RECORD_MAX: usize = 32 << 10;
const TAG: usize = 16;

/// Both directions, each with its key and the number of its next record.
pub struct Sealed {
    sending: (ChaCha20Poly1305, u64),
    receiving: (ChaCha20Poly1305, u64),
}

impl std::fmt::Debug for Sealed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealed({} sent, {} received)", self.sending.1, self.receiving.1)
    }
}

impl Sealed {
    pub fn new(session: &Session) -> Self {
        let cipher = |key: &[u8; 32]| (ChaCha20Poly1305::new(key.into()), 0);
        Self { sending: cipher(&session.sending), receiving: cipher(&session.receiving) }
    }

    pub fn seal(&mut self, plain: &[u8], out: &mut Vec<u8>) {
        let (cipher, number) = &mut self.sending;
        for chunk in plain.chunks(RECORD_MAX) {
            out.extend_from_slice(&((chunk.len() + TAG) as u16).to_le_bytes());
            let start = out.len();
            out.extend_from_slice(chunk);
            // It refuses only what is longer than 256 GiB.
            let tag = cipher.encrypt_in_place_detached(&nonce(*number), &[], &mut out[start..]).expect("records are short");
            out.extend_from_slice(&tag);
            *number += 1;
        }
    }

    /// Takes whole records out of `raw`.
    pub fn open(&mut self, raw: &mut Vec<u8>, said: &mut Vec<u8>) -> Result<(), String> {
        let (cipher, number) = &mut self.receiving;
        let mut taken = 0;
        while let Some((length, rest)) = raw[taken..].split_first_chunk() {
            let length = usize::from(u16::from_le_bytes(*length));
            let Some(text) = length.checked_sub(TAG).filter(|text| *text <= RECORD_MAX) else { return Err(FORGED.into()) };
            let Some(record) = rest.get(..length) else { break };
            let start = said.len();
            said.extend_from_slice(&record[..text]);
            let tag = Tag::clone_from_slice(&record[text..]);
            if cipher.decrypt_in_place_detached(&nonce(*number), &[], &mut said[start..], &tag).is_err() {
                said.truncate(start);
                return Err(FORGED.into());
            }
            *number += 1;
            taken += 2 + length;
        }
        raw.drain(..taken);
        Ok(())
    }
}

const FORGED: &str = "what came was not encrypted with the key of this connection";

/// As Noise has it for ChaChaPoly: four zeros, then the number.
fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_le_bytes());
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pair() -> (Sealed, Sealed) {
        let session = Session { sending: [1; 32], receiving: [2; 32] };
        let other = Session { sending: [2; 32], receiving: [1; 32] };
        assert_eq!(Session::from_bytes(&session.to_bytes()), session);
        (Sealed::new(&session), Sealed::new(&other))
    }

    #[test]
    fn what_is_sealed_is_opened_however_it_is_cut() {
        let (mut one, mut other) = pair();
        let text: Vec<u8> = (0..100_000_u32).map(|number| number as u8).collect();
        let mut bytes = Vec::new();
        one.seal(&text, &mut bytes);
        one.seal(b"more", &mut bytes);
        let (mut raw, mut said) = (Vec::new(), Vec::new());
        for piece in bytes.chunks(777) {
            raw.extend_from_slice(piece);
            other.open(&mut raw, &mut said).unwrap();
        }
        assert!(said == [&text[..], b"more"].concat() && raw.is_empty());
    }

    #[test]
    fn a_record_that_is_repeated_or_changed_is_refused() {
        let (mut one, mut other) = pair();
        let mut bytes = Vec::new();
        one.seal(b"once", &mut bytes);
        let mut said = Vec::new();
        other.open(&mut bytes.clone(), &mut said).unwrap();
        assert!(other.open(&mut bytes.clone(), &mut said).is_err(), "repeated");
        for at in 2..bytes.len() {
            let (_, mut other) = pair();
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(other.open(&mut changed, &mut said).is_err(), "byte {at} changed");
        }
        assert_eq!(said, b"once");
    }

    proptest! {
        #[test]
        fn nothing_makes_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut said = Vec::new();
            let _ = pair().0.open(&mut bytes, &mut said);
            prop_assert!(said.is_empty());
        }
    }
}
