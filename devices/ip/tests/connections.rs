//! Connections: who is let in, what happens when two processes call each other, what garbage can do, and how they end.

use fm::{Fm, HandlerId, Landing, Park, Peer, Receive, Threading, Upcall};
use hpvm_ip::{Ip, IpPark, Key, Network};
use std::cell::RefCell;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Barrier, Mutex};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

const KEY: Key = Key([0x17; 32]);

/// What an endpoint has told of losses.
type Told = Receiver<(Peer, String)>;

struct Node {
    fm: Fm,
    park: IpPark,
    address: SocketAddr,
    told: Told,
    /// What it said of strangers.
    log: Receiver<String>,
}

fn nodes(count: u32) -> Vec<Node> {
    let listeners: Vec<_> = (0..count).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    (0..).zip(listeners).map(|(me, listener)| node(me, listener, &addresses, false)).collect()
}

fn node(me: u32, listener: TcpListener, addresses: &[SocketAddr], encrypt: bool) -> Node {
    let (sender, told) = channel();
    let tell = Box::new(move |peer, what: &str| sender.send((peer, what.to_owned())).unwrap());
    let (logger, log) = channel();
    // Who does not care what is said of strangers has dropped the other end.
    let logger = Mutex::new(logger);
    let say = Box::new(move |what: &str| drop(logger.lock().unwrap().send(what.to_owned())));
    let network = Network { me: Peer(me), key: KEY, encrypt, addresses: addresses.into(), listener, look_every: 1, tell, log: say };
    let ip = Ip::new(network).unwrap();
    let park = ip.park(1, 1).unwrap();
    let fm = Fm::new(Peer(me), addresses.len() as u32, vec![Arc::new(ip)], |_| 0, Threading::Single, false);
    Node { fm, park, address: addresses[me as usize], told, log }
}

#[derive(Default)]
struct Notes {
    received: RefCell<Vec<(Peer, Vec<u8>)>>,
    violations: RefCell<u32>,
}

impl Upcall for Notes {
    fn message(&self, from: Peer, _: HandlerId, body: &[u8]) {
        self.received.borrow_mut().push((from, body.to_vec()));
    }

    fn begin(&self, _: Peer, _: HandlerId, _: u64) -> Box<dyn Receive> {
        panic!("no long message was sent")
    }

    fn violation(&self, _: Peer, _: &str) {
        *self.violations.borrow_mut() += 1;
    }
}

impl Node {
    fn send(&self, to: u32, bytes: &[u8]) {
        assert!(self.fm.try_send(Peer(to), HandlerId(0), bytes.len(), |room| room.copy_from_slice(bytes)));
    }
}

/// Extracts everywhere until `done`.
#[track_caller]
fn until(nodes: &[&Node], notes: &Notes, done: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < end, "nothing happens");
        for node in nodes {
            node.fm.extract(8, notes);
        }
        std::thread::yield_now();
    }
}

const CHALLENGE: usize = 24;
const ANSWER: usize = 40;

/// What a caller says to a challenge.
fn hello(challenge: &[u8], key: Key, from: u32, to: u32) -> Vec<u8> {
    let said = [[7; 16].as_slice(), &from.to_le_bytes(), &to.to_le_bytes()].concat();
    let proof = blake3::keyed_hash(&key.0, &[b"caller", challenge, &said].concat());
    [proof.as_bytes().as_slice(), &said].concat()
}

/// Calls `node` and hears its challenge.
#[track_caller]
fn call(node: &Node) -> (TcpStream, Vec<u8>) {
    let mut call = TcpStream::connect(node.address).unwrap();
    let challenge = hear(node, &mut call, CHALLENGE);
    assert_eq!(challenge.len(), CHALLENGE);
    (call, challenge)
}

/// What a caller hears while `node` looks: so many bytes, or fewer before the end.
#[track_caller]
fn hear(node: &Node, call: &mut TcpStream, bytes: usize) -> Vec<u8> {
    call.set_nonblocking(true).unwrap();
    let (end, mut heard) = (Instant::now() + Duration::from_secs(20), Vec::new());
    while heard.len() < bytes {
        node.fm.extract(8, &Notes::default());
        let mut piece = vec![0; bytes - heard.len()];
        match call.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => heard.extend_from_slice(&piece[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => assert!(Instant::now() < end, "nothing is said"),
            Err(_) => break,
        }
    }
    call.set_nonblocking(false).unwrap();
    heard
}

/// A stranger who says this to the challenge is not answered.
#[track_caller]
fn is_dropped(node: &Node, says: impl Fn(&[u8]) -> Vec<u8>) {
    let (mut call, challenge) = call(node);
    call.write_all(&says(&challenge)).unwrap();
    assert_eq!(hear(node, &mut call, 1), [], "an answer");
}

#[test]
fn who_does_not_have_the_key_is_dropped() {
    let nodes = nodes(2);
    let mut other = KEY;
    other.0[31] ^= 1;
    is_dropped(&nodes[0], |challenge| hello(challenge, other, 1, 0));
    is_dropped(&nodes[0], |_| b"GET / HTTP/1.1\r\nHost: somewhere\r\nAccept: */*\r\nUser-Agent: none\r\n\r\n".to_vec());
    is_dropped(&nodes[0], |challenge| hello(challenge, KEY, 1, 1));
    is_dropped(&nodes[0], |challenge| hello(challenge, KEY, 7, 0));
    let (mut recorder, challenge) = call(&nodes[0]);
    is_dropped(&nodes[0], |_| hello(&challenge, KEY, 1, 0));
    recorder.write_all(b"and").unwrap();
    let said: Vec<String> = nodes[0].log.try_iter().collect();
    assert!(said.len() == 1 && said[0].contains("does not have the job's key"), "{said:?}");
    // Somebody who says half of it and stays holds nobody up.
    let (mut silent, challenge) = call(&nodes[0]);
    silent.write_all(&hello(&challenge, KEY, 1, 0)[..20]).unwrap();
    let notes = Notes::default();
    nodes[1].send(0, b"from whom we know");
    until(&[&nodes[0], &nodes[1]], &notes, || !notes.received.borrow().is_empty());
    assert_eq!(notes.received.borrow()[0], (Peer(1), b"from whom we know".to_vec()));
}

/// Whoever sits where a process should be gets nothing.
#[test]
fn a_listener_without_the_key_is_told() {
    let listeners: Vec<_> = (0..2).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let addresses: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    let [first, impostor]: [TcpListener; 2] = listeners.try_into().unwrap();
    let node = node(0, first, &addresses, false);
    let listening = std::thread::spawn(move || {
        let (mut call, _) = impostor.accept().unwrap();
        call.write_all(&[b"HPVMip\0\x02".as_slice(), &[1; 16]].concat()).unwrap();
        call.read_exact(&mut [0; 56]).unwrap();
        call.write_all(&[[2; 32].as_slice(), b"welcome\n"].concat()).unwrap();
        let mut rest = Vec::new();
        let _ = call.read_to_end(&mut rest);
        rest
    });
    node.send(1, b"secret");
    let (start, notes) = (Instant::now(), Notes::default());
    let told = loop {
        node.fm.extract(8, &notes);
        node.park.idle(100_000, &|| node.fm.arrived());
        if let Ok(told) = node.told.try_recv() {
            break told;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "nothing was told");
    };
    assert!(told.0 == Peer(1) && told.1.contains("does not have the job's key"), "{}", told.1);
    assert_eq!(listening.join().unwrap(), []);
}

/// Ten thousand connections of all kinds while two processes talk: nothing is lost, and nothing grows.
#[test]
fn strangers_do_no_harm() {
    let nodes = nodes(2);
    let address = nodes[0].address;
    let thronging = std::thread::spawn(move || {
        let mut open = std::collections::VecDeque::new();
        for number in 0..10_000u32 {
            // Where too many wait to be accepted, a call would be tried again after a second.
            let Ok(mut call) = TcpStream::connect_timeout(&address, Duration::from_millis(20)) else { continue };
            let bytes: [u8; 200] = std::array::from_fn(|at| (number.wrapping_mul(at as u32 + 17) >> 5) as u8);
            // Nothing, a part, all of what could be a greeting, or more.
            let _ = call.write_all(&bytes[..[0, 0, 20, 56, 200][number as usize % 5]]);
            open.push_back(call);
            if open.len() > 100 && number % 3 > 0 || open.len() > 300 {
                open.drain(..2);
            }
        }
    });
    let notes = Notes::default();
    let (mut sent, mut most_open, mut memory) = (0u32, 0, Vec::new());
    while !thronging.is_finished() {
        nodes[1].send(0, &sent.to_le_bytes());
        nodes[0].send(1, &sent.to_le_bytes());
        until(&[&nodes[0], &nodes[1]], &notes, || notes.received.borrow().len() == 2);
        assert!(notes.received.take().iter().all(|(_, body)| *body == sent.to_le_bytes()));
        sent += 1;
        if sent.is_multiple_of(64) {
            most_open = most_open.max(std::fs::read_dir("/proc/self/fd").unwrap().count());
            memory.push(resident_kib());
        }
    }
    thronging.join().unwrap();
    // Those that wait at the listener (130), 302 at the other end, and those of this process's other tests.
    assert!(most_open < 130 + 302 + 200, "{most_open} descriptors");
    // The first quarter has seen as many at a time as ever come; the other tests take some.
    let grown = memory[memory.len() - 1].saturating_sub(memory[memory.len() / 4]);
    assert!(grown < 8 << 10, "{grown} KiB");
    assert!(nodes.iter().all(|node| node.told.try_recv().is_err()));
    let said: Vec<String> = nodes[0].log.try_iter().collect();
    assert!((1..=5).contains(&said.len()), "each ten times rarer than the one before: {said:?}");
}

fn resident_kib() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

#[test]
fn two_that_call_each_other_end_up_with_one_connection() {
    for _ in 0..20 {
        let nodes = nodes(2);
        let notes = Notes::default();
        // Both before either has looked.
        nodes[0].send(1, b"a");
        nodes[1].send(0, b"b");
        for number in 0..50u8 {
            nodes[usize::from(number % 2)].send(1 - u32::from(number % 2), &[number]);
            nodes[0].fm.extract(1, &notes);
            if number % 3 == 0 {
                nodes[1].fm.extract(1, &notes);
            }
        }
        until(&[&nodes[0], &nodes[1]], &notes, || notes.received.borrow().len() == 52);
        let of = |from| notes.received.borrow().iter().filter(|(peer, _)| *peer == from).map(|(_, b)| b[0]).collect::<Vec<_>>();
        assert_eq!(of(Peer(0)), [b"a".to_vec(), (0..50).step_by(2).collect()].concat());
        assert_eq!(of(Peer(1)), [b"b".to_vec(), (1..50).step_by(2).collect()].concat());
        assert!(nodes.iter().all(|node| node.told.try_recv().is_err()));
    }
}

/// The same with three threads that sleep as processes do, again and again.
#[test]
fn all_that_call_each_other_at_once_find_each_other() {
    for round in 0..100 {
        let (start, (done, finished)) = (Arc::new(Barrier::new(3)), channel());
        for (me, node) in (0u32..).zip(nodes(3)) {
            let (start, done) = (Arc::clone(&start), done.clone());
            std::thread::spawn(move || {
                let (notes, mut waits) = (Notes::default(), 0);
                start.wait();
                (0..3).filter(|to| *to != me).for_each(|to| node.send(to, &[me as u8]));
                while notes.received.borrow().len() < 2 || !node.fm.close() {
                    waits = if node.fm.extract(8, &notes) > 0 { 0 } else { waits + 1 };
                    node.park.idle(waits, &|| node.fm.arrived());
                }
                done.send(node.told.try_iter().count() + node.log.try_iter().count()).unwrap();
            });
        }
        for _ in 0..3 {
            let said = finished.recv_timeout(Duration::from_secs(20));
            assert_eq!(said, Ok(0), "round {round}: somebody waits, or has told something");
        }
    }
}

/// Between two processes sits somebody who sees all bytes, and changes one of them. Where they are encrypted, he learns nothing, and is found out.
#[test]
fn who_is_in_the_middle_learns_nothing_and_is_found_out() {
    for encrypt in [false, true] {
        let listeners: Vec<_> = (0..3).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
        let real: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
        let [zero, one, middle]: [TcpListener; 3] = listeners.try_into().unwrap();
        // Process 1 finds process 0 in the middle.
        let nodes = [node(0, zero, &real[..2], encrypt), node(1, one, &[real[2], real[1]], encrypt)];
        let (seen, sees) = channel::<Vec<u8>>();
        let target = real[0];
        std::thread::spawn(move || {
            let caller = middle.accept().unwrap().0;
            let called = TcpStream::connect(target).unwrap();
            let back = (called.try_clone().unwrap(), caller.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut &back.0, &mut &back.1));
            let mut passed = 0;
            let mut bytes = [0; 1000];
            while let Ok(count @ 1..) = (&caller).read(&mut bytes) {
                seen.send(bytes[..count].to_vec()).unwrap();
                // Of the third message, of 300 bytes each, something in the middle.
                if (passed..passed + count).contains(&900) {
                    bytes[900 - passed] ^= 1;
                }
                passed += count;
                (&called).write_all(&bytes[..count]).unwrap();
            }
        });
        let notes = Notes::default();
        for number in 1..=2 {
            nodes[1].send(0, &[0x41; 300]);
            until(&[&nodes[0], &nodes[1]], &notes, || notes.received.borrow().len() == number);
        }
        nodes[1].send(0, &[0x41; 300]);
        let come = || notes.received.borrow().len() == 3 || *notes.violations.borrow() > 0;
        until(&[&nodes[0], &nodes[1]], &notes, come);
        let received = notes.received.take();
        assert!(received[..2].iter().all(|(from, body)| *from == Peer(1) && *body == [0x41; 300]));
        assert_eq!(received.len(), if encrypt { 2 } else { 3 }, "what was changed");
        let readable = sees.try_iter().flatten().collect::<Vec<u8>>().windows(20).any(|bytes| bytes == [0x41; 20]);
        assert_eq!(readable, !encrypt);
    }
}

#[test]
fn garbage_from_one_peer_does_not_touch_the_others() {
    let nodes = nodes(3);
    let notes = Notes::default();
    let (mut call, challenge) = call(&nodes[0]);
    call.write_all(&hello(&challenge, KEY, 2, 0)).unwrap();
    assert!(hear(&nodes[0], &mut call, ANSWER).ends_with(b"welcome\n"));
    // A packet with a kind that does not exist, then a length that none has.
    call.write_all(&[0, 99, 0, 0, 3, 0, 0, 0, 1, 2, 3]).unwrap();
    until(&[&nodes[0]], &notes, || *notes.violations.borrow() == 1);
    call.write_all(&[0, 1, 0, 0, 0, 0, 2, 1]).unwrap();
    until(&[&nodes[0]], &notes, || *notes.violations.borrow() == 2);
    nodes[1].send(0, b"well");
    until(&[&nodes[0], &nodes[1]], &notes, || !notes.received.borrow().is_empty());
    assert_eq!(*notes.received.borrow(), [(Peer(1), b"well".to_vec())]);
    // To whom the connection broke, nothing blocks: it is the launcher who decides.
    nodes[0].send(2, b"into nothing");
}

#[test]
fn what_was_sent_last_arrives_although_the_sender_leaves() {
    let mut nodes = nodes(2);
    let notes = Notes::default();
    let (one, zero) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    let large = vec![7; 60_000];
    let mut sent = 0;
    // More than the kernel takes at once.
    while one.fm.try_send(Peer(0), HandlerId(0), large.len(), |room| room.copy_from_slice(&large)) {
        sent += 1;
        zero.fm.extract(0, &notes);
    }
    until(&[&zero, &one], &notes, || notes.received.borrow().len() > 1);
    let leaving = std::thread::spawn(move || {
        let notes = Notes::default();
        while !one.fm.close() {
            one.fm.extract(64, &notes);
            std::thread::yield_now();
        }
        drop(one.fm);
        one.told.try_recv().is_err()
    });
    until(&[&zero], &notes, || notes.received.borrow().len() == sent);
    assert!(leaving.join().unwrap(), "the orderly end was taken for a loss");
    assert!(zero.told.try_recv().is_err());
    assert!(notes.received.borrow().iter().all(|(_, body)| *body == large));
}

/// Sessions come one after another (MPI 5.0 section 11.3): the end of the last one is not the end of the process.
#[test]
fn who_has_closed_may_go_on() {
    let nodes = nodes(3);
    let notes = Notes::default();
    let all: Vec<_> = nodes.iter().collect();
    for round in 1..4 {
        nodes[0].send(1, b"here");
        nodes[1].send(0, b"there");
        until(&all, &notes, || notes.received.borrow().len() == 2 * round);
        until(&all, &notes, || nodes.iter().all(|node| node.fm.close()));
    }
    // Also with whom it has never spoken.
    nodes[2].send(0, b"first");
    until(&all, &notes, || notes.received.borrow().len() == 7);
    assert!(nodes.iter().all(|node| node.told.try_recv().is_err()));
}

#[test]
fn a_peer_that_is_gone_swallows_what_is_sent() {
    let mut nodes = nodes(2);
    let notes = Notes::default();
    nodes[0].send(1, b"hello");
    until(&[&nodes[0], &nodes[1]], &notes, || !notes.received.borrow().is_empty());
    drop(nodes.pop());
    let survivor = nodes.pop().unwrap();
    for _ in 0..1000 {
        survivor.send(1, &[1; 1000]);
        survivor.fm.extract(8, &notes);
    }
    until(&[&survivor], &notes, || survivor.fm.close() && !survivor.fm.arrived());
    assert!(survivor.told.try_recv().is_err(), "the launcher tells of the dead");
}

#[test]
fn a_peer_that_cannot_be_reached_is_told_of_later() {
    let mut nodes = nodes(2);
    let notes = Notes::default();
    // Nobody listens there any more.
    drop(nodes.pop());
    let survivor = nodes.pop().unwrap();
    survivor.send(1, b"hello");
    let (start, mut round) = (Instant::now(), 0);
    let told = loop {
        survivor.fm.extract(8, &notes);
        survivor.park.idle(round, &|| survivor.fm.arrived());
        round += 1;
        if let Ok(told) = survivor.told.try_recv() {
            break told;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "nothing was told");
    };
    assert_eq!(told.0, Peer(1));
    assert!(told.1.contains("refused"), "{}", told.1);
    assert!(start.elapsed() > Duration::from_secs(2), "the launcher had no time to say it first");
    assert!(round < 20_000, "it slept meanwhile, and did not spin for {round} rounds");
}

/// Has a place for handler 1's messages, whose first byte names it.
struct Places<'n> {
    notes: &'n Notes,
    room: RefCell<Vec<u8>>,
    landed: RefCell<usize>,
    /// Lends at most so much at a time.
    piece: usize,
}

impl Upcall for Places<'_> {
    fn message(&self, from: Peer, handler: HandlerId, body: &[u8]) {
        match handler {
            HandlerId(1) => self.room.borrow_mut().extend_from_slice(&body[1..]),
            _ => self.notes.message(from, handler, body),
        }
    }

    fn begin(&self, _: Peer, _: HandlerId, _: u64) -> Box<dyn Receive> {
        panic!("no long message was sent")
    }

    fn place(&self, from: Peer, handler: HandlerId, head: &[u8], len: usize) -> Option<Landing> {
        assert_eq!(from, Peer(0));
        let place = head.first().filter(|_| handler == HandlerId(1))?;
        Some(Landing { place: u32::from(*place), skip: 1, len, offset: 0 })
    }

    fn land(&self, _: Peer, landing: Landing, at: usize, fill: &mut dyn FnMut(&mut [u8]) -> usize) {
        assert_eq!(landing.place, 9);
        let mut room = self.room.borrow_mut();
        let len = room.len();
        room.resize(len + self.piece.min(landing.len - at), 0);
        let filled = fill(&mut room[len..]);
        room.truncate(len + filled);
        *self.landed.borrow_mut() += filled;
    }
}

/// Long packets that are announced by their first bytes are read in place, others come whole; short ones between them keep their order.
#[test]
fn long_packets_land_where_they_belong() {
    for piece in [usize::MAX, 5000, 17] {
        let nodes = nodes(2);
        let notes = Notes::default();
        let places = Places { notes: &notes, room: RefCell::default(), landed: RefCell::default(), piece };
        let long: Vec<u8> = (0..100_000u32).map(|at| (at % 251) as u8).collect();
        let (mut wanted, mut whole) = (Vec::new(), Vec::new());
        let mut messages: Vec<(u8, Vec<u8>)> = Vec::new();
        for len in [20_000, 99_999, 16_384, 40_000, 16_360, 65_537] {
            messages.push((1, [&[9], &long[..len]].concat()));
            messages.push((0, long[..len % 700].to_vec()));
            messages.push((0, long[..len].to_vec()));
        }
        let end = Instant::now() + Duration::from_secs(60);
        for (handler, bytes) in &messages {
            match handler {
                1 => wanted.extend_from_slice(&bytes[1..]),
                _ => whole.push((Peer(0), bytes.clone())),
            }
            while !nodes[0].fm.try_send_from(Peer(1), HandlerId(*handler), &bytes[..1], &bytes[1..]) {
                assert!(Instant::now() < end, "no room");
                nodes[0].fm.extract(8, &notes);
                nodes[1].fm.extract(8, &places);
            }
        }
        while notes.received.borrow().len() < whole.len() || places.room.borrow().len() < wanted.len() {
            assert!(Instant::now() < end, "{} of {}", places.room.borrow().len(), wanted.len());
            nodes[0].fm.extract(8, &notes);
            nodes[1].fm.extract(8, &places);
        }
        assert!(*places.room.borrow() == wanted, "in places of {piece}");
        assert!(*notes.received.borrow() == whole, "beside places of {piece}");
        assert!(*places.landed.borrow() > wanted.len() / 2, "{} of {}", places.landed.borrow(), wanted.len());
    }
}

/// Who waits for the rest of a packet is told when it has come, though nothing is delivered.
#[test]
fn landing_counts_as_something() {
    let nodes = nodes(2);
    let notes = Notes::default();
    nodes[0].send(1, b"hello");
    until(&[&nodes[0], &nodes[1]], &notes, || !notes.received.borrow().is_empty());
    for len in [17_000, 60_000] {
        let places = Places { notes: &notes, room: RefCell::default(), landed: RefCell::default(), piece: usize::MAX };
        assert!(nodes[0].fm.try_send_from(Peer(1), HandlerId(1), &[9], &vec![3; len]));
        let end = Instant::now() + Duration::from_secs(20);
        while places.room.borrow().len() < len {
            assert!(Instant::now() < end, "nothing happens");
            let before = places.room.borrow().len();
            let found = nodes[1].fm.extract(8, &places);
            assert_eq!(found > 0, places.room.borrow().len() > before);
        }
    }
}

/// What is sent in a row leaves together, and leaves although its sender does not come back.
#[test]
fn what_gathers_leaves_although_the_sender_computes() {
    let nodes = nodes(2);
    let notes = Notes::default();
    nodes[0].send(1, b"hello");
    until(&[&nodes[0], &nodes[1]], &notes, || !notes.received.borrow().is_empty());
    for number in 0..100u8 {
        nodes[0].send(1, &[number]);
    }
    // Only the receiver looks.
    until(&[&nodes[1]], &notes, || notes.received.borrow().len() == 101);
    let order: Vec<u8> = notes.received.borrow()[1..].iter().map(|(_, body)| body[0]).collect();
    assert_eq!(order, (0..100).collect::<Vec<u8>>());
    until(&[&nodes[0]], &notes, || nodes[0].fm.close());
}
