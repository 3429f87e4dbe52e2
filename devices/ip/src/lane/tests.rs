use super::*;
use crate::receiving::{Receiving, Taken};
use crate::{Ip, Key, Network};
use fm::{Fm, HandlerId, Landing, Sink, Upcall};
use std::cell::RefCell;
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixStream;
use std::sync::atomic::AtomicU32;

const TOKEN: u64 = 0x1234_5678_9abc_def0;

fn packet(byte: u8) -> [u8; HEADER + 1] {
    let mut bytes = [byte; HEADER + 1];
    bytes[..HEADER].copy_from_slice(&frame::header(Header::single(HandlerId(1)), 1));
    bytes
}

/// A lane that leads to the socket beside it.
fn lane() -> (Lane, UdpSocket) {
    let [here, there] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
    here.connect(there.local_addr().unwrap()).unwrap();
    let end = End { socket: Arc::new(here.into()), token: 0 };
    (Lane { way: Way::Open(end, TOKEN), ..Lane::new() }, there)
}

fn heard(socket: &UdpSocket) -> (u32, u32, Vec<u8>) {
    let mut room = [0; ROOM];
    let count = socket.recv(&mut room).unwrap();
    let Datagram { number, come, body, .. } = parse(TOKEN, &room[..count]).unwrap();
    (number, come, body.to_vec())
}

#[test]
fn what_is_not_acknowledged_goes_by_the_connection_too() {
    let (mut lane, there) = lane();
    for byte in 0..3 {
        assert!(lane.takes(HEADER + 1) && lane.send([&packet(byte), &[], &[]], 40));
        assert_eq!(heard(&there), (u32::from(byte), 40, vec![byte]));
    }
    lane.acknowledged(1);
    lane.acknowledged(0);
    lane.acknowledged(9);
    let mut queue = Vec::new();
    lane.leaves(&mut queue);
    assert_eq!(queue, [&frame::number(1)[..], &packet(1), &packet(2)].concat());
    queue.clear();
    lane.leaves(&mut queue);
    assert!(queue.is_empty(), "what follows is numbered by its place");
    lane.acknowledged(4);
    assert!(!lane.takes(HEADER + 1), "it would overtake the last one");
    lane.acknowledged(5);
    assert!(lane.takes(LONGEST) && !lane.takes(LONGEST + 1) && lane.send([&packet(7), &[], &[]], 0));
    lane.acknowledged(6);
    lane.leaves(&mut queue);
    assert_eq!(queue, frame::number(6), "nothing is kept, but the number is not known there");
}

#[test]
fn a_lane_that_loses_is_left() {
    let (mut lane, _there) = lane();
    for _ in 0..LOST {
        assert!(lane.send([&packet(0), &[], &[]], 0) && lane.is_overdue(Duration::ZERO) && !lane.is_overdue(Duration::from_secs(60)));
        lane.rejoin(&mut Vec::new());
        lane.has_lost();
    }
    lane.come = lane.sent;
    assert!(!lane.takes(HEADER + 1) && !lane.is_overdue(Duration::ZERO));
    (lane.lost, lane.count) = (0, KEPT);
    assert!(!lane.takes(HEADER + 1), "so many are not kept");
}

#[test]
fn datagrams_of_others_are_nothing() {
    let bytes = [&TOKEN.to_le_bytes()[..], &[1, 0, 0, 0, 2, 0, 0, 0], &packet(3)].concat();
    let datagram = parse(TOKEN, &bytes).unwrap();
    assert_eq!((datagram.number, datagram.come, datagram.body), (1, 2, &[3][..]));
    assert!(parse(TOKEN ^ 1, &bytes).is_none(), "without the token");
    assert!((0..bytes.len()).all(|len| parse(TOKEN, &bytes[..len]).is_none()), "cut off");
    assert!(parse(TOKEN, &[&bytes[..], &[0]].concat()).is_none(), "too long");
    assert!(parse(TOKEN, &[&bytes[..HEAD], &frame::number(3)].concat()).is_none(), "no packet");
}

#[test]
fn what_has_come_is_not_taken_twice() {
    let (here, mut there) = UnixStream::pair().unwrap();
    let come: Arc<AtomicU32> = Arc::default();
    let mut receiving = Receiving::new(Arc::new(here.into()), None, Arc::clone(&come));
    let mut taken = |bytes: &[u8]| {
        there.write_all(bytes).unwrap();
        receiving.fill(Peer(1), &mut Nowhere);
        let mut all = Vec::new();
        while let Taken::Packet(_, body) = receiving.take() {
            all.push(body[0]);
        }
        all
    };
    assert_eq!(taken(&packet(0)), [0]);
    come.store(3, SeqCst);
    assert_eq!(taken(&[&frame::number(1)[..], &packet(1), &packet(2), &packet(3), &packet(4)].concat()), [3, 4]);
    assert_eq!(come.load(SeqCst), 5);
}

struct Nowhere;

impl Sink for Nowhere {
    fn packet(&mut self, _: Peer, _: Header, _: &[u8]) {}

    fn place(&mut self, _: Peer, _: Header, _: &[u8], _: usize) -> Option<Landing> {
        None
    }

    fn land(&mut self, _: Peer, _: Landing, _: usize, _: &mut dyn FnMut(&mut [u8]) -> usize) {}
}

/// Two processes, and what each has received.
struct Pair {
    shared: [Arc<Shared>; 2],
    fms: [Fm; 2],
    notes: [Notes; 2],
}

#[derive(Default)]
struct Notes(RefCell<Vec<Vec<u8>>>);

impl Upcall for Notes {
    fn message(&self, _: Peer, _: HandlerId, body: &[u8]) {
        self.0.borrow_mut().push(body.to_vec());
    }

    fn begin(&self, _: Peer, _: HandlerId, _: u64) -> Box<dyn fm::Receive> {
        panic!("no long message was sent")
    }
}

impl Pair {
    fn new(encrypt: bool) -> Pair {
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        let mut me = 0;
        let ips = listeners.map(|listener| {
            let (tell, log) = (Box::new(|_: Peer, what: &str| panic!("{what}")), Box::new(|what: &str| panic!("{what}")));
            let addresses = addresses.clone().into();
            me += 1;
            Ip::new(Network { me: Peer(me - 1), key: Key([3; 32]), encrypt, addresses, listener, look_every: 1, tell, log }).unwrap()
        });
        let shared = ips.each_ref().map(|ip| Arc::clone(&ip.shared));
        let mut me = 0;
        let fms = ips.map(|ip| {
            me += 1;
            Fm::new(Peer(me - 1), 2, vec![Arc::new(ip)], |_| 0, Threading::Single, false)
        });
        Pair { shared, fms, notes: Default::default() }
    }

    /// Process `from` sends, and the other one waits for it.
    #[track_caller]
    fn say(&self, from: usize, body: &[u8]) {
        let before = self.received(1 - from);
        self.send(from, body);
        self.await_at(1 - from, before + 1);
        assert_eq!(self.notes[1 - from].0.borrow().last().unwrap(), body);
    }

    fn send(&self, from: usize, body: &[u8]) {
        while !self.fms[from].try_send_from(Peer(1 - from as u32), HandlerId(0), &[], body) {
            self.fms[from].extract(8, &self.notes[from]);
        }
    }

    #[track_caller]
    fn await_at(&self, at: usize, count: usize) {
        let end = Instant::now() + Duration::from_secs(20);
        while self.received(at) < count {
            assert!(Instant::now() < end, "nothing comes");
            self.fms[at].extract(8, &self.notes[at]);
            // A call is answered by whoever is called.
            self.fms[1 - at].extract(8, &self.notes[1 - at]);
        }
    }

    fn talk(&self, turns: u8) {
        for turn in 0..turns {
            self.say(0, &[turn; 9]);
            self.say(1, &[turn; 10]);
        }
    }

    fn received(&self, at: usize) -> usize {
        self.notes[at].0.borrow().len()
    }

    fn has_lane(&self, of: usize) -> bool {
        matches!(self.shared[of].peers[1 - of].lock().lane.way, Way::Open(..))
    }

    fn kept(&self, of: usize) -> u32 {
        self.shared[of].peers[1 - of].lock().lane.count
    }
}

#[test]
fn who_speaks_in_turn_gets_a_lane() {
    let pair = Pair::new(false);
    pair.talk(3);
    assert!(!pair.has_lane(0), "a few words make none");
    pair.talk(40);
    assert!(pair.has_lane(0) && pair.has_lane(1));
    assert_eq!(pair.kept(1), 1, "nothing has answered the last one");
    pair.say(0, &[1; 40_000]);
    pair.say(1, &[2; 40_000]);
    pair.say(0, &[3; LONGEST]);
    pair.talk(5);
    assert_eq!(pair.kept(1), 1, "back on the lane after long ones");
    for fm in [1, 0] {
        while !pair.fms[fm].close() {}
    }
    assert_eq!(pair.kept(1), 0, "whoever leaves has sent everything by the connection");
    let encrypted = Pair::new(true);
    encrypted.talk(40);
    assert!(!encrypted.has_lane(0) && !encrypted.has_lane(1));
}

#[test]
fn what_is_lost_comes_by_the_connection() {
    let pair = Pair::new(false);
    pair.talk(40);
    let end = pair.shared[1].peers[0].lock().lane.end().unwrap().clone();
    let take_away = || while end.receive(&mut [0; ROOM]).is_some() {};
    for turn in 0..2 * LOST as u8 {
        let before = pair.received(1);
        pair.send(0, &[turn; 8]);
        take_away();
        pair.await_at(1, before + 1);
        assert_eq!(pair.notes[1].0.borrow().last().unwrap(), &[turn; 8]);
        pair.say(1, &[turn]);
    }
    // Several at once, of which the first is lost: the others wait for it.
    let before = pair.received(1);
    for turn in 0..3 {
        pair.fms[0].extract(1, &pair.notes[0]);
        pair.send(0, &[turn]);
        if turn == 0 {
            take_away();
        }
    }
    pair.await_at(1, before + 3);
    assert_eq!(pair.notes[1].0.borrow()[before..], [[0], [1], [2]]);
}
