//! The ring and the doorbell under the model checker: every order in which their loads and stores may be carried out,
//! and every value that weak memory lets them see.
//!
//! The kernel's parts are modelled. A futex is a mutex and a condition variable around a look at the word. A membarrier is
//! a fence on *every* thread of the job at some moment while the call lasts; here the other threads offer such moments,
//! between any two of their accesses that matter, and the call returns once each has taken one or has ended.

use hpvm_smp::atomics::{Atomic, Atomics};
use hpvm_smp::doorbell::{ASLEEP, ASLEEP_FOR_ROOM, AWAKE, Barrier, Doorbell};
use hpvm_smp::ring::{Cell, Line, Reader, Ring, Writer};
use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicU32, AtomicU64, fence};
use loom::sync::{Arc, Condvar, Mutex};
use loom::thread;
use std::sync::atomic::Ordering::{self, Acquire, Relaxed, Release, SeqCst};

/// Spans leave `LEFTOVER` in the place of the words that they cover.
struct Loom<const LEFTOVER: u64 = 0>;

impl<const LEFTOVER: u64> Atomics for Loom<LEFTOVER> {
    type U32 = Word32;
    type U64 = Word64;
    type Payload = Bytes;

    fn write<R>(span: &[Cell<Self>], access: impl FnOnce(*mut u8) -> R) -> R {
        for cell in &span[1..] {
            cell.word.store(LEFTOVER, Relaxed);
            cell.payload.0.with_mut(|_| ());
        }
        span[0].payload.0.with_mut(|bytes| access(bytes.cast()))
    }

    fn read<R>(span: &[Cell<Self>], access: impl FnOnce(*const u8) -> R) -> R {
        span[1..].iter().for_each(|cell| cell.payload.0.with(|_| ()));
        span[0].payload.0.with(|bytes| access(bytes.cast()))
    }
}

struct Word32(AtomicU32);

impl Atomic<u32> for Word32 {
    fn load(&self, order: Ordering) -> u32 {
        self.0.load(order)
    }
    fn store(&self, value: u32, order: Ordering) {
        self.0.store(value, order);
    }
}

struct Word64(AtomicU64);

impl Atomic<u64> for Word64 {
    fn load(&self, order: Ordering) -> u64 {
        self.0.load(order)
    }
    fn store(&self, value: u64, order: Ordering) {
        self.0.store(value, order);
    }
}

/// Loom reports accesses that overlap or that no order separates.
struct Bytes(UnsafeCell<u64>);

fn ring<A: Atomics<U32 = Word32, U64 = Word64, Payload = Bytes>, const CELLS: usize>() -> Ring<A, [Cell<A>; CELLS]> {
    let cell = |_| Cell { word: Word64(AtomicU64::new(0)), payload: Bytes(UnsafeCell::new(0)) };
    Ring { head: Line(Word32(AtomicU32::new(0))), cells: std::array::from_fn(cell) }
}

fn write<A: Atomics>(writer: &mut Writer, ring: &Ring<A>, value: u64, span: usize) {
    // SAFETY: the payload is a u64.
    writer.payload(ring, span, |bytes| unsafe { bytes.cast::<u64>().write(value) });
    writer.publish(ring, value, span);
}

/// Reads the next span, if there is one, and checks that it is message `value`.
fn read<A: Atomics>(reader: &mut Reader, ring: &Ring<A>, value: u64, span: usize) -> bool {
    let Some(word) = reader.peek(ring) else {
        return false;
    };
    // SAFETY: the payload is a u64.
    let payload = reader.payload(ring, span, |bytes| unsafe { bytes.cast::<u64>().read() });
    assert_eq!((word, payload), (value, Some(value)));
    reader.pass(ring, span);
    true
}

fn explore(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(model);
}

#[test]
fn messages_cross_the_ring_in_order() {
    const MESSAGES: u64 = 5;
    explore(3, || {
        let ring = Arc::new(ring::<Loom, 3>());
        let sender = thread::spawn({
            let ring = ring.clone();
            move || {
                let mut writer = Writer::new(3);
                for value in 1..=MESSAGES {
                    while !writer.has_room(&*ring, 1) {
                        thread::yield_now();
                    }
                    write(&mut writer, &*ring, value, 1);
                }
            }
        });
        let mut reader = Reader::new();
        for value in 1..=MESSAGES {
            while !read(&mut reader, &*ring, value, 1) {
                thread::yield_now();
            }
            // Not after every cell, but before the ring is full of cells that the writer does not know to be free.
            if reader.unpublished() == 2 || value == MESSAGES {
                reader.publish(&*ring);
            }
        }
        sender.join().unwrap();
    });
}

/// The writer goes back to the ring's start before its end.
const BACK: usize = 0;

/// Messages of two sizes take turns over the ring's end, past what longer ones have left. With `touch`, the writer does so with each next cell
/// ahead of time.
fn spans_cross_the_ring<const LEFTOVER: u64>(spans: &'static [usize], touch: bool, preemptions: usize) {
    const CELLS: usize = 6;
    const SKIP: u64 = 77;
    explore(preemptions, move || {
        let ring = Arc::new(ring::<Loom<LEFTOVER>, CELLS>());
        let sender = thread::spawn({
            let ring = ring.clone();
            move || {
                let mut writer = Writer::new(CELLS);
                let room = |writer: &mut Writer, span| {
                    while !writer.has_room(&*ring, span) {
                        thread::yield_now();
                    }
                };
                for (value, &span) in (1..).zip(spans) {
                    let left = writer.cells_to_end();
                    if left < span || span == BACK {
                        room(&mut writer, left);
                        writer.publish(&*ring, SKIP, left);
                    }
                    if span != BACK {
                        room(&mut writer, span);
                        write(&mut writer, &*ring, value, span);
                    }
                    if touch {
                        writer.touch(&*ring);
                    }
                }
            }
        });
        let mut reader = Reader::new();
        for (value, &span) in (1..).zip(spans).filter(|(_, span)| **span != BACK) {
            loop {
                match reader.peek(&*ring) {
                    Some(SKIP) => {
                        reader.pass(&*ring, reader.cells_to_end(&*ring));
                        reader.publish(&*ring);
                    }
                    Some(_) => break,
                    None => thread::yield_now(),
                }
            }
            assert!(read(&mut reader, &*ring, value, span));
            reader.publish(&*ring);
        }
        assert!(matches!(reader.peek(&*ring), None | Some(SKIP)), "nothing more was sent");
        sender.join().unwrap();
    });
}

#[test]
fn nothing_is_read_twice_or_made_up_behind_a_span() {
    for spans in [&[2, 1, 1, 1, 1, 1][..], &[3, 3, 1, 1, 1], &[1, 2, 2, 2, 1], &[1, 1, 3, 1, 2]] {
        spans_cross_the_ring::<0>(spans, false, 2);
        spans_cross_the_ring::<{ u64::MAX }>(spans, false, 2);
    }
}

#[test]
fn nothing_is_read_twice_or_made_up_where_the_writer_goes_back_early() {
    // The last one meets words of two laps before; it is long.
    for (spans, preemptions) in [(&[1, BACK, 1, 1][..], 2), (&[2, BACK, 1, 1], 2), (&[2, 1, BACK, 1, BACK, 1, 1], 1)] {
        spans_cross_the_ring::<0>(spans, true, preemptions);
        spans_cross_the_ring::<{ u64::MAX }>(spans, true, preemptions);
    }
}

/// The kernel's half of a sleep.
#[derive(Default)]
struct Futex {
    lock: Mutex<()>,
    sleepers: Condvar,
}

impl Futex {
    fn wait(&self, word: &Word32, expected: u32) {
        let guard = self.lock.lock().unwrap();
        if word.load(Relaxed) == expected {
            drop(self.sleepers.wait(guard).unwrap());
        }
    }

    fn wake(&self) {
        let _guard = self.lock.lock().unwrap();
        self.sleepers.notify_all();
    }
}

/// How the two halves of the fence are made.
trait Fences: Barrier + Default + Send + Sync + 'static {
    /// The thread that sends makes no further accesses.
    fn ended(&self);
}

/// A membarrier, between one thread that calls it and one that sends.
#[derive(Default)]
struct ModelledMembarrier {
    requested: AtomicU32,
    acted: AtomicU32,
}

impl ModelledMembarrier {
    /// A moment at which the kernel may interrupt the sending thread.
    fn moment(&self) {
        let requested = self.requested.load(Acquire);
        if requested > self.acted.load(Relaxed) {
            fence(SeqCst);
            self.acted.store(requested, Release);
        }
    }
}

impl Barrier for ModelledMembarrier {
    fn light(&self) {
        self.moment();
    }

    fn heavy(&self) {
        fence(SeqCst);
        let request = self.requested.load(Relaxed) + 1;
        self.requested.store(request, Release);
        while self.acted.load(Acquire) < request {
            thread::yield_now();
        }
        fence(SeqCst);
    }
}

impl Fences for ModelledMembarrier {
    fn ended(&self) {
        fence(SeqCst);
        self.acted.store(u32::MAX, Release);
    }
}

/// Where the kernel refuses membarrier: both sides fence.
#[derive(Default)]
struct BothFence;

impl Barrier for BothFence {
    fn light(&self) {
        fence(SeqCst);
    }
    fn heavy(&self) {
        fence(SeqCst);
    }
}

impl Fences for BothFence {
    fn ended(&self) {}
}

/// What must not be relied on: the sleeper fences itself alone.
#[derive(Default)]
struct OnlyTheSleeperFences;

impl Barrier for OnlyTheSleeperFences {
    fn light(&self) {}
    fn heavy(&self) {
        fence(SeqCst);
    }
}

impl Fences for OnlyTheSleeperFences {
    fn ended(&self) {}
}

struct Pair<F> {
    ring: Ring<Loom, [Cell<Loom>; 3]>,
    doorbell: Doorbell<Loom>,
    futex: Futex,
    fences: F,
}

fn pair<F: Fences>() -> Arc<Pair<F>> {
    Arc::new(Pair {
        ring: ring(),
        doorbell: Doorbell { word: Word32(AtomicU32::new(AWAKE)) },
        futex: Futex::default(),
        fences: F::default(),
    })
}

impl<F: Fences> Pair<F> {
    /// Sleeps once, unless `arrived`.
    fn sleep(&self, state: u32, arrived: impl Fn() -> bool) {
        self.doorbell.announce(state, &self.fences);
        if !arrived() {
            self.futex.wait(&self.doorbell.word, state);
        }
        self.doorbell.awake();
    }
}

/// One message to a receiver that sleeps as soon as it finds nothing.
fn a_message_finds_its_sleeper<F: Fences>() {
    explore(3, || {
        let pair = pair::<F>();
        let sender = thread::spawn({
            let pair = pair.clone();
            move || {
                pair.fences.light();
                write(&mut Writer::new(3), &pair.ring, 1, 1);
                if pair.doorbell.rings(&pair.fences).is_some() {
                    pair.futex.wake();
                }
                pair.fences.ended();
            }
        });
        let mut reader = Reader::new();
        while !read(&mut reader, &pair.ring, 1, 1) {
            pair.sleep(ASLEEP, || reader.peek(&pair.ring).is_some());
        }
        sender.join().unwrap();
    });
}

#[test]
fn no_wake_up_is_lost_with_membarrier() {
    a_message_finds_its_sleeper::<ModelledMembarrier>();
}

#[test]
fn no_wake_up_is_lost_with_fences_on_both_sides() {
    a_message_finds_its_sleeper::<BothFence>();
}

/// Shows that the checker sees the danger, and that the membarrier is what averts it.
#[test]
#[should_panic(expected = "deadlock")]
fn without_membarrier_a_wake_up_is_lost() {
    a_message_finds_its_sleeper::<OnlyTheSleeperFences>();
}

/// A sender that found the ring full sleeps until its receiver has room.
fn room_finds_its_sleeper<F: Fences>() {
    explore(3, || {
        let pair = pair::<F>();
        let mut writer = Writer::new(3);
        write(&mut writer, &pair.ring, 1, 1);
        write(&mut writer, &pair.ring, 2, 1);
        let receiver = thread::spawn({
            let pair = pair.clone();
            move || {
                pair.fences.light();
                let mut reader = Reader::new();
                assert!(read(&mut reader, &pair.ring, 1, 1));
                reader.publish(&pair.ring);
                if pair.doorbell.rings_for_room(&pair.fences).is_some() {
                    pair.futex.wake();
                }
                pair.fences.ended();
            }
        });
        while !writer.has_room(&pair.ring, 1) {
            let seen = writer.head_seen();
            pair.sleep(ASLEEP_FOR_ROOM, || pair.ring.head.0.load(Acquire) != seen);
        }
        receiver.join().unwrap();
    });
}

#[test]
fn no_room_is_overlooked_with_membarrier() {
    room_finds_its_sleeper::<ModelledMembarrier>();
}

#[test]
#[should_panic(expected = "deadlock")]
fn without_membarrier_room_is_overlooked() {
    room_finds_its_sleeper::<OnlyTheSleeperFences>();
}

/// Two senders meet one sleeper that sleeps again after the first: the store with which one wakes it may come late and hide
/// the second sleep from the other, but then a wake-up follows the store.
#[test]
fn a_late_waker_does_not_hide_the_next_sleep() {
    explore(2, || {
        let rings = Arc::new([ring::<Loom, 3>(), ring::<Loom, 3>()]);
        let pair = pair::<BothFence>();
        let senders: Vec<_> = (0..2)
            .map(|index: usize| {
                let (rings, pair) = (rings.clone(), pair.clone());
                thread::spawn(move || {
                    write(&mut Writer::new(3), &rings[index], 1, 1);
                    if pair.doorbell.rings(&pair.fences).is_some() {
                        pair.futex.wake();
                    }
                })
            })
            .collect();
        let mut readers = [Reader::new(), Reader::new()];
        let mut missing = vec![0, 1];
        while !missing.is_empty() {
            missing.retain(|&index| !read(&mut readers[index], &rings[index], 1, 1));
            if !missing.is_empty() {
                pair.sleep(ASLEEP, || missing.iter().any(|&index| readers[index].peek(&rings[index]).is_some()));
            }
        }
        for sender in senders {
            sender.join().unwrap();
        }
    });
}
