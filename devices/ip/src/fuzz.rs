//! What drives this device's parsers for the fuzz targets `tcp` and `records`: built with `--cfg fuzzing` only.

use crate::frame::{HEADER, LANE, MAX_PACKET, come, header, lane, number};
use crate::lane::parse;
use crate::greeting::{ANSWER, HELLO, Key, NONCE, Stranger, answered, caller, challenge, check, hello};
use crate::receiving::{Receiving, Taken};
use crate::sealing::{Opening, Sealing};
use crate::sys::Moved;
use fm::{HandlerId, Header, Landing, Peer, Sink};
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use std::sync::Arc;

const KEY: Key = Key([7; 32]);

/// The bytes of a connection: the first byte says which half of it they are and how it is cut, then they come.
pub fn run(data: &[u8]) {
    let Some((kind, data)) = data.split_first() else { return };
    if let Some(datagram) = parse(u64::from(*kind), data) {
        assert_eq!(datagram.body.len() + 16 + HEADER, data.len());
    }
    match kind & 1 {
        0 => greeting(data),
        _ => packets(usize::from(kind >> 1), data),
    }
}

pub fn seeds() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for len in [0, 5, 300, 20_000, 3] {
        packets.extend(header(Header::single(HandlerId(len as u8)), len));
        packets.extend(vec![1; len]);
    }
    packets.extend([&lane(9, 7)[..], &come(3), &number(4), &header(Header::single(HandlerId(1)), 1), &[1]].concat());
    let packets = |cut: u8| [&[cut << 1 | 1], &packets[..]].concat();
    let said = hello(&Key([8; 32]), &challenge([1; NONCE]), [2; NONCE], Peer(2), Peer(1));
    vec![[&[0, 2, 1, 0, 0], &said[..]].concat(), packets(0), packets(1), packets(100)]
}

/// Without the key nobody is let in, or believed; with it, only who is somebody and wants this process.
fn greeting(data: &[u8]) {
    let challenge = challenge([1; NONCE]);
    let ours = data.first_chunk().map(|said| check(said).is_ok());
    assert!(ours.is_none_or(|ours| ours == data.starts_with(&challenge[..8])));
    let (peer, rest) = data.split_first_chunk().map_or((0, data), |(word, rest)| (u32::from_le_bytes(*word), rest));
    let with_key = hello(&KEY, &challenge, [2; NONCE], Peer(peer), Peer(peer >> 8));
    let heard = caller(&KEY, &challenge, &with_key, Peer(1), 4);
    assert_eq!(heard, if peer >> 8 == 1 && peer < 4 && peer != 1 { Ok(Peer(peer)) } else { Err(Stranger::Lost) });
    if let Some(said) = rest.first_chunk::<HELLO>().filter(|said| **said != with_key) {
        assert_eq!(caller(&KEY, &challenge, said, Peer(1), 4), Err(Stranger::WithoutKey));
    }
    if let Some(said) = rest.first_chunk::<ANSWER>() {
        assert_eq!(answered(&KEY, &challenge, &with_key, said), None);
    }
}

/// Every byte of a packet goes to its handler or to its place, once.
fn packets(cut: usize, data: &[u8]) {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let Ok((ours, theirs)) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None) else { return };
    let mut receiving = Receiving::new(Arc::new(ours), None, Arc::default());
    let mut counts = Counts::default();
    let mut taken = 0;
    // In pieces of one size, which the system's socket takes at once.
    for piece in data.chunks(1 + cut * cut) {
        let mut sent = 0;
        while sent < piece.len() {
            sent += rustix::io::write(&theirs, &piece[sent..]).unwrap_or(0);
            if !drain(&mut receiving, &mut counts, &mut taken) {
                return;
            }
        }
    }
    assert!(taken + counts.landed <= data.len());
}

/// The records of an encrypted connection: those of its peer, whole or with a byte changed, and others. What was sealed arrives up to what is forged, and
/// nothing after that.
pub fn records(data: &[u8]) {
    const SECRET: [u8; 32] = [9; 32];
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let Ok((ours, theirs)) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, flags, None) else { return };
    let mut receiving = Receiving::new(Arc::new(ours), Some(Opening::new(SECRET)), Arc::default());
    let (mut sealing, mut counts) = (Sealing::new(SECRET), Counts::default());
    let (mut taken, mut said, mut forged, mut rest) = (0, 0, false, data);
    while let Some(([step, low, high], behind)) = rest.split_first_chunk() {
        let (piece, behind) = behind.split_at(behind.len().min(usize::from(u16::from_le_bytes([*low, *high % 8]))));
        rest = behind;
        let mut record = piece.to_vec();
        if *step > 0 {
            sealing.seal(piece);
            record = sealing.waiting().to_vec();
            sealing.gone(record.len());
        }
        let at = usize::from(*low) % record.len().max(1);
        match step {
            0 => forged |= !record.is_empty(),
            // A length that became greater waits for more.
            1 if !record.is_empty() => {
                record[at] ^= 1 + high / 8;
                forged = true;
            }
            _ => (),
        }
        said += if forged { 0 } else { piece.len() };
        // In two parts.
        let cut = record.len().min(usize::from(*step));
        for part in [&record[..cut], &record[cut..]] {
            let mut sent = 0;
            while sent < part.len() {
                sent += rustix::io::write(&theirs, &part[sent..]).unwrap_or(0);
                if !drain(&mut receiving, &mut counts, &mut taken) {
                    return assert!(taken <= said, "more was taken than was said");
                }
            }
        }
        assert!(taken <= said, "more was taken than was said");
    }
}

pub fn records_seeds() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for len in [0, 5, 300, 1000, 3] {
        packets.extend(header(Header::single(HandlerId(len as u8)), len));
        packets.extend(vec![1; len]);
    }
    let piece = |step: u8, bytes: &[u8]| [&[step], &(bytes.len() as u16).to_le_bytes()[..], bytes].concat();
    let (one, other) = packets.split_at(311);
    vec![
        piece(9, &packets),
        [piece(2, one), piece(200, other)].concat(),
        [piece(2, one), piece(1, other), piece(9, &packets)].concat(),
        [piece(2, one), piece(0, &[20, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20])].concat(),
        piece(0, &[0xff; 8]),
        [piece(3, &packets[..4]), piece(3, &packets[4..9]), piece(3, &[0xff; 20])].concat(),
    ]
}

/// Takes in what has come, as the inbox does. Returns whether it was understood.
fn drain(receiving: &mut Receiving, counts: &mut Counts, taken: &mut usize) -> bool {
    loop {
        if !receiving.has_whole() {
            match receiving.fill(Peer(2), counts) {
                Moved::Bytes(count) => assert!(count > 0),
                _ => return true,
            }
        }
        receiving.has_landed();
        receiving.awaits_more();
        loop {
            match receiving.take() {
                Taken::Packet(_, body) => {
                    assert!(body.len() <= MAX_PACKET);
                    *taken += HEADER + body.len();
                }
                Taken::Lane(_) => *taken += LANE,
                Taken::Come(_) => *taken += HEADER,
                Taken::Nothing => break,
                Taken::Nonsense => return false,
            }
        }
    }
}

/// Gives a place to packets whose handler has an odd number.
#[derive(Default)]
struct Counts {
    landed: usize,
}

impl Sink for Counts {
    fn packet(&mut self, _: Peer, _: Header, _: &[u8]) {}

    fn place(&mut self, _: Peer, header: Header, head: &[u8], len: usize) -> Option<Landing> {
        let skip = usize::from(head.first().copied()? & 31).min(head.len());
        (header.handler().0 & 1 == 1).then_some(Landing { place: 1, skip, len, offset: 0 })
    }

    fn land(&mut self, _: Peer, landing: Landing, at: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize) {
        assert!(at <= landing.len);
        let mut room = [0; 3000];
        let filled = fill(&mut room[..(landing.len - at).min(3000)]);
        assert!(filled <= landing.len - at);
        self.landed += filled;
    }
}
