//! FM's packets as packets of a flow. One that is longer than a datagram goes as several, which come one behind the other, for a flow keeps the order; only
//! what is lost of it is repeated.
//!
//! The first of them begins with FM's header, which has the payload's length in its upper half: that half is the device's bits and those of FM's credits, of which
//! this device counts none.

use fm::{Header, Landing, Peer, Sink};

/// Bytes before the payload.
pub const HEADER: usize = Header::SIZE;

/// Largest payload.
pub const MAX_PACKET: usize = 64 << 10;

const LENGTH_SHIFT: u32 = 32;

/// The header of a packet of `len` bytes.
pub fn header(header: Header, len: usize) -> [u8; HEADER] {
    debug_assert!(len <= MAX_PACKET && header.credits() == 0);
    (header.to_bits() | (len as u64) << LENGTH_SHIFT).to_le_bytes()
}

/// How many pieces of `piece` bytes a packet of `len` bytes takes.
pub fn pieces(len: usize, piece: usize) -> usize {
    (HEADER + len).div_ceil(piece)
}

/// Header, length and the beginning of the payload; `None` for what no sender of ours writes.
fn parse(piece: &[u8]) -> Option<(Header, usize, &[u8])> {
    let (word, payload) = piece.split_first_chunk()?;
    let word = u64::from_le_bytes(*word);
    let len = (word >> LENGTH_SHIFT) as usize;
    let header = Header::from_bits(word & ((1 << LENGTH_SHIFT) - 1));
    (len <= MAX_PACKET && payload.len() <= len && !header.is_garbled()).then_some((header, len, payload))
}

/// A packet of which not all pieces have come.
#[derive(Default)]
pub struct Partial {
    state: State,
    /// Memory of the last one that was gathered.
    spare: Vec<u8>,
}

#[derive(Default)]
enum State {
    /// The next piece begins a packet.
    #[default]
    Between,
    Gathering { header: Header, len: usize, bytes: Vec<u8> },
    /// So many bytes of the payload have come to their place, or belong to nobody.
    Landing(Landing, usize),
}

impl Partial {
    /// The next piece has come. Returns how many packets were handed on, one that begins or ceases to go to its place among them.
    pub fn add(&mut self, from: Peer, piece: &[u8], sink: &mut dyn Sink) -> usize {
        let (state, handed_on) = match std::mem::take(&mut self.state) {
            State::Between => self.begin(from, piece, sink),
            State::Landing(landing, at) => land(from, landing, at, piece, sink),
            State::Gathering { header, len, mut bytes } => {
                bytes.extend_from_slice(&piece[..piece.len().min(len - bytes.len())]);
                if bytes.len() < len {
                    (State::Gathering { header, len, bytes }, 0)
                } else {
                    sink.packet(from, header, &bytes);
                    self.spare = bytes;
                    (State::Between, 1)
                }
            }
        };
        self.state = state;
        handed_on
    }

    fn begin(&mut self, from: Peer, piece: &[u8], sink: &mut dyn Sink) -> (State, usize) {
        let Some((header, len, payload)) = parse(piece) else {
            sink.packet(from, Header::GARBLED, &[]);
            return (State::Between, 1);
        };
        if payload.len() == len {
            sink.packet(from, header, payload);
            return (State::Between, 1);
        }
        if let Some(landing) = sink.place(from, header, payload, len) {
            let skip = landing.skip.min(payload.len());
            let (state, _) = land(from, landing, skip, &payload[skip..], sink);
            return (state, 1);
        }
        let mut bytes = std::mem::take(&mut self.spare);
        bytes.clear();
        bytes.reserve(len);
        bytes.extend_from_slice(payload);
        (State::Gathering { header, len, bytes }, 0)
    }
}

/// Puts bytes of the payload to their place, from `at` on.
fn land(from: Peer, landing: Landing, at: usize, bytes: &[u8], sink: &mut dyn Sink) -> (State, usize) {
    let end = (at + bytes.len()).min(landing.len);
    let mut now = at;
    while now < end {
        sink.land(from, landing, now, &mut |room| {
            let here = room.len().min(end - now);
            room[..here].copy_from_slice(&bytes[now - at..now - at + here]);
            now += here;
            here
        });
    }
    if end < landing.len { (State::Landing(landing, end), 0) } else { (State::Between, 1) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fm::HandlerId;

    /// Has a place for packets of odd handlers, of which two bytes belong to nobody.
    #[derive(Default)]
    struct Log {
        packets: Vec<(Header, Vec<u8>)>,
        landed: Vec<u8>,
    }

    impl Sink for Log {
        fn packet(&mut self, _: Peer, header: Header, body: &[u8]) {
            self.packets.push((header, body.to_vec()));
        }

        fn place(&mut self, _: Peer, header: Header, _: &[u8], len: usize) -> Option<Landing> {
            (header.handler().0 % 2 == 1).then_some(Landing { place: 7, skip: 2, len, offset: 0 })
        }

        fn land(&mut self, _: Peer, landing: Landing, at: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize) {
            assert_eq!((landing.place, at), (7, 2 + self.landed.len()));
            let mut room = [0; 33];
            let filled = fill(&mut room);
            self.landed.extend_from_slice(&room[..filled]);
        }
    }

    fn cut(handler: u8, payload: &[u8], piece: usize) -> Vec<Vec<u8>> {
        let whole = [&header(Header::single(HandlerId(handler)), payload.len())[..], payload].concat();
        let found: Vec<_> = whole.chunks(piece).map(<[u8]>::to_vec).collect();
        assert_eq!(found.len(), pieces(payload.len(), piece));
        found
    }

    #[test]
    fn packets_come_whole_or_to_their_place() {
        let payload: Vec<u8> = (0..1000u32).map(|at| (at * 7) as u8).collect();
        let (mut partial, mut log) = (Partial::default(), Log::default());
        let mut counts = Vec::new();
        for pieces in [cut(2, &payload, 100), cut(4, &payload[..92], 100), cut(3, &payload, 100), cut(5, b"short", 100), cut(2, &[], 100)] {
            counts.push(pieces.iter().map(|piece| partial.add(Peer(1), piece, &mut log)).sum::<usize>());
        }
        assert_eq!(counts, [1, 1, 2, 1, 1]);
        let bodies: Vec<_> = log.packets.iter().map(|(header, body)| (header.handler().0, body.len())).collect();
        assert_eq!(bodies, [(2, 1000), (4, 92), (5, 5), (2, 0)]);
        assert!(log.packets[0].1 == payload && log.landed == payload[2..]);
    }

    #[test]
    fn what_makes_no_sense_is_handed_on_as_such() {
        let (mut partial, mut log) = (Partial::default(), Log::default());
        for piece in [&[][..], &[1, 2, 3], &[0xff; 8], &[9, 1, 0, 0, 1, 0, 0, 0, 5, 5], &[0; 8]] {
            assert_eq!(partial.add(Peer(1), piece, &mut log), 1, "{piece:?}");
        }
        assert!(log.packets.len() == 5 && log.packets.iter().all(|(header, _)| header.is_garbled()));
    }
}
