//! The tests themselves.

use super::support::{Check, Sending, try_send, write_pattern};
use super::{Fixture, Program, Step};
use crate::sim::Random;
use crate::{Fm, HandlerId, Peer, Receive, Upcall};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Release};

/// A program made of a closure.
struct Node<F>(F);

impl<F: FnMut(&Fm) -> Step + Send> Program for Node<F> {
    fn step(&mut self, fm: &Fm) -> Step {
        (self.0)(fm)
    }
}

fn node(step: impl FnMut(&Fm) -> Step + Send + 'static) -> Box<dyn Program> {
    Box::new(Node(step))
}

/// How a turn went, of which we know whether something moved and whether everything is done.
fn step(fm: &Fm, moved: bool, done: bool) -> Step {
    match (done && !fm.pending(), moved) {
        (true, _) => Step::Done,
        (_, true) => Step::Busy,
        _ => Step::Idle,
    }
}

const PLENTY: usize = 64;

/// Long messages in pieces of sizes that have nothing to do with packets.
pub fn pieces_of_random_sizes(fixture: &impl Fixture) {
    const MESSAGES: u64 = 60;
    let mut random = Random::new(1);
    let lengths: Vec<u64> = (0..MESSAGES).map(|_| random.any_size(17)).collect();
    let expected: u64 = lengths.iter().sum();

    let mut number = 0;
    let mut current: Option<Sending> = None;
    let sender = node(move |fm| {
        let mut moved = false;
        if current.is_none() && number < MESSAGES {
            current = Sending::begin(fm, Peer(1), HandlerId(0), number, lengths[number as usize]);
            number += 1;
        }
        if let Some(sending) = &mut current {
            let len = 1 + random.any_size(15) as usize;
            moved |= if random.below(2) == 0 { sending.piece(fm, len) } else { sending.packet(fm, len) } > 0;
            if sending.complete() {
                current.take().expect("just seen").end(fm);
                moved = true;
            }
        }
        moved |= Check::new(2).extract(fm, PLENTY) > 0;
        step(fm, moved, number == MESSAGES && current.is_none())
    });

    let check = Check::new(2);
    let receiver = node(move |fm| {
        let moved = check.extract(fm, PLENTY) > 0;
        let tally = check.tally(0, 0);
        let done = tally.finished == MESSAGES;
        assert!(!done || tally.bytes == expected, "{} bytes of {expected}", tally.bytes);
        step(fm, moved, done)
    });
    fixture.run(vec![sender, receiver]);
}

/// Every request of every node to every other is answered from within its handler.
pub fn a_handler_answers(fixture: &impl Fixture) {
    const NODES: u32 = 3;
    const REQUESTS: u64 = 2000;
    let program = |me: u32| {
        let check = Check::new(NODES).then(|fm, from, handler, body| {
            if handler == HandlerId(0) {
                // The answer repeats the request, and has the same number in its own order.
                fm.control(from, HandlerId(1), body);
            }
        });
        let mut sent = [0; NODES as usize];
        let mut random = Random::new(u64::from(me));
        node(move |fm| {
            let mut moved = check.extract(fm, PLENTY) > 0;
            for to in (0..NODES).filter(|&to| to != me) {
                let number = &mut sent[to as usize];
                if *number < REQUESTS && try_send(fm, to, 0, *number, random.below(33) as usize) {
                    *number += 1;
                    moved = true;
                }
            }
            let others = || (0..NODES).filter(|&to| to != me);
            let done = others().all(|peer| (0..2).all(|handler| check.tally(peer, handler).finished == REQUESTS));
            step(fm, moved, done)
        })
    };
    fixture.run((0..NODES).map(program).collect());
}

/// Node 1 does not extract until node 2 has received everything from node 0, which node 1 has refused meanwhile.
pub fn a_receiver_that_does_not_extract_blocks_only_its_senders(fixture: &impl Fixture) {
    /// To the sleeper: so many at least, and more until it has refused some. A network that takes this many endlessly has no
    /// flow control.
    const AT_LEAST: u64 = 5000;
    const AT_MOST: u64 = 5_000_000;
    const ASIDE: u64 = 500;
    /// Of the message that follows the last.
    const THE_END: u8 = 1;
    let awake = fixture.flag();
    let check = Check::new(3);
    let (mut slow, mut aside, mut refused, mut ended) = (0, 0, 0u64, false);
    let sender = node(move |fm| {
        let mut moved = check.extract(fm, PLENTY) > 0;
        if slow < AT_LEAST || refused == 0 {
            let sent = try_send(fm, 1, 0, slow, 24);
            slow += u64::from(sent);
            refused += u64::from(!sent);
            moved |= sent;
            assert!(slow < AT_MOST, "the sleeper's network takes everything");
        } else if !ended {
            ended = try_send(fm, 1, THE_END, 0, 0);
            moved |= ended;
        }
        if refused > 0 && aside < ASIDE && try_send(fm, 2, 0, aside, 24) {
            aside += 1;
            moved = true;
        }
        step(fm, moved, ended && aside == ASIDE)
    });

    let check = Check::new(3);
    let sleeper = node(move |fm| {
        if !awake.load(Acquire) {
            return Step::Idle;
        }
        let moved = check.extract(fm, 1) > 0;
        let done = check.tally(0, THE_END).finished == 1;
        assert!(!done || check.tally(0, 0).finished >= AT_LEAST);
        step(fm, moved, done)
    });

    let check = Check::new(3);
    let bystander = node(move |fm| {
        let moved = check.extract(fm, PLENTY) > 0;
        let done = check.tally(0, 0).finished == ASIDE;
        awake.store(done, Release);
        step(fm, moved, done)
    });
    fixture.run(vec![sender, sleeper, bystander]);
}

/// Two nodes send each other as fast as they can, extract little, and answer everything from within handlers.
pub fn floods_in_both_directions_do_not_deadlock(fixture: &impl Fixture) {
    const MESSAGES: u64 = 20_000;
    let program = |peer: u32| {
        let check = Check::new(2).then(|fm, from, handler, body| {
            if handler == HandlerId(0) {
                fm.control(from, HandlerId(1), body);
            }
        });
        let mut sent = 0;
        node(move |fm| {
            let before = sent;
            while sent < MESSAGES && try_send(fm, peer, 0, sent, 16 + (sent % 200) as usize / 2) {
                sent += 1;
            }
            let moved = check.extract(fm, 3) > 0 || sent > before;
            let done = (0..2).all(|handler| check.tally(peer, handler).finished == MESSAGES);
            step(fm, moved, done)
        })
    };
    fixture.run(vec![program(1), program(0)]);
}

/// 10^6 messages of 8 bytes.
pub fn a_million_messages_in_order(fixture: &impl Fixture) {
    const MESSAGES: u64 = 1_000_000;
    let mut sent = 0;
    let sender = node(move |fm| {
        let before = sent;
        while sent < MESSAGES && try_send(fm, 1, 0, sent, 8) {
            sent += 1;
        }
        let moved = Check::new(2).extract(fm, PLENTY) > 0 || sent > before;
        step(fm, moved, sent == MESSAGES)
    });
    let check = Check::new(2);
    let receiver = node(move |fm| {
        let moved = check.extract(fm, PLENTY) > 0;
        step(fm, moved, check.tally(0, 0).finished == MESSAGES)
    });
    fixture.run(vec![sender, receiver]);
}

/// Several long messages are open at once, and small ones pass between their packets.
pub fn large_and_small_messages_interleave(fixture: &impl Fixture) {
    const LARGE: u64 = 40;
    const LENGTH: u64 = 300_000;
    const OPEN: usize = 5;
    const SMALL: u64 = 4000;
    let mut random = Random::new(3);
    let (mut begun, mut small) = (0, 0);
    let mut open: Vec<Sending> = Vec::new();
    let mut starting: Option<Sending> = None;
    let mut passed_between = false;
    let sender = node(move |fm| {
        let mut moved = Check::new(2).extract(fm, PLENTY) > 0;
        // A stream takes its place in the order with its first piece.
        if begun < LARGE && open.len() < OPEN {
            let mut sending = starting.take().unwrap_or_else(|| {
                Sending::begin(fm, Peer(1), HandlerId(0), begun, LENGTH).expect("few streams are open")
            });
            if sending.packet(fm, 9) > 0 {
                begun += 1;
                moved = true;
                open.push(sending);
            } else {
                starting = Some(sending);
            }
        }
        let turn_of_small = open.is_empty() || random.below(3) == 0;
        if small < SMALL && turn_of_small && try_send(fm, 1, 1, small, 20) {
            passed_between |= open.iter().any(|sending| sending.sent() > 9);
            small += 1;
            moved = true;
        }
        if !open.is_empty() {
            let index = random.below(open.len() as u64) as usize;
            moved |= open[index].packet(fm, 40_000) > 0;
            if open[index].complete() {
                open.swap_remove(index).end(fm);
            }
        }
        let done = begun == LARGE && open.is_empty() && small == SMALL;
        assert!(!done || passed_between);
        step(fm, moved || !turn_of_small, done)
    });
    let check = Check::new(2);
    let receiver = node(move |fm| {
        let moved = check.extract(fm, PLENTY) > 0;
        let done = check.tally(0, 0).finished == LARGE && check.tally(0, 1).finished == SMALL;
        assert!(!done || check.tally(0, 0).bytes == LARGE * LENGTH);
        step(fm, moved, done)
    });
    fixture.run(vec![sender, receiver]);
}

/// The announced length is an upper bound: the receiver of a message that ends earlier gets what was sent.
pub fn messages_may_end_early(fixture: &impl Fixture) {
    const MESSAGES: u64 = 200;
    let mut number = 0;
    let mut expected = 0;
    let mut current: Option<Sending> = None;
    let mut sent_last = false;
    let sender = node(move |fm| {
        let mut moved = Check::new(2).extract(fm, PLENTY) > 0;
        if current.is_none() && number < MESSAGES {
            current = Sending::begin(fm, Peer(1), HandlerId(0), number, 100_000);
            number += 1;
        }
        if let Some(sending) = &mut current {
            // Every fourth message has no bytes at all.
            let goal = (number % 4) * 1000;
            moved |= sending.packet(fm, goal.saturating_sub(sending.sent()) as usize) > 0;
            if sending.sent() >= goal {
                expected += sending.sent();
                current.take().expect("just seen").end(fm);
                moved = true;
            }
        }
        let all = number == MESSAGES && current.is_none();
        if all && !sent_last {
            // Tells the receiver how much that was.
            sent_last = fm.try_send(Peer(1), HandlerId(1), 64, |room| {
                write_pattern(0, 0, room);
                room[..8].copy_from_slice(&u64::to_le_bytes(expected));
            });
            moved |= sent_last;
        }
        step(fm, moved, sent_last)
    });
    let received = Arc::new(Mutex::new(None));
    let told = received.clone();
    let check = Check::new(2);
    let receiver = node(move |fm| {
        let upcall = EndsEarly { check: &check, told: &told };
        let moved = fm.extract(PLENTY, &upcall) > 0;
        let tally = check.tally(0, 0);
        let expected = *received.lock();
        if let Some(expected) = expected {
            assert_eq!((tally.finished, tally.bytes), (MESSAGES, expected));
        }
        step(fm, moved, expected.is_some())
    });
    fixture.run(vec![sender, receiver]);
}

/// Checks the long messages; the one-packet message says how many bytes they had.
struct EndsEarly<'a> {
    check: &'a Check,
    told: &'a Mutex<Option<u64>>,
}

impl Upcall for EndsEarly<'_> {
    fn message(&self, _: Peer, _: HandlerId, body: &[u8]) {
        *self.told.lock() = body.first_chunk().map(|bytes| u64::from_le_bytes(*bytes));
    }

    fn begin(&self, from: Peer, handler: HandlerId, total: u64) -> Box<dyn Receive> {
        self.check.begin(from, handler, total)
    }
}

/// Whatever waits, an extraction handles no more than it was asked to, and nothing with a budget of nothing.
pub fn budgets_are_honoured(fixture: &impl Fixture) {
    const NODES: u32 = 4;
    const MESSAGES: u64 = 1000;
    let sender = |me: u32| {
        let mut sent = 0;
        let mut random = Random::new(u64::from(me));
        node(move |fm| {
            let moved = sent < MESSAGES && try_send(fm, 0, 0, sent, random.below(80) as usize);
            sent += u64::from(moved);
            let moved = Check::new(NODES).extract(fm, PLENTY) > 0 || moved;
            step(fm, moved, sent == MESSAGES)
        })
    };
    let check = Check::new(NODES);
    let mut random = Random::new(0);
    let receiver = node(move |fm| {
        let budget = random.below(4) as usize;
        // `Check::extract` asserts the bound.
        let moved = check.extract(fm, budget) > 0;
        let done = (1..NODES).all(|from| check.tally(from, 0).finished == MESSAGES);
        step(fm, moved || budget == 0, done)
    });
    let mut programs = vec![receiver];
    programs.extend((1..NODES).map(sender));
    fixture.run(programs);
}
