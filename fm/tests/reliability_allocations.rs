//! Once warm, a flow allocates nothing, although packets are lost and overtake each other.

use fm::reliability::{Flow, OVERHEAD, Received, Settings};
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The system's allocator, counted.
struct Counted(AtomicU64);

// SAFETY: does what the system's allocator does, whose rules are the same.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        self.0.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counted = Counted(AtomicU64::new(0));

const PACKET: usize = 64;
const FRAME: usize = PACKET + OVERHEAD + 128;
const DELAY_NS: u64 = 100_000;

/// A frame on its way: when it arrives, where, and how long it is.
type OnTheWay = (u64, usize, usize, [u8; FRAME]);

struct Pair {
    now_ns: u64,
    flows: [Flow; 2],
    on_the_way: VecDeque<OnTheWay>,
    frames: u64,
    taken: u64,
}

impl Pair {
    fn turn(&mut self, end: usize) {
        let flow = &mut self.flows[end];
        while let Some(packet) = flow.take() {
            self.taken += 1;
            flow.give_back(packet);
        }
        let mut room = [0; FRAME];
        loop {
            while flow.has_room() {
                let mut packet = flow.buffer();
                packet.resize(PACKET, end as u8);
                flow.push(packet);
            }
            let Some((_, len)) = flow.transmit(self.now_ns, &mut room) else { return };
            self.frames += 1;
            // One in fifty is lost, one in thirty leaves before the one in front of it.
            if self.frames.is_multiple_of(50) || self.on_the_way.len() == self.on_the_way.capacity() {
                continue;
            }
            self.on_the_way.push_back((self.now_ns + DELAY_NS, 1 - end, len, room));
            let last = self.on_the_way.len() - 1;
            if self.frames.is_multiple_of(30) && last > 0 {
                let (before, behind) = (self.on_the_way[last - 1].0, self.on_the_way[last].0);
                self.on_the_way.swap(last - 1, last);
                (self.on_the_way[last - 1].0, self.on_the_way[last].0) = (before, behind);
            }
        }
    }

    fn run(&mut self, end_ns: u64) {
        while self.now_ns < end_ns {
            self.turn(0);
            self.turn(1);
            let arrival_ns = self.on_the_way.front().map(|first| first.0);
            let timers_ns = [self.flows[0].deadline_ns(), self.flows[1].deadline_ns()];
            let next_ns = timers_ns.into_iter().flatten().chain(arrival_ns).min().expect("something is to happen");
            self.now_ns = self.now_ns.max(next_ns);
            while let Some((_, end, len, frame)) = self.on_the_way.pop_front_if(|first| first.0 <= self.now_ns) {
                if let Ok(Received::Next(_)) = self.flows[end].receive(self.now_ns, &frame[..len]) {
                    self.taken += 1;
                }
            }
        }
    }
}

#[test]
fn a_warm_flow_allocates_nothing() {
    let settings = |me: u32| Settings { peer: Some(3 - me), window: 64, ..Settings::new(me) };
    let flows = [Flow::new(settings(1)), Flow::new(settings(2))];
    let mut pair = Pair { now_ns: 0, flows, on_the_way: VecDeque::with_capacity(1024), frames: 0, taken: 0 };
    pair.run(50_000_000);
    let (taken, allocated) = (pair.taken, ALLOCATOR.0.load(Relaxed));
    pair.run(150_000_000);
    assert!(pair.taken > taken + 1000, "{} packets in 0.1 s", pair.taken - taken);
    assert_eq!(ALLOCATOR.0.load(Relaxed) - allocated, 0, "allocations for {} packets", pair.taken - taken);
}
