//! What the ranks of a job tell each other, and `hpvmrun`, has one version, which they compare before they believe anything else
//! (`hpvm_wire::names::VERSION`). Samples of it are taken here as they look on their way: who changes how one of them looks has to raise the version.

use std::os::fd::AsFd as _;
use std::sync::Arc;

use fm::claims::Ticket;
use fm::{Fm, HandlerId, Header, Peer, Threading};
use hpvm_smp::Smp;
use hpvm_wire::network::At;
use hpvm_wire::{Board, Descriptor, Net, Network, Place, StartUp, StatusLine, calls, names};
use hpvm_wire::status::{Snapshot, Waiting, What};
use mpi_fm::adi::envelope::{self, Announcement, Budget, Clearance, Envelope, Help, Invitation, Piece, Plane};
use mpi_fm::comm::create::Member;
use mpi_fm::comm::exchange::Record as _;
use mpi_fm_abi::foreign::card::Card;

/// The version, and the sum of the samples.
const KNOWN: (u32, u64) = (3, 0xb344_4393_361d_d74a);

#[test]
fn a_changed_format_has_another_version() {
    let samples = [("environment", environment()), ("network", network()), ("status", status()), ("card", card()), ("packets", packets()), ("messages", messages()), ("memory", memory())];
    let sums: Vec<(&str, u64)> = samples.iter().map(|(name, bytes)| (*name, sum(bytes))).collect();
    let all: Vec<u8> = samples.iter().flat_map(|(_, bytes)| bytes.clone()).collect();
    let found = (names::VERSION, sum(&all));
    assert_eq!(
        found, KNOWN,
        "what ranks and hpvmrun tell each other looks different: raise VERSION in launcher/wire/src/names.rs, unless that has been done since the last \
         release, and note {found:#x?} here; by kind: {sums:#x?}"
    );
}

/// FNV-1a.
fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3))
}

fn environment() -> Vec<u8> {
    let file = |fd| Descriptor { fd, inode: 90 + fd as u64 };
    let place = Place { rank: 3, size: 8, local_rank: 1, local_size: 4, node: 3, appnum: 2, universe_size: 16 };
    let start = StartUp { place, launcher_pid: 4711, mem: file(5), status: file(6), event: file(7), net: Some(Net { file: file(8), listener: file(9) }) };
    // The version itself is no part of what it is the version of.
    let variables = start.variables().into_iter().filter(|(name, _)| *name != names::WIRE_VERSION);
    variables.map(|(name, value)| format!("{name}={value}\n")).collect::<String>().into_bytes()
}

fn network() -> Vec<u8> {
    let peers = ["192.0.2.1:40123", "[2001:db8::7]:65535"].map(|address| At { node: 3, address: address.parse().unwrap() });
    Network { key: [0x6c; 32], encrypt: true, shared_memory: false, peers: peers.into() }.to_text().into_bytes()
}

/// A line as it lies on the board, and as it travels; and what the numbers of calls mean.
fn status() -> Vec<u8> {
    let waiting = Waiting { what: What::Collective, comm: 1, comm_id: [2, 3], comm_name: "name".into(), peer: 4, world: 5, tag: 6, operation: Some(7), others: 8, any: true, inter: true };
    let snapshot = Snapshot { waiting: waiting.to_words(), ..Snapshot::from_words(std::array::from_fn(|at| at as u32 + 1)) };
    let file = Board::create(2).unwrap();
    let board = Board::map(&file, 2).unwrap();
    board[1].show(&snapshot);
    let mut bytes = vec![0; 2 * StatusLine::SIZE];
    rustix::io::pread(&file, &mut bytes, 0).unwrap();
    bytes.extend(snapshot.to_words().iter().flat_map(|word| word.to_le_bytes()));
    bytes.extend((0..u16::MAX).map_while(calls::name).flat_map(|name| [name.as_bytes(), b"\n"].concat()));
    bytes
}

fn card() -> Vec<u8> {
    let text = format!("{},machine,{},40123,192.0.2.1/24!,2001:db8::7/64", names::VERSION, "0f".repeat(32));
    let card = Card::parse(&text).expect("this is how cards look").to_text();
    card.split_once(',').expect("a version first").1.into()
}

fn packets() -> Vec<u8> {
    let kinds = [Header::single(HandlerId(1)), Header::new(HandlerId(2), fm::packet::Kind::First, 3), Header::new(HandlerId(2), fm::packet::Kind::Last, 3).with_credits(4)];
    kinds.iter().flat_map(|header| header.to_bits().to_le_bytes()).collect()
}

fn messages() -> Vec<u8> {
    let handlers = [
        envelope::EAGER, envelope::READY_TO_SEND, envelope::CLEAR_TO_SEND, envelope::DATA, envelope::BUDGET, envelope::FETCHED, envelope::CANCEL, envelope::CANCELLED, envelope::HELP,
        envelope::HELPED,
    ];
    let mut bytes: Vec<u8> = handlers.iter().map(|handler| handler.0).collect();
    for plane in [Plane::PointToPoint, Plane::Collective, Plane::Partial, Plane::Partitioned] {
        bytes.extend(Envelope { comm: 1, plane, tag: -2, source: 3, sequence: 4 }.to_bytes());
    }
    for words in [
        Announcement { send: 1, bytes: 2, address: Some(3) }.words(),
        Announcement { send: 1, bytes: 2, address: None }.words(),
        Clearance::words(1, 2, 3),
        Piece::words(1, 2),
        Budget::words(1, 2),
    ] {
        bytes.extend(words.to_bytes());
    }
    bytes.extend(Invitation { send: 1, address: 2, bytes: 3, ticket: Ticket(4) }.to_bytes());
    bytes.extend(Help::to_bytes(Ticket(1), 2..3));
    let mut member = [0; Member::SIZE];
    Member { process: Peer(1), serial: 2, local_serial: 3, count: 4, colour: Some(5), key: 6 }.write(&mut member);
    bytes.extend(member);
    bytes
}

/// How large the memory of a node is, and where a first message lies in it.
fn memory() -> Vec<u8> {
    let mut bytes = Vec::new();
    for ranks in [2, 9, 33] {
        let memory = Smp::memory().unwrap();
        let peers: Vec<Peer> = (0..ranks).map(Peer).collect();
        let attach = |rank| Arc::new(Smp::attach(memory.as_fd(), rank, &peers, Threading::Single).unwrap());
        let (zero, _one) = (attach(0), attach(1));
        let fm = Fm::new(Peer(0), ranks, vec![zero], |_| 0, Threading::Single, false);
        assert!(fm.try_send(Peer(1), HandlerId(9), 5, |room| room.copy_from_slice(b"hello")));
        let size = rustix::fs::fstat(&memory).unwrap().st_size;
        bytes.extend(size.to_le_bytes());
        // Behind the control pages there are rings, of which the message's is one.
        let mut rings = vec![0; (ranks * ranks) as usize * 8 * 4096];
        let read = rustix::io::pread(&memory, &mut rings, u64::from(ranks) * 4096).unwrap();
        let at = rings[..read].windows(5).position(|window| window == b"hello").expect("a message in a ring");
        bytes.extend((at as u64).to_le_bytes());
        bytes.extend(&rings[at / 64 * 64..][..64]);
    }
    bytes
}
