//! Connections whose bytes are encrypted.
//!
//! What goes over such a connection after the [`greeting`](crate::greeting) are records:
//!
//! ```text
//! length of the rest (4 bytes) │ up to 16 KiB, encrypted │ tag (16 bytes)
//! ```
//! The cipher is AES-256-GCM. Each direction has a key of its own, from the job's key and both nonces of the greeting, and counts its records;
//! the count is the cipher's nonce. So a record that was changed, left out, repeated or moved does not open, and neither does one of another
//! connection. After [`RECORDS_PER_KEY`] records the key is replaced by its hash: more bytes under one key would tell something of it.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};

/// Payload of a record. The receiver decrypts one while the sender encrypts the next.
const RECORD: usize = 16 << 10;
const TAG: usize = 16;
const LENGTH: usize = 4;
/// Records that are handed to the socket together.
const AT_ONCE: usize = 4;

/// A quarter of what is thought to be safe for records of this length (RFC 8446 section 5.5).
const RECORDS_PER_KEY: u64 = 1 << 22;

/// Where a direction's keys come from.
pub type Secret = [u8; 32];

/// Both directions of a connection.
pub struct Ciphers {
    pub sealing: Sealing,
    pub opening: Opening,
}

impl Ciphers {
    pub fn new(ours: Secret, theirs: Secret) -> Box<Self> {
        Box::new(Ciphers { sealing: Sealing::new(ours), opening: Opening::new(theirs) })
    }
}

/// The key of one direction, and how often it was used.
struct Cipher {
    key: LessSafeKey,
    secret: Secret,
    records: u64,
    records_per_key: u64,
}

impl Cipher {
    fn new(secret: Secret, records_per_key: u64) -> Self {
        Cipher { key: key(&secret), secret, records: 0, records_per_key }
    }

    /// The nonce of the next record.
    fn count(&mut self) -> Nonce {
        if self.records == self.records_per_key {
            *self = Cipher::new(*blake3::keyed_hash(&self.secret, b"the next key").as_bytes(), self.records_per_key);
        }
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&self.records.to_le_bytes());
        self.records += 1;
        Nonce::assume_unique_for_key(nonce)
    }
}

fn key(secret: &Secret) -> LessSafeKey {
    LessSafeKey::new(UnboundKey::new(&AES_256_GCM, secret).expect("a key of the cipher's length"))
}

/// The sending side: records on their way to the socket.
pub struct Sealing {
    cipher: Cipher,
    records: Vec<u8>,
    start: usize,
}

impl Sealing {
    pub fn new(secret: Secret) -> Self {
        Sealing { cipher: Cipher::new(secret, RECORDS_PER_KEY), records: Vec::new(), start: 0 }
    }

    /// What waits to go.
    pub fn waiting(&self) -> &[u8] {
        &self.records[self.start..]
    }

    /// So much of it has gone.
    pub fn gone(&mut self, bytes: usize) {
        self.start += bytes;
    }

    /// Makes records of the first of these bytes, when nothing waits. Returns of how many.
    pub fn seal(&mut self, plain: &[u8]) -> usize {
        debug_assert!(self.waiting().is_empty());
        self.records.clear();
        self.start = 0;
        for piece in plain.chunks(RECORD).take(AT_ONCE) {
            let length = ((piece.len() + TAG) as u32).to_le_bytes();
            self.records.extend_from_slice(&length);
            let at = self.records.len();
            self.records.extend_from_slice(piece);
            let nonce = self.cipher.count();
            let tag = self.cipher.key.seal_in_place_separate_tag(nonce, Aad::from(length), &mut self.records[at..]);
            self.records.extend_from_slice(tag.expect("a record is shorter than the cipher's limit").as_ref());
        }
        plain.len().min(RECORD * AT_ONCE)
    }
}

/// The receiving side: records as they come from the socket.
pub struct Opening {
    cipher: Cipher,
    records: Box<[u8]>,
    end: usize,
}

/// A record does not open.
#[derive(PartialEq, Eq, Debug)]
pub struct Forged;

impl Opening {
    pub fn new(secret: Secret) -> Self {
        let records = vec![0; (LENGTH + RECORD + TAG) * AT_ONCE].into();
        Opening { cipher: Cipher::new(secret, RECORDS_PER_KEY), records, end: 0 }
    }

    /// Where the socket's next bytes go.
    pub fn room(&mut self) -> &mut [u8] {
        &mut self.records[self.end..]
    }

    /// So many bytes have come there: hands on what the whole records among them hold.
    ///
    /// # Errors
    /// When there is one that was not sealed by the other side, or not as the next one.
    pub fn open(&mut self, bytes: usize, mut take: impl FnMut(&[u8])) -> Result<(), Forged> {
        self.end += bytes;
        let mut at = 0;
        while let Some(length) = self.records[at..self.end].first_chunk::<LENGTH>().copied() {
            let len = u32::from_le_bytes(length) as usize;
            if !(TAG + 1..=RECORD + TAG).contains(&len) {
                return Err(Forged);
            }
            let Some(record) = self.records[at + LENGTH..self.end].get_mut(..len) else { break };
            let nonce = self.cipher.count();
            take(self.cipher.key.open_in_place(nonce, Aad::from(length), record).map_err(|_| Forged)?);
            at += LENGTH + len;
        }
        self.records.copy_within(at..self.end, 0);
        self.end -= at;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: Secret = [3; 32];

    fn pair() -> (Sealing, Opening) {
        (Sealing::new(SECRET), Opening::new(SECRET))
    }

    /// Lets the bytes come in pieces of at most `piece`.
    fn arrive(opening: &mut Opening, mut bytes: &[u8], piece: usize) -> Result<Vec<u8>, Forged> {
        let mut plain = Vec::new();
        while !bytes.is_empty() {
            let room = opening.room();
            let (now, later) = bytes.split_at(piece.min(bytes.len()).min(room.len()));
            room[..now.len()].copy_from_slice(now);
            opening.open(now.len(), |piece| plain.extend_from_slice(piece))?;
            bytes = later;
        }
        Ok(plain)
    }

    #[test]
    fn what_is_sealed_opens_however_it_comes() {
        let bytes: Vec<u8> = (0..300_000u32).map(|at| (at % 253) as u8).collect();
        for piece in [1, 7, 4096, usize::MAX] {
            let (mut sealing, mut opening) = pair();
            let (mut at, mut plain) = (0, Vec::new());
            for len in [1, 30, RECORD, RECORD + 1, 65_536, 100_000] {
                let until = at + len;
                while at < until {
                    at += sealing.seal(&bytes[at..until]);
                    assert!(!sealing.waiting().windows(8).any(|window| window == &bytes[8..16]), "it can be read");
                    plain.extend(arrive(&mut opening, sealing.waiting(), piece).unwrap());
                    sealing.gone(sealing.waiting().len());
                }
            }
            assert!(plain == bytes[..at], "in pieces of {piece}");
        }
    }

    #[test]
    fn nothing_may_be_changed_repeated_or_left_out() {
        let (mut sealing, _) = pair();
        let records: Vec<Vec<u8>> = (0..3u8)
            .map(|number| {
                sealing.seal(&[number; 20]);
                let record = sealing.waiting().to_vec();
                sealing.gone(record.len());
                record
            })
            .collect();
        let opens = |records: &[&[u8]]| arrive(&mut pair().1, &records.concat(), usize::MAX).is_ok();
        assert!(opens(&[&records[0], &records[1], &records[2]]));
        assert!(!opens(&[&records[0], &records[0]]), "repeated");
        assert!(!opens(&[&records[0], &records[2]]), "left out");
        assert!(!opens(&[&records[1], &records[0]]), "moved");
        for at in 0..records[0].len() {
            let mut changed = records[0].clone();
            changed[at] ^= 1;
            // A length that became greater waits for more: so there is more.
            assert!(!opens(&[&changed, &records[1], &[0; RECORD]]), "byte {at}");
        }
        let mut other = Opening::new([4; 32]);
        assert_eq!(arrive(&mut other, &records[0], 100), Err(Forged), "the other direction's");
    }

    #[test]
    fn keys_are_replaced() {
        let (mut sealing, mut opening) = pair();
        sealing.cipher.records_per_key = 3;
        opening.cipher.records_per_key = 3;
        for number in 0..20u8 {
            sealing.seal(&[number]);
            let record = sealing.waiting().to_vec();
            sealing.gone(record.len());
            assert_eq!(arrive(&mut opening, &record, 100).unwrap(), [number]);
        }
        assert_ne!(sealing.cipher.secret, SECRET);
    }
}
